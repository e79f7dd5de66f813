/* The budgets and lists that several servers share, in a Redis: what asks
 * there and tells there, on one loop. Questions are answered later, from the
 * loop; many of them are under way on one connection, and leave together at
 * the end of a turn. Bounded in number and time; what can't be asked is told
 * so at once, and the caller decides what follows.
 *
 * What is held is named by a token, and given up there when nobody has told
 * of it for REMOTE_HOLD_MS: the ledger tells of all that it still has often
 * enough, so that only the holds of a server that died lapse. What is settled
 * while the Redis is away is told when it is back, in a bounded queue, as
 * often as it takes: it counts once. */
#ifndef PROXY_BUDGETS_REMOTE_LEDGER_H
#define PROXY_BUDGETS_REMOTE_LEDGER_H

#include "config/settings.h"
#include "proxy/budgets/store_meter.h"
#include "proxy/budgets/store_word.h"
#include "proxy/net/loop.h"
#include "rules/evaluate.h"

#define REMOTE_HOLD_MS ((uint64_t)900000)
#define REMOTE_QUESTIONS_MAX 10000 /* under way at once */
#define REMOTE_UNTOLD_MAX 20000    /* settled, while it is away */

struct remote_ledger;
struct remote_question;
struct server_log;

/* One a worker thread; all is borrowed, log and word may be NULL, and
 * settings->store is a Redis. It connects from the loop. NULL when out of
 * memory. */
struct remote_ledger *remote_ledger_new(struct loop *loop,
                                        const struct limits_settings *settings,
                                        struct server_log *log,
                                        struct store_word *word,
                                        struct store_meter *meter);
/* Nobody is told of what is under way. What was not yet sent is lost, which the
 * log says: holds of it lapse. NULL is fine. */
void remote_ledger_free(struct remote_ledger *remote);

/* A reload has read the password anew. */
void remote_ledger_set_password(struct remote_ledger *remote,
                                struct str password);

/* Connected, authenticated, and not found silent. */
bool remote_ledger_is_up(const struct remote_ledger *remote);

/* A question was not put to it, since it is not up. */
void remote_ledger_miss(struct remote_ledger *remote);

/* answer NULL: none came (away, too late): `fault` says why, valid within the
 * call. From the loop, once; the question is gone by then. */
typedef void remote_answered(void *owner, const struct answer *answer,
                             const char *fault);

/* QUESTION_HOLD or QUESTION_LISTED. The question is copied as far as it is
 * needed. NULL: it is away now, too much is under way, or out of memory. */
struct remote_question *remote_ledger_ask(struct remote_ledger *remote,
                                          const struct question *question,
                                          remote_answered *done, void *owner);
/* client.known: answer.is_listed tells. */
struct remote_question *remote_ledger_ask_known(struct remote_ledger *remote,
                                                struct str user, struct str net,
                                                remote_answered *done,
                                                void *owner);
/* Nobody waits any more: a hold that is granted after all is given back; a
 * charge stays. Not after `done`. */
void remote_question_cancel(struct remote_question *asked);

/* hold->token tells which; does nothing when settled before, like
 * ledger_commit(). */
void remote_ledger_commit(struct remote_ledger *remote, struct hold *hold);
void remote_ledger_give_back(struct remote_ledger *remote, struct hold *hold);

void remote_ledger_apply(struct remote_ledger *remote,
                         const struct list_change *change);
/* That this login succeeded from this net now. */
void remote_ledger_know(struct remote_ledger *remote, struct str user,
                        struct str net);

/* Calls once when nothing that was settled or changed is left to be told, or
 * there is no connection; nothing may be freed within the call. Nobody asks any
 * more. */
void remote_ledger_finish(struct remote_ledger *remote,
                          void (*on_finished)(void *owner), void *owner);

#endif
