/* Drives everything that is under way in the order of the recorded times. */
#include "proxy/replay/replay.h"

#include <stdio.h>
#include <stdlib.h>

#include "proxy/replay/log_index.h"
#include "proxy/replay/replay_internal.h"
#include "rules/list.h"
#include "rules/ruleset.h"

#define TABLE_SIZE 65536
#define LEDGER_KEYS ((size_t)1000 * 1000)
#define PROGRESS_EVERY 4096 /* lines */

/* --- the heap --- */

static bool is_before(const struct actor *a, const struct actor *b)
{
    return a->next_us != b->next_us ? a->next_us < b->next_us
                                    : a->order < b->order;
}

static void sift_down(struct engine *engine, size_t at)
{
    struct actor **heap = engine->heap;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= engine->heap_count)
            return;
        if (child + 1 < engine->heap_count &&
            is_before(heap[child + 1], heap[child]))
            child++;
        if (!is_before(heap[child], heap[at]))
            return;
        struct actor *moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
        at = child;
    }
}

static void sift_up(struct engine *engine, size_t at)
{
    struct actor **heap = engine->heap;
    while (at > 0 && is_before(heap[at], heap[(at - 1) / 2])) {
        struct actor *moved = heap[at];
        heap[at] = heap[(at - 1) / 2];
        heap[(at - 1) / 2] = moved;
        at = (at - 1) / 2;
    }
}

void engine_push(struct engine *engine, struct actor *actor)
{
    if (engine->heap_count == engine->heap_capacity) {
        size_t capacity = engine->heap_capacity * 2 + 256;
        struct actor **grown =
            realloc(engine->heap, capacity * sizeof(struct actor *));
        if (grown == NULL) {
            engine->failure = "out of memory";
            return;
        }
        engine->heap = grown;
        engine->heap_capacity = capacity;
    }
    engine->heap[engine->heap_count++] = actor;
    sift_up(engine, engine->heap_count - 1);
}

static void remove_at(struct engine *engine, size_t at)
{
    engine->heap[at] = engine->heap[--engine->heap_count];
    if (at == engine->heap_count)
        return;
    sift_down(engine, at);
    sift_up(engine, at);
}

void engine_remove(struct engine *engine, struct actor *actor)
{
    for (size_t i = 0; i < engine->heap_count; i++) {
        if (engine->heap[i] != actor)
            continue;
        remove_at(engine, i);
        return;
    }
}

static void run_next(struct engine *engine)
{
    struct actor *actor = engine->heap[0];
    remove_at(engine, 0);
    if (actor->is_session)
        replayed_session_step(engine, (struct replayed_session *)actor);
    else
        replayed_mail_step(engine, (struct replayed_mail *)actor);
}

/* --- lines --- */

/* Dynamic lists that people changed; what rules change is replayed itself. */
static void change_list(struct engine *engine, const struct recorded *line)
{
    if (line->list.p == NULL || line->value.p == NULL ||
        line->session.p != NULL)
        return;
    const struct list *list = ruleset_list(engine->dry.rules, line->list);
    struct list_change change = {.list = list,
                                 .value = line->value,
                                 .for_ms = line->for_ms,
                                 .is_removal = line->is_removal};
    if (list != NULL && list->is_dynamic)
        (void)ledger_apply(engine->dry.ledger, &change, line->time_us / 1000);
}

static struct replayed_session *session_of(struct engine *engine,
                                           const struct log_place *place,
                                           struct recorded *line)
{
    struct replayed_session *session = engine_find(engine, place->session);
    if (session == NULL)
        session = replayed_session_make_up(engine, place->session, line);
    if (session == NULL)
        engine->failure = "out of memory";
    return session;
}

static void open_mail(struct engine *engine, const struct log_place *place,
                      struct recorded *line)
{
    struct replayed_session *session = session_of(engine, place, line);
    if (session == NULL) {
        recorded_release(line);
        return;
    }
    /* One at a time: clocks that are read twice may seem to overlap. */
    if (session->mail != NULL)
        replayed_mail_finish(engine, session->mail);
    struct replayed_mail *mail = replayed_mail_open(engine, session, line);
    if (mail == NULL)
        engine->failure = "out of memory";
    else
        mail->is_last = place->is_last && !session->has_line;
}

static void open_attempt(struct engine *engine, const struct log_place *place,
                         struct recorded *line)
{
    struct replayed_session *session = session_of(engine, place, line);
    uint64_t at_us = line->time_us;
    if (session == NULL) {
        recorded_release(line);
        return;
    }
    replayed_session_attempt(engine, session, line);
    if (place->is_last && !session->has_line)
        replayed_session_end(engine, session, at_us);
}

