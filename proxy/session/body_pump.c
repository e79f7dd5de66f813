/* The dot reader's spans go through the header reader until the block is
 * complete and vetted, then to the delivery. What the delivery has no room
 * for is kept in `unsent`, and nothing more is read until it is gone. */
#include "proxy/session/body_pump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/session/header_stage.h"
#include "proxy/session/policy.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/shadow.h"
#include "proxy/session/transaction.h"

/* Octets a second below which a message is too slow (design section 6). */
#define FLOOR_PER_SECOND 1024

void body_pump_start(struct session *s)
{
    struct transaction *t = s->transaction;
    const struct caps_settings *caps = &session_settings(s)->caps;
    dot_reader_init(&t->dots, caps->body_line);
    header_reader_init(&t->header, caps->header_bytes, caps->header_fields);
    t->has_header_reader = true;
    session_enter(s, SESSION_HEADER);
}

/* The message is over, one way or the other: its reply leaves. */
void body_pump_conclude(struct session *s)
{
    if (s->stream != NULL)
        transaction_reply_final(s);
    if (s->transaction == NULL) /* the reply ended the session */
        return;
    if (s->stream == NULL) {
        session_finish(s);
        return;
    }
    transaction_end(s);
    session_enter(s, SESSION_READY);
}

/* No upstream will get this message; what is left of it is swallowed. */
void body_pump_drop(struct session *s)
{
    struct transaction *t = s->transaction;
    policy_forget(s);
    delivery_free(t->delivery);
    t->delivery = NULL;
    free(t->unsent);
    t->unsent = NULL;
    t->unsent_at = t->unsent_length = 0;
    session_enter(s, SESSION_DRAIN);
}

void body_pump_refuse(struct session *s, enum stage stage, int code,
                      const char *enhanced, const char *text)
{
    struct reply reply = {code, str_from(enhanced), str_from(text)};
    transaction_decide_reply(s->transaction, stage, &reply, true);
    body_pump_drop(s);
}

void body_pump_refuse_by_verdict(struct session *s, enum stage stage,
                                 const struct verdict *verdict)
{
    transaction_decide(s->transaction, stage, verdict);
    if (verdict->kind == VERDICT_CLOSE) {
        session_reply_verdict(s, verdict);
        session_close(s, SESSION_END_POLICY);
        return;
    }
    body_pump_drop(s);
}

/* Appends to what waits for room. */
static void keep_unsent(struct session *s, struct str bytes)
{
    struct transaction *t = s->transaction;
    if (bytes.n == 0)
        return;
    size_t left = t->unsent_length - t->unsent_at;
    char *grown = malloc(left + bytes.n);
    if (grown == NULL) {
        body_pump_refuse(s, STAGE_MESSAGE, 451, "4.3.0",
                         "Out of memory, try again later");
        return;
    }
    if (left > 0)
        memcpy(grown, t->unsent + t->unsent_at, left);
    memcpy(grown + left, bytes.p, bytes.n);
    free(t->unsent);
    t->unsent = grown;
    t->unsent_at = 0;
    t->unsent_length = left + bytes.n;
}

/* True when nothing waits for room any more. */
static bool flush_unsent(struct session *s)
{
    struct transaction *t = s->transaction;
    if (t->unsent_at == t->unsent_length)
        return true;
    struct str left =
        str_span(t->unsent + t->unsent_at, t->unsent_length - t->unsent_at);
    t->unsent_at += delivery_body(t->delivery, left);
    if (t->unsent_at < t->unsent_length) {
        t->was_held_back = true;
        return false;
    }
    free(t->unsent);
    t->unsent = NULL;
    t->unsent_at = t->unsent_length = 0;
    return true;
}

static void send_body(struct session *s, struct str bytes)
{
    struct transaction *t = s->transaction;
    if (flush_unsent(s))
        bytes = str_skip(bytes, delivery_body(t->delivery, bytes));
    keep_unsent(s, bytes);
}

void body_pump_begin_body(struct session *s)
{
    struct transaction *t = s->transaction;
    delivery_data(t->delivery);
    session_enter(s, SESSION_BODY);
    send_body(s, header_reader_overlap(&t->header));
    header_reader_release(&t->header);
    t->has_header_reader = false;
    if (s->state == SESSION_BODY)
        send_body(s, str_span(t->behind, t->behind_length));
    free(t->behind);
    t->behind = NULL;
    t->behind_length = 0;
}

/* What came with the end of the header block, while it is not yet decided. At
 * most one piece of input: no more is read meanwhile. */
static void keep_behind(struct session *s, struct str bytes)
{
    struct transaction *t = s->transaction;
    if (bytes.n == 0)
        return;
    t->behind = malloc(bytes.n);
    if (t->behind == NULL) {
        body_pump_refuse(s, STAGE_HEADER, 451, "4.3.0",
                         "Out of memory, try again later");
        return;
    }
    memcpy(t->behind, bytes.p, bytes.n);
    t->behind_length = bytes.n;
}

static void end_header(struct session *s, struct str behind)
{
    const struct transaction *t = s->transaction;
    header_stage_vet(s);
    if (s->transaction != t || s->stream == NULL)
        return;
    if (s->state == SESSION_BODY)
        send_body(s, behind);
    else if (s->state != SESSION_DRAIN)
        keep_behind(s, behind);
}

static void take_header(struct session *s, struct str bytes)
{
    struct transaction *t = s->transaction;
    switch (header_reader_feed(&t->header, &bytes)) {
    case HEADER_MORE:
        break;
    case HEADER_DONE:
        end_header(s, bytes);
        break;
    case HEADER_TOO_LARGE:
        body_pump_refuse(s, STAGE_HEADER, 552, "5.3.4",
                         "The header block is too large");
        break;
    case HEADER_TOO_MANY:
        body_pump_refuse(s, STAGE_HEADER, 552, "5.3.4",
                         "Too many header fields");
        break;
    case HEADER_MEMORY:
        body_pump_refuse(s, STAGE_HEADER, 451, "4.3.0",
                         "Out of memory, try again later");
        break;
    }
}

