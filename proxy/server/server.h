/* What serves: the worker process but for its orders. Opens what the settings
 * name, runs the threads, keeps the budgets. Two follow each other without a
 * client noticing: the new one is prepared while the old one serves, the old
 * one retires, the new one serves, and the old one drains. */
#ifndef PROXY_SERVER_SERVER_H
#define PROXY_SERVER_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "config/files.h"
#include "config/settings.h"
#include "proxy/supervisor/ports.h"

struct server;

/* Budgets, counts of connections and what else is counted, in memory that
 * processes share. */
#define SERVER_MEMORY_DESCRIPTORS 4

struct server_memory {
    int descriptors[SERVER_MEMORY_DESCRIPTORS];
    bool is_there;
};

struct server_means {
    const struct settings *settings; /* a reference, which is taken over */
    struct files *files;             /* that they were loaded of; borrowed, for
                                        server_prepare() alone */
    int orders;  /* a channel of connections, which is taken over; negative:
                    no orders are taken */
    int channel; /* to the supervisor; borrowed; negative: there is none */
    int statm;   /* /proc/self/statm, opened while that could be; borrowed;
                    negative: it could not */
    pid_t supervisor;
    uint64_t started_ms; /* when that began, of the monotonic clock */
    bool has_no_dumps;   /* core dumps could be forbidden */
    bool is_after_crash; /* somebody who served has died */
    bool is_alone;       /* no other process has the budgets */
    unsigned slot;       /* of this process, in memory that is shared */
    unsigned others;     /* a bit for the slot of each that lives */
    const int *keys; /* a socket a thread, to have signatures made on; borrowed
                        for server_prepare(), which takes those it uses */
    size_t key_count;
    struct server_memory memory; /* taken over; none: it is made */
};

/* How many threads serve by these settings. */
size_t server_thread_count(const struct settings *settings);

/* Opens what the settings name and asks the upstreams. An exit code: EXIT_FINE,
 * or another with errors in diags. *server is NULL only when out of memory. */
int server_prepare(struct server **server, const struct server_means *means,
                   struct diags *diags);
/* What the next process takes over; the server's. False: none was made yet. */
bool server_memory(const struct server *server, struct server_memory *memory);
/* A process is no more: what it held is free. */
void server_forget(struct server *server, unsigned slot);
/* The process before it has retired: clients come in by the sockets. The same.
 */
int server_serve(struct server *server, struct ports *ports,
                 struct diags *diags);
/* `is_followed`: by another process, who also takes HTTP over. No more clients,
 * and the budgets' journal is another's from now on: for the
 * moment in which another process takes over. Then server_drain(): sessions
 * may stay so long, 0: as long as timeouts.drain says. */
void server_retire(struct server *server, bool is_followed);
void server_drain(struct server *server, uint64_t within_ms);
/* After all it serves on, by new sockets: nobody came. */
int server_resume(struct server *server, struct ports *ports,
                  struct diags *diags);
/* Transactions finish, within timeouts.shutdown; the second call ends them. */
void server_stop(struct server *server);
/* Whether all threads have come to their end. */
bool server_has_ended(const struct server *server);
/* Opens the logs anew; and whether they say more. */
void server_reopen_logs(struct server *server);
void server_set_debug(struct server *server, bool is_debug);
/* An error in the log. */
void server_say(struct server *server, const char *words);
/* Takes up a reload: a bundle of files (config/files.h), whose server's part
 * is as it was. 0, or -1 with errors in diags, then nothing has changed. On one
 * thread at a time, which may be any. */
int server_renew(struct server *server, int bundle, struct diags *diags);
/* How many worker processes there were, and how many crashed. */
void server_tally(struct server *server, uint64_t starts, uint64_t crashes);
/* A line for the decision log: of a reload. */
void server_note(struct server *server, struct str line);
/* Whether all threads have turned since it was last asked; asks again. */
bool server_is_alive(struct server *server);
/* Once in a while: what the log should be told by the date. */
void server_tell_of_dates(struct server *server);
/* NULL is fine. Ends what has not ended. */
void server_free(struct server *server);

#endif
