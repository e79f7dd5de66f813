/* One configuration, frozen: an immutable snapshot shared by all threads.
 * The one reference count of the program; all memory is the snapshot's own
 * arena and goes with the last reference. Marks say where a value stood, for
 * messages about files that are opened later. */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "config/diag.h"
#include "config/oauth_settings.h"
#include "config/redaction.h"
#include "rules/cidr.h"
#include "rules/fact.h"
#include "rules/ruleset.h"

enum listener_tls { LISTENER_STARTTLS, LISTENER_IMPLICIT, LISTENER_CLEAR };
enum listener_auth { AUTH_REQUIRED, AUTH_OPTIONAL, AUTH_NONE };

/* host:port of a listener or a server. `host` has no brackets. */
struct endpoint {
    struct str text; /* as written */
    struct str host;
    uint16_t port;
    struct mark mark;
};

struct files;
struct upstream_settings;

struct client_ca_settings {
    const char *path; /* NULL: clients are not asked */
    struct mark mark;
};

/* Which name of a client's certificate logs it in. */
enum client_login {
    CLIENT_LOGIN_RFC822, /* its first mail address */
    CLIENT_LOGIN_DNS,
    CLIENT_LOGIN_CN,
    CLIENT_LOGIN_FINGERPRINT
};

struct listener_settings {
    struct str name;
    const struct endpoint *addresses;
    size_t address_count;
    enum listener_tls tls;
    enum listener_auth auth;
    const struct cidr *trusted;
    size_t trusted_count;
    const struct cidr *balancers; /* whose PROXY headers are believed */
    size_t balancer_count;
    const struct upstream_settings *upstream; /* never NULL */
    struct str banner; /* text behind the host name; n 0: the default */
    bool repairs_line_endings;
    struct client_ca_settings client_ca;
    enum client_login client_login;
    unsigned mechanisms; /* its own, offered come what may; 0: those of auth */
    struct mark mark;
};

struct certificate_settings {
    const char *chain;
    const char *key;
    struct mark chain_mark, key_mark;
};

struct tls_settings {
    const struct certificate_settings *certificates;
    size_t certificate_count;
    bool is_minimum_13; /* else TLS 1.2 */
    bool has_tickets;
    bool is_key_isolated; /* what reads the network has no private key */
};

/* What a client may log in with. */
enum sasl_mechanism {
    SASL_PLAIN,
    SASL_LOGIN,
    SASL_SCRAM_SHA_256,
    SASL_SCRAM_SHA_256_PLUS,
    SASL_OAUTHBEARER,
    SASL_XOAUTH2,
    SASL_EXTERNAL,
    SASL_CRAM_MD5,
    SASL_MECHANISMS
};

enum backend_kind {
    BACKEND_NONE,
    BACKEND_USERS,
    BACKEND_DOVECOT,
    BACKEND_UPSTREAM,
    BACKEND_JWT,
    BACKEND_INTROSPECT
};

/* What its kind says. */
struct backend_settings {
    enum backend_kind kind;
    const char *users;   /* path of a users file */
    const char *dovecot; /* path of its authentication service's socket */
    const struct upstream_settings *upstream; /* asked by logging in there */
    const struct jwt_settings *jwt;
    const struct introspect_settings *introspect;
    struct mark mark;
};

struct auth_settings {
    unsigned mechanisms; /* bits of enum sasl_mechanism */
    const struct backend_settings *backends;
    size_t backend_count;
    uint64_t attempts; /* failed ones a connection */
    uint64_t cache;    /* how long a good answer is kept; 0: not */
    uint64_t delay;    /* the longest that a failure waits for its answer */
};

/* Servers of one upstream. */
#define UPSTREAM_SERVERS_MAX 64

/* A SHA-256 in hexadecimal digits. */
#define FINGERPRINT_DIGITS 64

enum upstream_tls { UPSTREAM_CLEAR, UPSTREAM_STARTTLS, UPSTREAM_IMPLICIT };

enum login_mechanism {
    MECHANISM_PLAIN,
    MECHANISM_LOGIN,
    MECHANISM_SCRAM_SHA_256,
    MECHANISM_XOAUTH2,
    MECHANISM_OAUTHBEARER,
    MECHANISM_COUNT
};

enum login_kind {
    LOGIN_NONE,     /* no AUTH towards the servers */
    LOGIN_PASSWORD, /* one user for all mail, with a password */
    LOGIN_TOKEN,    /* one user for all mail, with a token */
    LOGIN_BY_FACT,  /* a user for each value of a fact, out of a file */
    LOGIN_OF_CLIENT /* what the client logged in to Postern with */
};

