#include "proxy/replay/replay_internal.h"

#include <stdlib.h>

#define TABLE_SIZE 65536
#define SESSION_ARENA ((size_t)4 * 1024 * 1024)

struct replayed_session *engine_find(struct engine *engine, uint64_t key)
{
    struct replayed_session *session = engine->sessions[key % TABLE_SIZE];
    while (session != NULL && session->key != key)
        session = session->chain;
    return session;
}

static struct replayed_session *new_session(struct engine *engine, uint64_t key)
{
    struct replayed_session *session = calloc(1, sizeof *session);
    if (session == NULL)
        return NULL;
    session->key = key;
    session->actor.is_session = true;
    session->actor.next_us = RECORDED_NEVER;
    session->actor.order = engine->orders++;
    arena_init(&session->arena, SESSION_ARENA);
    facts_init(&session->facts);
    effects_init(&session->effects, &session->arena);
    session->chain = engine->sessions[key % TABLE_SIZE];
    engine->sessions[key % TABLE_SIZE] = session;
    engine->replay->sessions++;
    return session;
}

static void unlink_session(struct engine *engine,
                           const struct replayed_session *session)
{
    struct replayed_session **at = &engine->sessions[session->key % TABLE_SIZE];
    while (*at != session)
        at = &(*at)->chain;
    *at = session->chain;
}

static void ask_connect(struct engine *engine, struct replayed_session *session,
                        struct recorded *line, uint64_t now_us)
{
    struct verdict verdict;
    if (recorded_learn_connect(line, &session->facts) != 0)
        engine->failure = "out of memory";
    engine_ask(engine, STAGE_CONNECT, line, &session->facts, &session->effects,
               now_us, NULL, &verdict);
    session->connect_route = session->effects.route;
    refusal_of_verdict(&session->refusal, STAGE_CONNECT, &verdict);
    session->is_closed = session->refusal.is_set;
}

/* --- one whose line is there --- */

static uint64_t next_moment(const struct replayed_session *session)
{
    const struct recorded *line = &session->line;
    if (session->next_helo < line->helo_count &&
        line->helos[session->next_helo].at_us < line->end_us)
        return line->helos[session->next_helo].at_us;
    return line->end_us;
}

/* Whether the rules were asked then: a client that is not trusted where trust
 * is needed is turned away before. */
static bool was_turned_away(const struct recorded_decision *decision)
{
    return decision->reply.code != 0 && decision->by != BY_RULE;
}

struct replayed_session *replayed_session_open(struct engine *engine,
                                               uint64_t key,
                                               struct recorded *line)
{
    struct replayed_session *session = new_session(engine, key);
    if (session == NULL) {
        recorded_release(line);
        return NULL;
    }
    session->line = *line;
    session->has_line = true;
    line = &session->line;
    if (!was_turned_away(&line->decision)) {
        ask_connect(engine, session, line, line->time_us);
        compare_session(engine, session, line, STAGE_CONNECT, &line->decision,
                        &session->refusal, line->time_us);
    }
    session->actor.next_us = next_moment(session);
    engine_push(engine, &session->actor);
    return session;
}

static void greet(struct engine *engine, struct replayed_session *session)
{
    struct recorded *line = &session->line;
    const struct recorded_helo *helo = &line->helos[session->next_helo++];
    struct verdict verdict;
    if (session->is_closed)
        return;
    if (helo->is_secure)
        recorded_learn_tls(line, &session->facts);
    recorded_learn_helo(helo, &session->facts);
    session->effects.route = session->connect_route;
    engine_ask(engine, STAGE_HELO, line, &session->facts, &session->effects,
               helo->at_us, NULL, &verdict);
    refusal_of_verdict(&session->at_helo, STAGE_HELO, &verdict);
    session->is_closed = verdict.kind == VERDICT_CLOSE;
    if (session->is_closed)
        session->refusal = session->at_helo;
    compare_session(engine, session, line, STAGE_HELO, &helo->decision,
                    &session->at_helo, helo->at_us);
}

void replayed_session_step(struct engine *engine,
                           struct replayed_session *session)
{
    if (session->next_helo < session->line.helo_count &&
        session->actor.next_us < session->line.end_us) {
        greet(engine, session);
        session->actor.next_us = next_moment(session);
        engine_push(engine, &session->actor);
        return;
    }
    replayed_session_end(engine, session, session->line.end_us);
}

void replayed_session_attempt(struct engine *engine,
                              struct replayed_session *session,
                              struct recorded *line)
{
    struct verdict verdict;
    struct refusal refusal;
    recorded_release(&session->attempt);
    session->attempt = *line;
    line = &session->attempt;
    if (session->is_closed)
        return;
    /* Where the session has no line, its login tells who came. */
    if (recorded_learn_connect(line, &session->facts) != 0)
        engine->failure = "out of memory";
    recorded_learn_tls(line, &session->facts);
    recorded_learn_auth(line, &session->facts);
    engine_ask(engine, STAGE_AUTH, session->has_line ? &session->line : line,
               &session->facts, &session->effects, line->time_us, NULL,
               &verdict);
    refusal_of_verdict(&refusal, STAGE_AUTH, &verdict);
    session->is_closed = verdict.kind == VERDICT_CLOSE;
    if (session->is_closed || line->auth_user.p != NULL)
        session->refusal = refusal;
    compare_session(engine, session, line, STAGE_AUTH, &line->decision,
                    &refusal, line->time_us);
}

/* --- one whose line is not --- */

struct replayed_session *replayed_session_make_up(struct engine *engine,
                                                  uint64_t key,
                                                  struct recorded *mail)
{
    struct replayed_session *session = new_session(engine, key);
    struct verdict verdict;
    if (session == NULL)
        return NULL;
    ask_connect(engine, session, mail, mail->time_us);
    if (session->refusal.is_set || mail->event != RECORDED_TRANSACTION)
        return session;
    struct recorded_helo helo = {.name = mail->helo_name,
                                 .verb = mail->helo_verb};
    recorded_learn_tls(mail, &session->facts);
    recorded_learn_helo(&helo, &session->facts);
    engine_ask(engine, STAGE_HELO, mail, &session->facts, &session->effects,
               mail->time_us, NULL, &verdict);
    refusal_of_verdict(&session->refusal, STAGE_HELO, &verdict);
    if (session->refusal.is_set || mail->auth_user.p == NULL)
        return session;
    recorded_learn_auth(mail, &session->facts);
    engine_ask(engine, STAGE_AUTH, mail, &session->facts, &session->effects,
               mail->time_us, NULL, &verdict);
    refusal_of_verdict(&session->refusal, STAGE_AUTH, &verdict);
    return session;
}

void replayed_session_end(struct engine *engine,
                          struct replayed_session *session, uint64_t now_us)
{
    if (session->mail != NULL)
        replayed_mail_finish(engine, session->mail);
    dry_run_settle_session(&engine->dry, &session->effects, now_us / 1000);
    unlink_session(engine, session);
    recorded_release(&session->line);
    recorded_release(&session->attempt);
    arena_release(&session->arena);
    free(session);
}