static void take(struct session *s, struct str bytes)
{
    if (s->state == SESSION_HEADER)
        take_header(s, bytes);
    else if (s->state == SESSION_BODY)
        send_body(s, bytes);
}

static void check_sizes(struct session *s)
{
    struct transaction *t = s->transaction;
    struct verdict verdict;
    if (s->state != SESSION_HEADER && s->state != SESSION_BODY)
        return;
    if (t->dots.bytes > session_settings(s)->caps.message) {
        body_pump_refuse(s, STAGE_MESSAGE, 552, "5.3.4",
                         "The message is too large");
    } else if (t->effects.size_rule != NULL &&
               t->dots.bytes > t->effects.size_max) {
        t->stopped_at = t->dots.bytes;
        policy_ask_exceeded(s, &verdict);
        shadow_compare(s, STAGE_MESSAGE, &verdict);
        body_pump_refuse_by_verdict(s, STAGE_MESSAGE, &verdict);
    } else {
        shadow_check_size(s, t->dots.bytes);
    }
}

static void check_fault(struct session *s)
{
    enum dot_fault fault = s->transaction->dots.fault;
    if (fault == DOT_FAULT_NONE ||
        (s->state != SESSION_HEADER && s->state != SESSION_BODY))
        return;
    char text[128];
    if (fault == DOT_FAULT_LINE)
        snprintf(text, sizeof text, "The message holds %s",
                 dot_fault_text(fault));
    else
        snprintf(text, sizeof text,
                 "The message holds %s; lines end with CR LF only",
                 dot_fault_text(fault));
    body_pump_refuse(s, STAGE_MESSAGE, 550, "5.5.2", text);
}

/* A refused message is read to its end, so that the reply arrives; within
 * bounds. */
static void check_drain(struct session *s, size_t octets)
{
    struct transaction *t = s->transaction;
    if (s->state != SESSION_DRAIN)
        return;
    t->drained += octets;
    if (t->drained <= session_settings(s)->caps.drain)
        return;
    transaction_reply_final(s);
    session_close(s, SESSION_END_CAP);
}

static void on_message_vetted(struct session *s, const struct verdict *verdict)
{
    if (verdict->kind != VERDICT_PASS) {
        body_pump_refuse_by_verdict(s, STAGE_MESSAGE, verdict);
        return;
    }
    delivery_finish(s->transaction->delivery);
    session_enter(s, SESSION_FINAL);
}

static void vet_message(struct session *s)
{
    struct transaction *t = s->transaction;
    facts_set_number(&s->facts, FACT_MESSAGE_BYTES, t->dots.bytes);
    facts_set_number(&s->facts, FACT_MESSAGE_LINES, t->dots.lines);
    facts_set_number(&s->facts, FACT_MESSAGE_LONGEST_LINE,
                     t->dots.longest_line);
    policy_ask(s, STAGE_MESSAGE, on_message_vetted);
}

static void take_end(struct session *s)
{
    struct transaction *t = s->transaction;
    t->is_complete = true;
    if (s->state != SESSION_HEADER)
        return;
    if (header_reader_end(&t->header) == HEADER_DONE)
        end_header(s, STR(""));
    else
        body_pump_refuse(s, STAGE_HEADER, 552, "5.3.4",
                         "The header block is too large");
}

static bool read_span(struct session *s)
{
    struct transaction *t = s->transaction;
    struct str input = stream_input(s->stream), rest = input, bytes;
    if (input.n == 0)
        return false;
    enum dot_next next = dot_reader_next(&t->dots, &rest, &bytes);
    size_t taken = input.n - rest.n;
    t->octets_in += taken;
    check_fault(s);
    if (s->transaction == t)
        check_sizes(s);
    if (s->transaction == t && next == DOT_BYTES)
        take(s, bytes);
    if (s->transaction == t)
        check_drain(s, taken);
    if (s->transaction != t || s->stream == NULL)
        return false;
    stream_consume(s->stream, taken);
    if (next == DOT_END)
        take_end(s);
    return next != DOT_MORE;
}

bool body_pump_run(struct session *s)
{
    struct transaction *t = s->transaction;
    if (s->state == SESSION_BODY && !flush_unsent(s))
        return false;
    if (!t->is_complete)
        return read_span(s);
    if (s->state == SESSION_BODY)
        vet_message(s);
    else
        body_pump_conclude(s);
    return true;
}

void body_pump_give_up(struct session *s)
{
    body_pump_drop(s);
    if (s->transaction->is_complete)
        body_pump_conclude(s);
}

void body_pump_tick(struct session *s)
{
    struct transaction *t = s->transaction;
    uint64_t data_ms = session_settings(s)->timeouts.data;
    uint64_t tick_ms = data_ms < 60000 ? data_ms : 60000;
    uint64_t fresh = t->octets_in - t->octets_at_tick;
    bool is_late = false;
    if (t->was_held_back)
        t->silent_ms = 0;
    else if (fresh == 0)
        is_late = (t->silent_ms += tick_ms) >= data_ms;
    else
        is_late = fresh < tick_ms * FLOOR_PER_SECOND / 1000;
    if (is_late) {
        session_hang_up(s, SESSION_END_TIMEOUT, "4.4.2",
                        "The message comes too slowly, closing");
        return;
    }
    t->octets_at_tick = t->octets_in;
    t->was_held_back = t->unsent_at < t->unsent_length;
    session_touch(s);
}
