/* BDAT (RFC 3030): the message in chunks whose size is told before. Commands
 * are read between two chunks. Whatever becomes of a chunk, its octets are
 * never read as commands; where its size can't be read the session ends. */
#include "proxy/session/body_pump.h"
#include "proxy/session/command_table.h"
#include "proxy/session/data_stage.h"
#include "proxy/session/policy.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"

/* Each chunk costs a command and a reply: so many are free, and one more for
 * each KiB of the message. */
#define CHUNKS_FREE 1000
#define OCTETS_PER_CHUNK 1024

static bool parse(struct str argument, uint64_t *size, bool *is_last)
{
    struct str digits, rest;
    str_cut(argument, ' ', &digits, &rest);
    rest = str_trim(rest);
    *is_last = str_equals_nocase(rest, STR("LAST"));
    return (rest.n == 0 || *is_last) && str_to_u64(digits, size) == 0;
}

/* So many octets are no commands, or there are too many of them. */
static void swallow(struct session *s, uint64_t octets)
{
    if (octets <= session_settings(s)->caps.drain) {
        s->swallow_left = octets;
        return;
    }
    session_note_cap(s, CAP_DRAIN);
    session_hang_up(s, SESSION_END_CAP, "4.5.0",
                    "The refused chunk is too large to be read, closing");
}

void bdat_swallow(struct session *s, const struct command *command)
{
    uint64_t size;
    bool is_last;
    if (s->stream == NULL)
        return;
    if (!parse(command->argument, &size, &is_last)) {
        session_close(s, SESSION_END_PROTOCOL);
        return;
    }
    swallow(s, size);
}

/* They were sent before the refusal was read: no fault of the client's. */
void bdat_refuse_late(struct session *s, const struct command *command)
{
    session_reply(s, 503, "5.5.1", "The message was refused before");
    bdat_swallow(s, command);
}

static void swallow_chunk(struct session *s)
{
    if (s->stream != NULL)
        swallow(s, s->transaction->chunk_size);
}

/* The reply has left: the transaction is over without a message. */
static void give_up(struct session *s)
{
    swallow_chunk(s);
    if (s->stream == NULL)
        return;
    s->is_behind_refused = !s->transaction->is_last_chunk;
    transaction_end(s);
    session_enter(s, SESSION_READY);
}

/* The chunk is read, and with it what may be the last of the message. */
static void begin_chunk(struct session *s)
{
    struct transaction *t = s->transaction;
    uint64_t most = session_settings(s)->caps.message;
    body_pump_chunk(s);
    if (t->has_final) /* the upstream did not wait for it */
        body_pump_drop(s);
    else if (t->content.bytes > most || t->chunk_size > most - t->content.bytes)
        body_pump_refuse_over(s, STAGE_MESSAGE, CAP_MESSAGE,
                              "The message is too large");
    if (s->state != SESSION_DRAIN ||
        t->chunk_size <= session_settings(s)->caps.drain)
        return;
    session_note_cap(s, CAP_DRAIN);
    transaction_reply_final(s);
    session_close(s, SESSION_END_CAP);
}

static void on_vetted(struct session *s, const struct verdict *verdict)
{
    struct transaction *t = s->transaction;
    if (verdict->kind != VERDICT_PASS) {
        transaction_decide(t, STAGE_DATA, verdict);
        session_reply_verdict(s, verdict);
        if (verdict->kind == VERDICT_CLOSE)
            session_close(s, SESSION_END_POLICY);
        give_up(s);
        return;
    }
    if (t->has_final) {
        transaction_reply_final(s);
        give_up(s);
        return;
    }
    body_pump_start(s);
    begin_chunk(s);
}

static void begin_message(struct session *s)
{
    switch (data_stage_begin(s)) {
    case DATA_STAGE_READY:
        policy_ask(s, STAGE_DATA, on_vetted);
        break;
    case DATA_STAGE_REFUSED:
        swallow_chunk(s);
        break;
    case DATA_STAGE_OVER:
        give_up(s);
        break;
    }
}

void cmd_bdat(struct session *s, const struct command *command)
{
    struct transaction *t = s->transaction;
    if (!parse(command->argument, &t->chunk_size, &t->is_last_chunk)) {
        session_reply(s, 501, "5.5.4", "Syntax: BDAT SIZE [LAST]");
        session_close(s, SESSION_END_PROTOCOL);
        return;
    }
    if (++t->chunk_count > CHUNKS_FREE + t->content.bytes / OCTETS_PER_CHUNK) {
        session_note_cap(s, CAP_CHUNKS);
        session_hang_up(s, SESSION_END_CAP, "4.7.0", "Too many small chunks");
    } else if (s->state == SESSION_CHUNKS)
        begin_chunk(s);
    else
        begin_message(s);
}