/* AUTH towards the servers of an upstream. */
struct login_settings {
    enum login_kind kind;
    unsigned mechanisms; /* bits of enum login_mechanism that may be used */
    struct str user;
    const char *password_file;
    struct mark password_mark;
    const char *token_file;
    struct mark token_file_mark;
    const char *const *token_command; /* words of it, up to NULL */
    const char *credentials_file;
    struct mark credentials_mark;
    struct fact_ref by; /* whose value is looked up in it */
    bool is_of_client;
    struct mark mark;
};

enum upstream_balance {
    BALANCE_ORDER,      /* the first server that is up */
    BALANCE_ROUND_ROBIN /* each in its turn */
};

/* How the upstream learns who the client is. */
enum upstream_identity { IDENTITY_NONE, IDENTITY_XCLIENT, IDENTITY_PROXY_V2 };

struct upstream_settings {
    struct str name;
    size_t index;        /* 0 ... upstream_count - 1 */
    const char *maildir; /* the embedded upstream; NULL: servers */
    struct mark maildir_mark;
    const struct endpoint *servers;
    size_t server_count;
    enum upstream_tls tls;
    bool is_verified;     /* by chain and name, or by fingerprint */
    const char *tls_name; /* NULL: the server's host */
    const char *ca;       /* file; NULL: the system's */
    struct mark ca_mark;
    /* Digits in lower case: instead of chain and name, the certificate must be
     * one of these. */
    const struct str *fingerprints;
    size_t fingerprint_count;
    struct certificate_settings certificate; /* to show; chain NULL: none */
    enum upstream_balance balance;
    uint64_t pool_max;   /* connections a server and worker */
    uint64_t pool_spare; /* of these, made ahead */
    uint64_t pool_idle_ms;
    uint64_t pool_transactions; /* a connection */
    uint64_t pool_queue;        /* who may wait for a connection, a worker */
    uint64_t pool_wait_ms;      /* and how long */
    const struct str *disabled; /* keywords of EHLO to pass over */
    size_t disabled_count;
    uint64_t pace_ms;   /* how long its own limits hold mail back */
    bool is_advertised; /* counts for EHLO */
    bool is_routed;     /* a rule's `route` names it */
    enum upstream_identity identity;
    struct login_settings login;
    struct mark mark;
};

struct log_settings {
    const char *decisions; /* path; NULL: none, or standard output */
    struct mark decisions_mark;
    bool is_on_stdout; /* the decisions are */
    bool is_text;      /* there they are lines for people */
    bool is_strict;    /* no mail without its line */
    struct redaction redaction;
    const char *server; /* path; NULL: stderr */
    bool is_debug;
};

/* Design section 6. Counts, octets and milliseconds. */
struct caps_settings {
    uint64_t command_line, auth_line;
    uint64_t header_bytes, header_fields, hops;
    uint64_t body_line;
    uint64_t recipients;
    uint64_t message;
    uint64_t drain;
    uint64_t data_rate;
    uint64_t bad_commands_before_auth, bad_commands_after_auth;
    uint64_t commands_without_mail;
    uint64_t connections, connections_per_net;
    uint64_t crowded; /* percent of connections */
    uint64_t reply_line, reply_lines, reply_bytes;
    uint64_t pattern_steps;
};

struct timeouts_settings {
    uint64_t proxy_header, tls_handshake, first_command, until_auth,
        until_auth_crowded, command, data;
    uint64_t upstream_connect, upstream_banner, upstream_mail, upstream_data,
        upstream_end_of_data, upstream_other;
    uint64_t shutdown; /* how long a stop waits for transactions */
    uint64_t drain;    /* and a process that was replaced, for sessions */
};

struct received_settings {
    bool hides_client, hides_user;
};

/* Whom `ask` asks: a policy delegation server. */
struct policy_server_settings {
    struct str name;
    struct endpoint address; /* of TCP; host.n 0: a unix socket */
    const char *socket;      /* its path; NULL: TCP */
    uint64_t timeout_ms;
    bool continues; /* on_failure: continue, else defer */
    struct mark mark;
};

/* Where budgets and dynamic lists are. */
enum store_kind {
    STORE_MEMORY, /* the server's own */
    STORE_REDIS   /* one that several servers share */
};

/* What follows when the store can't be asked. */
enum on_store_failure {
    ON_STORE_FAILURE_LOCAL, /* the server's own memory is asked instead */
    ON_STORE_FAILURE_DEFER, /* 451 */
    ON_STORE_FAILURE_ALLOW  /* as if it fitted */
};

/* Octets of the store's password. */
#define STORE_PASSWORD_MAX 1024

