/* The sections of postern.yaml, a reader a file. The tables say what a
 * section's keys are; the functions read what is no plain table. */
#ifndef CONFIG_SECTIONS_H
#define CONFIG_SECTIONS_H

#include "config/schema.h"
#include "config/settings.h"

/* The whole file: fills struct settings. */
extern const struct schema root_schema;

extern const struct schema listener_schema;
extern const struct schema tls_schema;
extern const struct schema auth_schema;
extern const struct schema upstream_schema;
extern const struct schema log_schema;
extern const struct schema caps_schema;
extern const struct schema timeouts_schema;
extern const struct schema received_schema;

/* Readers of keys whose type is KEY_OWN; `into` is struct settings. */
void read_listeners(struct reader *reader, const struct node *node, void *into);
void read_upstreams(struct reader *reader, const struct node *node, void *into);

/* A list of host:port, or one. NULL after a diagnostic. */
struct endpoint *read_endpoints(struct reader *reader, const struct node *node,
                                const char *name, size_t *count);
/* The name of a listener or an upstream. */
bool read_name(struct reader *reader, const struct node *key, struct str *out);
/* NULL after a diagnostic at `node`: there is no upstream of its text. */
const struct upstream_settings *read_upstream_name(struct reader *reader,
                                                   const struct node *node);

/* `lists` and `policy` of all files, in order, into settings->rules. */
void read_policy(struct reader *reader, struct node *const *roots,
                 size_t count);
/* `tests` of all files; comes after read_policy(). */
void read_tests(struct reader *reader, struct node *const *roots, size_t count);

/* What no section can see alone: certificates for TLS, back-ends for AUTH. */
void read_check(struct reader *reader, const struct node *root);

#endif
