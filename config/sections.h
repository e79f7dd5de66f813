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
extern const char *const mechanism_words[]; /* by enum sasl_mechanism */
extern const struct schema upstream_schema;
extern const struct schema jwt_schema;
extern const struct schema introspect_schema;
extern const struct schema login_schema;
extern const struct schema pool_schema; /* of an upstream */
extern const struct schema upstream_tls_schema;
extern const struct schema log_schema;
extern const struct schema caps_schema;
extern const struct schema timeouts_schema;
extern const struct schema received_schema;
extern const struct schema policy_server_schema;
extern const struct schema limits_schema;
extern const struct schema reload_schema;
extern const struct schema http_schema;
/* Of the policy and its tests. */
extern const struct schema list_schema;
extern const struct schema list_change_schema;
extern const struct schema recipient_schema;
extern const struct schema test_schema;
extern const struct schema expect_schema;

/* Readers of keys whose type is KEY_OWN; `into` is struct settings. */
void read_listeners(struct reader *reader, const struct node *node, void *into);
void read_upstreams(struct reader *reader, const struct node *node, void *into);
/* limits.store and its kin. */
void read_store(struct reader *reader, const struct node *node, void *into);
void read_store_user(struct reader *reader, const struct node *node,
                     void *into);
void read_store_password_file(struct reader *reader, const struct node *node,
                              void *into);
/* Keys of log; `into` is struct log_settings. */
void read_redact(struct reader *reader, const struct node *node, void *into);
void read_redact_key_file(struct reader *reader, const struct node *node,
                          void *into);
void read_policy_servers(struct reader *reader, const struct node *node,
                         void *into);

/* Keys of a back-end; `into` is struct backend_settings. */
void read_jwt(struct reader *reader, const struct node *node, void *into);
void read_introspect(struct reader *reader, const struct node *node,
                     void *into);

/* What the keys of an upstream's `login` can't see alone; comes after all of
 * its other keys. */
void check_login(struct reader *reader, const struct node *upstream_node,
                 struct upstream_settings *upstream);

/* A list of host:port, or one. NULL after a diagnostic. */
struct endpoint *read_endpoints(struct reader *reader, const struct node *node,
                                const char *name, size_t *count);
/* The name of a listener, an upstream or a policy server. */
bool read_name(struct reader *reader, const struct node *key, struct str *out);
/* NULL after a diagnostic at `node`: there is no upstream of its text. */
const struct upstream_settings *read_upstream_name(struct reader *reader,
                                                   const struct node *node);

/* What the keys of an upstream's `tls` say together. */
void check_upstream_tls(struct reader *reader, const struct node *upstream,
                        const struct upstream_settings *settings);

/* The same of a policy server's name. */
const struct policy_server_settings *
read_policy_server_name(struct reader *reader, const struct node *node);

/* `lists` and `policy` of all files, in order. NULL after a diagnostic. */
struct ruleset *read_policy(struct reader *reader, struct node *const *roots,
                            size_t count);
/* The candidate that `shadow` names, into settings->shadow; comes after
 * read_policy(). */
void read_shadow(struct reader *reader);
/* `tests` of all files; comes after read_policy(). */
void read_tests(struct reader *reader, struct node *const *roots, size_t count);

/* What no section can see alone: certificates for TLS, back-ends for AUTH. */
void read_check(struct reader *reader, const struct node *root);

/* Warns of a dashboard that others than this machine can reach. */
void read_check_http(struct reader *reader);

/* Warns of upstreams that nothing sends to and of policy servers that no rule
 * asks; comes last. */
void read_unused(struct reader *reader);

/* "sha256:..." of the files that were read, from number `first` on. */
void read_files_digest(struct reader *reader, size_t first, char out[72]);
/* server_digest and the sections' own, of the merged top level. */
void read_server_digest(struct reader *reader, const struct node *root);

/* Bits of enum sasl_mechanism. */
unsigned read_mechanisms(struct reader *reader, const struct node *node);
/* Errors for mechanisms that no back-end and no listener can serve. */
void read_check_mechanisms(struct reader *reader, const struct node *root);

#endif
