/* Programs that the supervisor runs for a worker process, which may run none:
 * so many at a time, the others in the order in which they were asked for. Each
 * writes its output to a descriptor that who asked has given, and its end is
 * told over another, as net/program_end.h says. One that takes too long is
 * killed, and so is one that nobody waits for any more. The supervisor reads
 * nothing of what they print. */
#ifndef PROXY_SUPERVISOR_PROGRAMS_H
#define PROXY_SUPERVISOR_PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "config/settings.h"
#include "proxy/confine/privileges.h"
#include "proxy/net/program_end.h"

#define PROGRAMS_RUNNING_MAX 16
#define PROGRAMS_MAX 256 /* with those that wait */
/* Who waits has given up long before. */
#define PROGRAM_RUN_MS 60000

struct program_run;

/* All zeros: none. */
struct programs {
    struct program_run *first; /* in the order in which they were asked for */
    size_t count, running;
};

struct program_order {
    const struct settings *settings; /* to which `words` belong */
    const char *const *words;        /* a whole path, arguments, NULL */
    struct privileges rights;        /* that it is to have, and no others */
    int output, end;                 /* descriptors; taken over */
};

/* Runs it, now or when there is room; takes a reference of the settings. What
 * fails is told over `end`. */
void programs_take(struct programs *programs, const struct program_order *order,
                   uint64_t now_ms);
/* Tells over a descriptor, which is taken over, that nothing will run. */
void programs_refuse(int end, enum program_fate fate, int number);
/* A child has ended, `status` as of waitpid(). False: it was none of these. */
bool programs_reap(struct programs *programs, pid_t pid, int status,
                   uint64_t now_ms);
/* Once in a while: ends what has to end. */
void programs_watch(struct programs *programs, uint64_t now_ms);
/* Kills them all. */
void programs_release(struct programs *programs);

/* Over the exec of an upgrade: those that run go on, and whoever waits for
 * others is told that they will not. */
json_t *programs_to_json(const struct programs *programs);
void programs_keep(const struct programs *programs, bool is_kept);
void programs_inherit(struct programs *programs, const json_t *list,
                      uint64_t now_ms);

#endif
