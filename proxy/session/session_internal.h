/* The inside of a session, for the files of this folder only. */
#ifndef PROXY_SESSION_SESSION_INTERNAL_H
#define PROXY_SESSION_SESSION_INTERNAL_H

#include "proxy/net/stream.h"
#include "proxy/net/timer.h"
#include "proxy/sasl/sasl.h"
#include "proxy/session/session.h"
#include "proxy/session/session_cap.h"
#include "proxy/session/session_id.h"
#include "proxy/session/session_state.h"
#include "proxy/smtp/capability.h"
#include "proxy/smtp/line_reader.h"
#include "proxy/smtp/reply.h"
#include "rules/cidr.h"

struct transaction;
struct policy_wait;
struct shadow;

/* Why a session ended, as the log says it. */
enum session_end {
    SESSION_END_QUIT,
    SESSION_END_CLIENT,   /* the client went away */
    SESSION_END_TLS,      /* the handshake or a record failed */
    SESSION_END_TIMEOUT,  /* a deadline passed */
    SESSION_END_CAP,      /* too many of something */
    SESSION_END_POLICY,   /* a rule closed it */
    SESSION_END_PROTOCOL, /* not SMTP, or octets where none may be */
    SESSION_END_STOP,     /* the server stops */
    SESSION_END_FAULT     /* memory */
};

/* A greeting, for the log. */
struct greeting {
    struct str name;
    const char *verb;
    uint64_t asked_us;
    bool is_secure;
    struct verdict verdict; /* of the rules */
};

#define GREETINGS_MAX 16 /* that the log tells of */
#define TRIED_MAX 32     /* that it can hide */

struct session {
    struct session_host *host;
    struct session *previous, *next;          /* of host->sessions */
    const struct listener_settings *listener; /* of host->settings */
    /* The snapshot that `effects` point into; a reference. */
    const struct settings *settings;
    struct stream *stream;
    struct timer *deadline;
    enum session_state state;
    /* The rules wait for a policy server, or hold an answer; NULL: they do
     * not. Nothing of the client is read meanwhile, whatever the state. */
    struct policy_wait *awaited;
    bool is_running;         /* session_run() is on the stack */
    bool has_ended;          /* the client's side is at its end */
    bool is_trusted;         /* within the listener's `trusted` */
    struct verdict *refusal; /* of the connect stage; NULL: welcome */
    struct loop_later reaper;
    size_t lingering; /* transactions whose replies are still judged */

    struct arena arena;  /* what lives as long as the session */
    struct ip client_ip; /* the client's, or until its header the balancer's */
    uint16_t client_port;
    struct ip server_ip;   /* what the client connected to */
    uint16_t server_port;  /* 0: unknown */
    struct str via;        /* the balancer's address; n 0: none */
    bool is_behind_header; /* a balancer's: what follows may be TLS already */
    bool is_uncounted;     /* its net has no place of it (yet) */
    char id[SESSION_ID_ROOM];
    uint64_t started_us, started_wall_us;
    uint64_t auth_by_ms; /* loop time by which a login is due; 0: none is */
    bool is_hurried;     /* sooner than usual: the server is crowded */

    struct line_reader reader;
    /* What waits for replies before it: a line, or the fault of one;
     * LINE_MORE: nothing does. */
    enum line_next held;
    struct str held_line;        /* to be wiped: session_drop_held() */
    bool has_lost_chunk;         /* a faulty line announced one */
    uint64_t swallow_left;       /* octets of a chunk that was refused */
    bool is_behind_refused;      /* a chunk was refused, no MAIL came since */
    struct capabilities offered; /* what EHLO promised, once and for all */
    bool has_offered;
    bool offered_secure; /* it was promised inside TLS */

    struct facts facts;
    struct effects effects;   /* of connect, helo and auth */
    struct str connect_route; /* what `connect` said, before any EHLO */

    struct sasl sasl;
    struct sasl_channel channel; /* of sasl */
    uint8_t binding[TLS_BINDING_OCTETS];
    struct str certificate; /* the name that the client's proves; n 0: none */
    struct login_query *login; /* the back-ends are asked; NULL: they are not */
    struct client_identity login_client; /* as they see the client */
    struct kept_credentials onward;      /* the client's own, for an upstream */
    struct str user;                     /* proven; n 0: nobody */
    uint64_t auth_failures;

    uint64_t asked_us;            /* when the rules were asked last */
    enum budget_answered budgets; /* what the store had no part in */
    const char *attempt; /* a login's result that is not in the log yet */
    /* A refused claim whose mechanism says so in a challenge: the client has
     * that, and its reply once it has answered. */
    bool is_excused;
    struct verdict excused;
    struct greeting *greetings; /* in the arena */
    size_t greeting_count, greeting_room;
    bool has_more_greetings;
    struct str *tried; /* names of logins, where log.redact hides them */
    size_t tried_count, tried_room;
    bool has_more_tried;
    uint64_t commands, bad_commands, commands_without_mail;
    uint64_t transaction_count;
    enum session_end end;
    uint64_t caps; /* that were crossed, as session_cap_bit()s */
    struct transaction *transaction; /* NULL between transactions */
    struct shadow *shadow;           /* NULL: no candidate was asked */
};

/* What its listener shows and asks for in TLS. */
struct tls_context *session_tls(const struct session *s);

/* Runs as far as the input and the state allow. */
void session_run(struct session *s);
/* What is held is not wanted any more. */
void session_drop_held(struct session *s);

/* Ends: queued replies leave, nothing more is read. */
void session_close(struct session *s, enum session_end end);
/* The same at once, by RST. */
void session_abort(struct session *s, enum session_end end);

/* The client is gone and nothing more is awaited: ends the transaction, and
 * the session at the end of the turn. */
void session_finish(struct session *s);

/* Frees it at the end of the turn, once it has finished and nothing lingers. */
void session_reap(struct session *s);

/* The snapshot that holds now: the transaction's, else the session's. */
const struct settings *session_settings(const struct session *s);
/* Outside a transaction: takes up the newest snapshot, if nothing of the
 * session points into the one it has. */
void session_renew_settings(struct session *s);

#endif