struct limits_settings {
    const char *state;      /* where budgets are kept; NULL: in memory only */
    struct mark state_mark; /* line 0: the default */
    enum store_kind store;
    struct str store_text; /* as written, for messages */
    struct mark store_mark;
    struct endpoint store_address; /* of TCP; host.n 0: a unix socket */
    const char *store_socket;      /* its path; NULL: TCP */
    uint64_t store_database;
    struct str store_user; /* n 0: the default one */
    const char *store_password_file;
    struct mark store_password_mark;
    struct str store_password; /* of it; n 0: none, or see limits_check() */
    uint64_t store_timeout_ms; /* for an answer */
    enum on_store_failure on_store_failure;
};

/* Whether the store's password can be read, for whoever is to serve: 0, or -1
 * with a diagnostic. */
int limits_check(const struct limits_settings *limits, struct files *files,
                 struct diags *diags);

/* Metrics, health and the dashboard. */
struct http_settings {
    struct endpoint address; /* text.n 0: there is none */
    bool dashboard;
    const struct str *names; /* of this server, as browsers call it */
    size_t name_count;
};

/* What a changed policy must pass before it goes live. */
struct reload_settings {
    const char *replay; /* a decision log; NULL: no gate */
    struct mark replay_mark;
    uint64_t refuse_above_ppm; /* of its transactions, newly refused */
};

/* A top-level section of the server's part and what it holds. Texts only:
 * how they are quoted, in which order keys stand (but for the names of
 * listeners and upstreams, which number them) and in which file they stand
 * makes no difference; a value from the environment counts as that value. */
struct section_digest {
    const char *name;
    char hex[65];
};

/* What becomes of a recipient that routes elsewhere than the first of its
 * transaction: it waits for one of its own, or goes the first's way. */
enum split { SPLIT_DEFER, SPLIT_FIRST };

struct policy_test; /* config/test_plan.h */

struct settings {
    struct arena arena;
    const char *path;
    char policy_digest[72]; /* "sha256:..." of the files' octets */
    struct str hostname;
    const struct listener_settings *listeners;
    size_t listener_count;
    struct tls_settings tls;
    struct auth_settings auth;
    const struct upstream_settings *upstreams;
    size_t upstream_count;
    const struct upstream_settings *upstream; /* the default; may be NULL */
    enum split split;
    struct log_settings log;
    struct caps_settings caps;
    struct timeouts_settings timeouts;
    struct received_settings received;
    uint64_t workers;      /* 0: one a core */
    const char *user;      /* as which clients are served; NUL-terminated */
    struct mark user_mark; /* line 0: the default */
    bool confine;          /* system calls and files */
    bool core_dumps;
    const struct policy_server_settings *policy_servers;
    size_t policy_server_count;
    struct limits_settings limits;
    struct http_settings http;
    struct reload_settings reload;
    const char *control;      /* the control socket's path; NULL: none */
    struct mark control_mark; /* line 0: the default */
    /* Of all that is not policy, lists, tests, shadow or reload: what a
     * reload of the policy alone can't take up. */
    char server_digest[72];
    /* A digest each of what server_digest is over; by name. */
    const struct section_digest *sections;
    size_t section_count;
    struct ruleset *rules;
    const char *shadow_path; /* NULL: no candidate beside the live policy */
    struct mark shadow_mark;
    struct ruleset *shadow; /* its rules; NULL: none */
    char shadow_digest[72]; /* "sha256:..." of its files' octets, or "" */
    const struct policy_test *tests;
    size_t test_count;
    /* A timezone's name for time.hour and time.weekday; NULL: the system's. */
    const char *timezone;
    /* Far from what all workers read for each message. */
    char before_references[64];
    int references; /* atomic; settings_ref, settings_unref */
    char behind_references[64];
};

/* The upstream of mail that comes in by `listener` (n 0: not known) and that
 * rules routed to `route` (n 0: nowhere); n 0: there is no default. */
struct str settings_route(const struct settings *settings, struct str listener,
                          struct str route);

const struct settings *settings_ref(const struct settings *settings);
/* NULL is fine. */
void settings_unref(const struct settings *settings);
/* Whether there are but so many references. Says it for good only of a
 * snapshot that nobody can take up any more. */
bool settings_has_references(const struct settings *settings, int count);
/* Frees the rules, where most of the memory is; what is left is the server's
 * part. Nobody may use the rules any more. */
void settings_drop_rules(const struct settings *settings);

/* The name of the next section that only one of them has, or both have with
 * different values; NULL: no more. Begin with a cursor of zeros. */
struct section_cursor {
    size_t left, right;
};
const char *settings_next_change(const struct settings *before,
                                 const struct settings *after,
                                 struct section_cursor *cursor);

#endif
