/* The content reader's spans go through the header reader until the block is
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

void body_pump_start(struct session *s)
{
    struct transaction *t = s->transaction;
    const struct caps_settings *caps = &session_settings(s)->caps;
    content_reader_init(&t->content, caps->body_line,
                        s->listener->repairs_line_endings);
    header_reader_init(&t->header, caps->header_bytes, caps->header_fields);
    t->has_header_reader = true;
    session_enter(s, SESSION_HEADER);
}

void body_pump_chunk(struct session *s)
{
    struct transaction *t = s->transaction;
    content_reader_chunk(&t->content, t->chunk_size);
    t->is_chunk_read = false;
    if (s->state == SESSION_CHUNKS && t->has_header_reader)
        session_enter(s, SESSION_HEADER);
    else if (s->state == SESSION_CHUNKS)
        session_enter(s, SESSION_BODY);
}

/* The message is over, one way or the other: its reply leaves. */
void body_pump_conclude(struct session *s)
{
    if (s->stream != NULL)
        transaction_reply_final(s);
    /* It leaves before the log is written, unless what the client sent behind
     * the message may add replies. */
    if (s->stream != NULL && stream_input(s->stream).n == 0)
        stream_flush(s->stream);
    if (s->transaction == NULL) /* the reply ended the session */
        return;
    if (s->stream == NULL) {
        session_finish(s);
        return;
    }
    s->is_behind_refused =
        s->transaction->content.is_chunked && !s->transaction->is_last_chunk;
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

void body_pump_refuse_over(struct session *s, enum stage stage,
                           enum session_cap cap, const char *text)
{
    session_note_cap(s, cap);
    body_pump_refuse(s, stage, 552, "5.3.4", text);
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
    t->heard_ms = loop_now_ms(s->host->loop); /* it was not read before */
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
        body_pump_refuse_over(s, STAGE_HEADER, CAP_HEADER_BYTES,
                              "The header block is too large");
        break;
    case HEADER_TOO_MANY:
        body_pump_refuse_over(s, STAGE_HEADER, CAP_HEADER_FIELDS,
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
    if (t->content.bytes > session_settings(s)->caps.message) {
        body_pump_refuse_over(s, STAGE_MESSAGE, CAP_MESSAGE,
                              "The message is too large");
    } else if (t->effects.size_rule != NULL &&
               t->content.bytes > t->effects.size_max) {
        t->stopped_at = t->content.bytes;
        policy_ask_exceeded(s, &verdict);
        shadow_compare(s, STAGE_MESSAGE, &verdict);
        body_pump_refuse_by_verdict(s, STAGE_MESSAGE, &verdict);
    } else {
        shadow_check_size(s, t->content.bytes);
    }
}

static void check_fault(struct session *s)
{
    enum content_fault fault = s->transaction->content.fault;
    if (fault == CONTENT_FAULT_NONE ||
        (s->state != SESSION_HEADER && s->state != SESSION_BODY))
        return;
    char text[128];
    if (fault == CONTENT_FAULT_LINE)
        session_note_cap(s, CAP_BODY_LINE);
    if (fault == CONTENT_FAULT_LINE)
        snprintf(text, sizeof text, "The message holds %s",
                 content_fault_text(fault));
    else
        snprintf(text, sizeof text,
                 "The message holds %s; lines end with CR LF only",
                 content_fault_text(fault));
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
    session_note_cap(s, CAP_DRAIN);
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

/* A chunk is with the upstream, or on its way there: the next command. */
static void answer_chunk(struct session *s)
{
    session_enter(s, SESSION_CHUNKS);
    session_reply(s, 250, "2.0.0", "Ok");
}

static void vet_message(struct session *s)
{
    struct transaction *t = s->transaction;
    facts_set_number(&s->facts, FACT_MESSAGE_BYTES, t->content.bytes);
    facts_set_number(&s->facts, FACT_MESSAGE_LINES, t->content.scan.lines);
    facts_set_number(&s->facts, FACT_MESSAGE_LONGEST_LINE,
                     t->content.scan.longest);
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
        body_pump_refuse_over(s, STAGE_HEADER, CAP_HEADER_BYTES,
                              "The header block is too large");
}

/* RFC 3030: a last line without its CRLF gets one, since DATA needs it. */
static void take_chunk_end(struct session *s)
{
    struct transaction *t = s->transaction;
    t->is_chunk_read = true;
    if (!t->is_last_chunk)
        return;
    struct str end = content_reader_finish(&t->content);
    check_fault(s);
    if (s->transaction == t)
        check_sizes(s);
    if (s->transaction == t && end.n > 0)
        take(s, end);
    if (s->transaction == t && s->stream != NULL)
        take_end(s);
}

static bool read_span(struct session *s)
{
    struct transaction *t = s->transaction;
    struct str input = stream_input(s->stream), rest = input, bytes;
    bool is_empty = t->content.is_chunked && t->content.chunk_left == 0;
    if (input.n == 0 && !is_empty)
        return false;
    enum content_next next = content_reader_next(&t->content, &rest, &bytes);
    size_t taken = input.n - rest.n;
    if (taken > 0)
        t->heard_ms = loop_now_ms(s->host->loop);
    t->octets_in += taken;
    check_fault(s);
    if (s->transaction == t)
        check_sizes(s);
    if (s->transaction == t && next == CONTENT_BYTES)
        take(s, bytes);
    if (s->transaction == t)
        check_drain(s, taken);
    if (s->transaction != t || s->stream == NULL)
        return false;
    stream_consume(s->stream, taken);
    if (next == CONTENT_END && t->content.is_chunked)
        take_chunk_end(s);
    else if (next == CONTENT_END)
        take_end(s);
    return next != CONTENT_MORE;
}

bool body_pump_run(struct session *s)
{
    struct transaction *t = s->transaction;
    if (s->state == SESSION_BODY && !flush_unsent(s))
        return false;
    if (!t->is_complete && !t->is_chunk_read)
        return read_span(s);
    if (s->state == SESSION_DRAIN)
        body_pump_conclude(s);
    else if (!t->is_complete)
        answer_chunk(s);
    else
        vet_message(s);
    return true;
}

void body_pump_give_up(struct session *s)
{
    body_pump_drop(s);
    if (s->transaction->is_complete || s->transaction->is_chunk_read)
        body_pump_conclude(s);
}