static void open_line(struct engine *engine, struct log_index *index,
                      const struct log_place *place)
{
    struct recorded line;
    struct str text;
    if (log_index_read(index, place, &text) != 0 ||
        recorded_read(&line, text) != 0) {
        engine->replay->unreadable++;
        return;
    }
    switch (line.event) {
    case RECORDED_SESSION:
        if (engine_find(engine, place->session) == NULL) {
            if (replayed_session_open(engine, place->session, &line) == NULL)
                engine->failure = "out of memory";
            return;
        }
        break; /* told twice: the first counts */
    case RECORDED_AUTH:
        open_attempt(engine, place, &line);
        return;
    case RECORDED_TRANSACTION:
        open_mail(engine, place, &line);
        return;
    case RECORDED_LIST:
        change_list(engine, &line);
        break;
    case RECORDED_OTHER:
        break;
    }
    recorded_release(&line);
}

static void run_all(struct engine *engine, struct log_index *index,
                    const struct replay_progress *progress)
{
    uint64_t octets = 0;
    size_t at = 0;
    while (engine->failure == NULL &&
           (at < index->count || engine->heap_count > 0)) {
        bool is_line = at < index->count &&
                       (engine->heap_count == 0 ||
                        index->places[at].time_us <= engine->heap[0]->next_us);
        if (!is_line) {
            run_next(engine);
            continue;
        }
        octets += index->places[at].length + 1;
        open_line(engine, index, &index->places[at++]);
        if (progress != NULL && progress->on_progress != NULL &&
            at % PROGRESS_EVERY == 0 &&
            !progress->on_progress(progress->owner, octets, index->octets))
            engine->failure = "given up";
    }
}

/* --- setting up --- */

static int engine_init(struct engine *engine, struct replay *replay)
{
    static const uint8_t SECRET[16] = {0};
    const struct settings *settings = replay->settings;
    *engine = (struct engine){.replay = replay, .settings = settings};
    engine->dry = (struct dry_run){
        .rules = settings->rules,
        .scratch = evaluate_scratch_new(),
        .ledger = ledger_new(LEDGER_KEYS, SECRET),
        .on_question = engine_on_question,
        .owner = engine,
    };
    engine->sessions = calloc(TABLE_SIZE, sizeof *engine->sessions);
    if (engine->dry.scratch != NULL)
        evaluate_scratch_limit(engine->dry.scratch,
                               settings->caps.pattern_steps);
    return engine->dry.scratch == NULL || engine->dry.ledger == NULL ||
                   engine->sessions == NULL ||
                   needs_init(&engine->needs, settings->rules) != 0
               ? -1
               : 0;
}

/* What is left was still under way when the log ended, or was given up. */
static void engine_release(struct engine *engine)
{
    for (size_t i = 0; engine->sessions != NULL && i < TABLE_SIZE; i++)
        while (engine->sessions[i] != NULL)
            replayed_session_end(engine, engine->sessions[i],
                                 engine->replay->last_us);
    free(engine->sessions);
    free(engine->heap);
    free(engine->seen);
    needs_release(&engine->needs);
    ledger_free(engine->dry.ledger);
    evaluate_scratch_free(engine->dry.scratch);
}

static struct replay *run(const struct settings *settings,
                          struct log_index *index,
                          const struct replay_progress *progress, char *error,
                          size_t room)
{
    struct replay *replay = calloc(1, sizeof *replay);
    struct engine engine;
    if (replay == NULL) {
        snprintf(error, room, "out of memory");
        return NULL;
    }
    replay->settings = settings;
    replay->unreadable = index->unreadable;
    replay->first_us = index->places[0].time_us;
    replay->last_us = index->places[index->count - 1].time_us;
    if (engine_init(&engine, replay) != 0)
        engine.failure = "out of memory";
    else
        run_all(&engine, index, progress);
    engine_release(&engine);
    if (engine.failure == NULL)
        return replay;
    snprintf(error, room, "%s", engine.failure);
    replay_free(replay);
    return NULL;
}

struct replay *replay_run(const struct settings *settings, const char *log,
                          const struct replay_progress *progress, char *error,
                          size_t room)
{
    struct log_index index;
    struct replay *replay = NULL;
    if (log_index_open(&index, log, error, room) != 0)
        return NULL;
    if (index.transactions == 0)
        snprintf(error, room, "%s: there is no transaction in it", log);
    else
        replay = run(settings, &index, progress, error, room);
    log_index_release(&index);
    return replay;
}
