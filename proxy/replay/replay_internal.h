/* The inside of a replay, for the files of this folder: sessions and mails
 * that are under way at the recorded time, and what drives them. */
#ifndef PROXY_REPLAY_REPLAY_INTERNAL_H
#define PROXY_REPLAY_REPLAY_INTERNAL_H

#include "proxy/replay/needs.h"
#include "proxy/replay/recorded.h"
#include "proxy/replay/result.h"
#include "rules/dry_run.h"

struct engine;

/* Something with a next moment. The first member of what it drives. */
struct actor {
    uint64_t next_us; /* RECORDED_NEVER: it is over */
    uint64_t order;   /* of their beginnings, where times are the same */
    bool is_session;
};

/* A refusal: by a rule, or (rule n 0) by the server for another reason. */
struct refusal {
    bool is_set;
    enum stage stage;
    struct str rule;
    const struct rule *of; /* the candidate's; NULL: it is none's, or then's */
    struct reply reply;
};

struct replayed_mail;

struct replayed_session {
    struct actor actor;
    struct replayed_session *chain; /* of the table */
    uint64_t key;
    bool has_line; /* `line` is the session's own */
    struct recorded line;
    struct recorded attempt; /* the last login tried; root NULL: none */
    size_t next_helo;
    struct arena arena;
    struct facts facts;
    struct effects effects;
    struct str connect_route;
    struct refusal refusal;     /* all its mails are refused with it */
    struct refusal at_helo;     /* until a greeting is welcome */
    bool is_closed;             /* by the candidate: nothing more happens */
    struct replayed_mail *mail; /* under way; NULL: none */
};

enum mail_moment {
    MOMENT_MAIL,
    MOMENT_RCPT,
    MOMENT_ANSWERED,
    MOMENT_DATA,
    MOMENT_HEADER,
    MOMENT_MESSAGE,
    MOMENT_ANSWER,
    MOMENT_END
};

struct step {
    uint64_t at_us;
    enum mail_moment moment;
    size_t index; /* of the recipient */
};

struct replayed_recipient {
    struct refusal refusal; /* by the candidate */
    bool is_asked;          /* the candidate lets it go on */
    bool is_accepted;       /* and the upstream took it, or would have */
    struct str mailbox;
};

struct replayed_mail {
    struct actor actor;
    struct replayed_session *session;
    struct recorded line;
    struct arena arena;
    struct effects effects;
    struct header_fields fields;
    struct step *steps;
    size_t step_count, next_step;
    struct replayed_recipient *recipients;
    struct str route, upstream, mail_sent;
    struct refusal refusal; /* by the candidate, of the whole */
    bool is_over;           /* refused, and settled */
    bool is_last;           /* of a session that has no line */
    bool is_assumed, is_not_judged;
    bool was_asked[STAGE_COUNT];
    struct replay_finding noted[8]; /* so that each counts once */
    size_t noted_count;
    bool changes[CHANGE_COUNT];
};

struct engine {
    struct replay *replay;
    const struct settings *settings;
    struct needs needs;
    struct dry_run dry;
    const struct recorded *asking; /* whose questions are answered now */
    enum stage stage;
    uint64_t now_us;
    struct actor **heap;
    size_t heap_count, heap_capacity;
    struct replayed_session **sessions; /* a table of chains */
    uint64_t orders;
    uint64_t *seen; /* budgets that were asked about */
    size_t seen_count, seen_capacity;
    const char *failure; /* NULL: none yet */
};

/* --- asking (replay_ask.c) --- */

/* Runs the rules of a stage at that time. The verdict of a rule that lacks a
 * fact is none; `mail` NULL: outside mails. */
void engine_ask(struct engine *engine, enum stage stage,
                struct recorded *recorded, struct facts *facts,
                struct effects *effects, uint64_t now_us,
                struct replayed_mail *mail, struct verdict *verdict);
bool engine_on_question(void *owner, const struct question *question,
                        struct answer *answer);
bool engine_lacks(const struct engine *engine, const struct recorded *recorded,
                  const struct rule *rule);
void refusal_of_verdict(struct refusal *refusal, enum stage stage,
                        const struct verdict *verdict);

/* --- sessions (replayed_session.c) --- */

/* NULL: out of memory. Takes the line. */
struct replayed_session *replayed_session_open(struct engine *engine,
                                               uint64_t key,
                                               struct recorded *line);
/* Of a mail whose session is not in the log: as far as the mail tells. */
struct replayed_session *replayed_session_make_up(struct engine *engine,
                                                  uint64_t key,
                                                  struct recorded *mail);
void replayed_session_step(struct engine *engine,
                           struct replayed_session *session);
/* Takes the line. */
void replayed_session_attempt(struct engine *engine,
                              struct replayed_session *session,
                              struct recorded *line);
void replayed_session_end(struct engine *engine,
                          struct replayed_session *session, uint64_t now_us);
struct replayed_session *engine_find(struct engine *engine, uint64_t key);

/* --- mails (replayed_mail.c) --- */

/* NULL: out of memory. Takes the line. */
struct replayed_mail *replayed_mail_open(struct engine *engine,
                                         struct replayed_session *session,
                                         struct recorded *line);
void replayed_mail_step(struct engine *engine, struct replayed_mail *mail);
/* All that is left of it, at once. */
void replayed_mail_finish(struct engine *engine, struct replayed_mail *mail);

/* --- the envelope of a mail (replayed_envelope.c) --- */

void mail_ask(struct engine *engine, struct replayed_mail *mail,
              enum stage stage, uint64_t now_us, struct verdict *verdict);
/* The whole is refused: nothing of it goes on. */
void mail_refuse(struct engine *engine, struct replayed_mail *mail,
                 const struct refusal *refusal, uint64_t now_us);
/* False: the verdict refused it. */
bool mail_passes(struct engine *engine, struct replayed_mail *mail,
                 enum stage stage, const struct verdict *verdict,
                 uint64_t now_us);
void envelope_mail(struct engine *engine, struct replayed_mail *mail,
                   uint64_t now_us);
void envelope_rcpt(struct engine *engine, struct replayed_mail *mail,
                   const struct step *step);
void envelope_answered(struct engine *engine, struct replayed_mail *mail,
                       const struct step *step);
/* The rules of `reply`; `recipient` NULL: of the message. */
void replayed_reply(struct engine *engine, struct replayed_mail *mail,
                    const struct recorded_recipient *recipient,
                    struct str mailbox, uint64_t now_us);

/* --- the heap (replay.c) --- */

void engine_push(struct engine *engine, struct actor *actor);
void engine_remove(struct engine *engine, struct actor *actor);

/* --- comparing (compare.c) --- */

/* What a rule decided then, of a connection, a greeting or a login. */
void compare_session(struct engine *engine,
                     const struct replayed_session *session,
                     const struct recorded *line, enum stage stage,
                     const struct recorded_decision *then,
                     const struct refusal *now, uint64_t now_us);
void compare_mail(struct engine *engine, struct replayed_mail *mail);

#endif
