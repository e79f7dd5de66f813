#include "proxy/session/header_stage.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/session/added_recipients.h"
#include "proxy/session/body_pump.h"
#include "proxy/session/policy.h"
#include "proxy/session/received.h"
#include "proxy/session/session_log.h"
#include "proxy/session/transaction.h"

/* Received, the edited fields and the empty line, as one piece. */
static bool queue_header(struct session *s)
{
    struct transaction *t = s->transaction;
    struct str received = received_field(s);
    if (received.p == NULL)
        return false;
    size_t length =
        received.n + header_fields_bytes(&t->fields) + sizeof "\r\n" - 1;
    char *to = malloc(length);
    if (to == NULL)
        return false;
    t->unsent = to;
    t->unsent_length = length;
    memcpy(to, received.p, received.n);
    to += received.n;
    for (size_t i = 0; i < t->fields.count; i++) {
        struct str raw = t->fields.items[i].raw;
        memcpy(to, raw.p, raw.n);
        to += raw.n;
    }
    memcpy(to, "\r\n", 2);
    return true;
}

static void learn_header_facts(struct session *s)
{
    struct transaction *t = s->transaction;
    t->headers_count = t->fields.count;
    facts_set_header(&s->facts, &t->fields);
    facts_set_number(&s->facts, FACT_HEADERS_COUNT, t->fields.count);
    facts_set_number(&s->facts, FACT_HEADERS_BYTES, t->header_bytes);
    facts_set_number(&s->facts, FACT_HEADERS_HOPS,
                     header_fields_hops(&t->fields));
}

static bool read_fields(struct session *s)
{
    struct transaction *t = s->transaction;
    header_fields_init(&t->fields, &t->arena);
    if (header_reader_fields(&t->header, &t->fields) != 0)
        return false;
    t->has_header = true;
    t->header_bytes = header_fields_bytes(&t->fields);
    log_capture_header(&t->capture, &t->arena, session_settings(s), &t->fields);
    for (size_t i = 0; i < t->effects.edit_count; i++)
        if (header_fields_edit(&t->fields, &t->effects.edits[i]) == -1)
            return false;
    return true;
}

void header_stage_send(struct session *s)
{
    if (queue_header(s))
        body_pump_begin_body(s);
    else
        body_pump_refuse(s, STAGE_HEADER, 451, "4.3.0",
                         "Out of memory, try again later");
}

static void on_vetted(struct session *s, const struct verdict *verdict)
{
    struct transaction *t = s->transaction;
    if (verdict->kind != VERDICT_PASS) {
        body_pump_refuse_by_verdict(s, STAGE_HEADER, verdict);
    } else if (!session_log_takes_mail(s)) {
        body_pump_refuse(s, STAGE_HEADER, 451, "4.3.0", NOT_LOGGED_NOW);
    } else if (t->has_final || t->delivery == NULL) /* the upstream went away */
        body_pump_drop(s);
    else if (!added_recipients_ask(s))
        header_stage_send(s);
}

/* The header block is complete: nothing of it has gone on yet. */
void header_stage_vet(struct session *s)
{
    struct transaction *t = s->transaction;
    if (!read_fields(s)) {
        body_pump_refuse(s, STAGE_HEADER, 451, "4.3.0",
                         "Out of memory, try again later");
        return;
    }
    if (header_fields_hops(&t->fields) > session_settings(s)->caps.hops) {
        session_note_cap(s, CAP_HOPS);
        body_pump_refuse(s, STAGE_HEADER, 554, "5.4.6",
                         "Too many Received fields: a mail loop?");
        return;
    }
    learn_header_facts(s);
    policy_ask(s, STAGE_HEADER, on_vetted);
}
