/* The candidate: a whole second policy (settings->shadow) that runs beside
 * the live one, with facts, effects, budgets and dynamic lists of its own, and
 * acts on nothing. Where it would have decided otherwise, the transaction and
 * its recipients say so, for the log. Without a candidate every function here
 * returns at once.
 *
 * Once it has refused what the live policy accepted it is asked no more: of
 * that recipient, that transaction, or, before any MAIL, that session. */
#ifndef PROXY_SESSION_SHADOW_H
#define PROXY_SESSION_SHADOW_H

#include "proxy/session/session_internal.h"
#include "rules/evaluate.h"

struct recipient;
struct shadow;

/* How the candidate differs, at the first point where it does. */
struct shadow_result {
    enum verdict_kind kind; /* the candidate's; VERDICT_PASS: it accepts */
    enum stage stage;
    struct str rule;    /* n 0: no rule of its decided */
    struct reply reply; /* code 0: it accepts */
    /* "verdict", "rule", "route", "rewrite", "header", "recipients". */
    const char *differs;
};

/* Before the live rules of a stage see the facts. */
void shadow_ask(struct session *s, enum stage stage);
/* The same at reply, where nothing is decided: the upstream's answer to the
 * recipient, or (NULL) to the message. */
void shadow_ask_reply(struct session *s, const struct recipient *recipient);
/* The live verdict of that stage. */
void shadow_compare(struct session *s, enum stage stage,
                    const struct verdict *live);
/* So many octets streamed, and the live policy lets them pass. */
void shadow_check_size(struct session *s, uint64_t octets);

/* What the live transaction gives back or keeps, the candidate does too. */
void shadow_settle_recipient(struct session *s, size_t index);
void shadow_end_transaction(struct session *s);
void shadow_free(struct session *s);

#endif
