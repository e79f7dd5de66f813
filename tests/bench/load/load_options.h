/* What smtpload was asked for. */
#ifndef BENCH_LOAD_LOAD_OPTIONS_H
#define BENCH_LOAD_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum load_mode { MODE_PLAIN, MODE_STARTTLS, MODE_TLS };
enum load_auth { AUTH_NONE, AUTH_PLAIN, AUTH_LOGIN };
enum load_tls_max { TLS_MAX_1_2, TLS_MAX_1_3 };

/* No limit on the messages of a connection. */
#define PER_CONNECTION_ANY UINT64_MAX

struct load_options {
    const char *host;
    uint64_t port;
    unsigned mode;  /* an enum load_mode */
    unsigned auth;  /* an enum load_auth */
    uint64_t users; /* 0: `user` as it is */
    const char *user, *password;
    uint64_t connections, sources;
    uint64_t per_connection, total; /* total 0: no limit */
    double duration_s;              /* 0: no limit */
    uint64_t size, recipients;
    const char *from, *recipient_domain, *ehlo;
    bool pipelines, chains, uses_bdat, resumes;
    unsigned tls_max; /* an enum load_tls_max */
    const char *ciphers, *groups, *server_name;
    bool has_barrier;
    uint64_t idle; /* sessions to be held; 0: none */
    uint64_t idle_messages;
    double hold_s;
    const char *ready_file;
    double max_time_s, stall_s;
    bool allows_errors, is_quiet, acknowledges_at_once;
};

/* Ends the program where they do not make sense. */
void load_options_read(struct load_options *options, int argc, char **argv);

#endif
