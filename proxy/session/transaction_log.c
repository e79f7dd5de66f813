/* The line of a transaction: all that a replay of it needs. */
#include "proxy/session/log_entry.h"
#include "proxy/session/session_log.h"
#include "proxy/session/session_metrics.h"
#include "proxy/session/transaction.h"
#include "rules/ruleset.h"

#define RECIPIENTS_ROOM ((size_t)256 * 1024)
#define HEADERS_ROOM ((size_t)96 * 1024)
#define FROM_ROOM ((size_t)8 * 1024)
#define ADDED_ROOM ((size_t)32 * 1024)
#define ASKS_ROOM ((size_t)32 * 1024)

static const char *const VERDICTS[] = {
    [TRANSACTION_ACCEPT] = "accept",
    [TRANSACTION_REJECT] = "reject",
    [TRANSACTION_DEFER] = "defer",
    [TRANSACTION_ABORT] = "abort",
};

static void put_decision(struct log_entry *entry)
{
    const struct transaction *t = entry->session->transaction;
    json_text(&entry->line, "verdict", str_from(VERDICTS[t->verdict]));
    log_put_caps(entry, t->caps);
    if (!t->has_final)
        return;
    json_text(&entry->line, "stage", str_from(stage_name(t->stage)));
    log_put_reply(entry, "reply", &t->final);
    log_put_by(entry, t->is_final_ours ? t->rule : NULL, !t->is_final_ours);
}

static void put_mail(struct log_entry *entry)
{
    const struct session *s = entry->session;
    const struct transaction *t = s->transaction;
    const struct mail_params *params = &t->envelope.params;
    json_open_object(&entry->line, "mail");
    log_put_value(entry, "from", FACT_MAIL_ORIGINAL, t->reverse_path_original);
    log_put_value(entry, "sent", FACT_MAIL_FROM, t->envelope.reverse_path);
    if (params->has_size)
        json_number(&entry->line, "size", params->size);
    log_put_fact(entry, "body", FACT_MAIL_BODY);
    log_put_fact(entry, "smtputf8", FACT_MAIL_SMTPUTF8);
    log_put_fact(entry, "requiretls", FACT_MAIL_REQUIRETLS);
    log_put_fact(entry, "envid", FACT_MAIL_ENVID);
    json_close_object(&entry->line);
}

/* Where the candidate policy would have decided otherwise. */
static void put_shadow(struct log_entry *entry,
                       const struct shadow_result *shadow)
{
    struct json_line *line = &entry->line;
    if (shadow == NULL)
        return;
    json_open_object(line, "shadow");
    json_text(line, "differs", str_from(shadow->differs));
    json_text(
        line, "verdict",
        str_from(VERDICTS[shadow->reply.code == 0    ? TRANSACTION_ACCEPT
                          : shadow->reply.code < 500 ? TRANSACTION_DEFER
                                                     : TRANSACTION_REJECT]));
    json_text(line, "stage", str_from(stage_name(shadow->stage)));
    if (shadow->rule.n > 0)
        json_text(line, "rule", shadow->rule);
    if (shadow->reply.code != 0)
        log_put_reply(entry, "reply", &shadow->reply);
    json_close_object(line);
}

static const char *recipient_verdict(const struct recipient *r)
{
    if (r->state == RECIPIENT_ACCEPTED)
        return "accept";
    if (r->state == RECIPIENT_ASKED || r->state == RECIPIENT_VETTED)
        return "abort";
    return r->reply.code >= 500 ? "reject" : "defer";
}

static bool replies_differ(const struct reply *a, const struct reply *b)
{
    return a->code != b->code || !str_equals(a->enhanced, b->enhanced) ||
           !str_equals(a->text, b->text);
}

static void put_recipient(struct log_entry *entry, const struct recipient *r)
{
    struct json_line *line = &entry->line;
    json_open_object(line, NULL);
    log_put_value(entry, "to", FACT_RCPT_ORIGINAL, r->original);
    bool was_sent = r->state != RECIPIENT_VETTED && !r->is_ours;
    if (r->state == RECIPIENT_ACCEPTED || was_sent ||
        r->upstream_reply.code != 0)
        log_put_value(entry, "sent", FACT_RCPT_TO, r->mailbox);
    json_text(line, "verdict", str_from(recipient_verdict(r)));
    if (r->reply.code != 0) {
        log_put_reply(entry, "reply", &r->reply);
        log_put_by(entry, r->rule, !r->is_ours);
    }
    if (r->upstream_reply.code != 0 &&
        (r->is_ours || replies_differ(&r->upstream_reply, &r->reply)))
        log_put_reply(entry, "upstream", &r->upstream_reply);
    if (r->route.n > 0)
        json_text(line, "route", r->route);
    log_put_moment(entry, "at", r->asked_us);
    log_put_moment(entry, "answered", r->answered_us);
    put_shadow(entry, r->shadow);
    json_close_object(line);
}

static void put_added(struct log_entry *entry)
{
    const struct transaction *t = entry->session->transaction;
    struct json_line *line = &entry->line;
    size_t start = line->length;
    if (t->added_count == 0)
        return;
    json_open_array(line, "added");
    for (size_t i = 0; i < t->added_count &&
                       log_entry_has_room(entry, start, ADDED_ROOM, "added");
         i++) {
        const struct added *added = &t->added[i];
        json_open_object(line, NULL);
        log_put_value(entry, "to", FACT_RCPT_TO, added->mailbox);
        json_flag(line, "required", added->is_required);
        if (added->reply.code != 0)
            log_put_reply(entry, "reply", &added->reply);
        json_close_object(line);
    }
    json_close_array(line);
}

static void put_asks(struct log_entry *entry)
{
    const struct transaction *t = entry->session->transaction;
    struct json_line *line = &entry->line;
    size_t start = line->length;
    if (t->question_count == 0)
        return;
    json_open_array(line, "asks");
    for (size_t i = 0; i < t->question_count &&
                       log_entry_has_room(entry, start, ASKS_ROOM, "asks");
         i++) {
        const struct asked *asked = &t->asked[i];
        json_open_object(line, NULL);
        json_text(line, "stage", str_from(stage_name(asked->stage)));
        json_text(line, "rule", asked->rule);
        json_text(line, "server", asked->server);
        if (asked->action.p != NULL)
            log_put_words(entry, "action", asked->action);
        if (asked->fault != NULL)
            log_put_words(entry, "failure", str_from(asked->fault));
        json_ms(line, "ms", asked->us);
        json_close_object(line);
    }
    json_close_array(line);
}

static void put_recipients(struct log_entry *entry)
{
    const struct transaction *t = entry->session->transaction;
    size_t start = entry->line.length;
    json_open_array(&entry->line, "rcpt");
    for (size_t i = 0;
         i < t->recipient_count &&
         log_entry_has_room(entry, start, RECIPIENTS_ROOM, "rcpt");
         i++)
        put_recipient(entry, &t->recipients[i]);
    json_close_array(&entry->line);
    if (entry->line.length - start >= RECIPIENTS_ROOM)
        json_number(&entry->line, "rcpt_count", t->recipient_count);
}

static bool hides_header(const struct log_entry *entry, struct str name)
{
    const struct redaction *redaction = entry->redactor.redaction;
    return redaction != NULL && redaction_hides_header(redaction, name);
}

static struct str shown_body(const struct log_entry *entry, struct str name,
                             struct str body, char room[REDACTED_ROOM])
{
    return hides_header(entry, name)
               ? redaction_token(entry->redactor.redaction, str_trim(body),
                                 room)
               : body;
}

static void put_from(struct log_entry *entry)
{
    const struct log_capture *capture = &entry->session->transaction->capture;
    size_t start = entry->line.length;
    char room[REDACTED_ROOM];
    json_open_array(&entry->line, "from");
    for (size_t i = 0;
         i < capture->from_count &&
         log_entry_has_room(entry, start, FROM_ROOM, "header.from");
         i++)
        json_text(&entry->line, NULL,
                  shown_body(entry, STR("from"), capture->from[i], room));
    json_close_array(&entry->line);
}

static void put_header(struct log_entry *entry)
{
    const struct transaction *t = entry->session->transaction;
    const struct log_capture *capture = &t->capture;
    struct json_line *line = &entry->line;
    char room[REDACTED_ROOM];
    if (!t->has_header)
        return;
    json_open_object(line, "header");
    put_from(entry);
    for (size_t i = 0; i < t->fields.count; i++) {
        const struct header_field *field = &t->fields.items[i];
        if (!str_equals_nocase(field->name, STR("message-id")))
            continue;
        json_text(line, "message_id",
                  shown_body(entry, field->name, str_trim(field->body), room));
        break;
    }
    json_number(line, "count", t->headers_count);
    json_number(line, "bytes", t->header_bytes);
    json_number(line, "hops", capture->hops);
    json_close_object(line);
    if (capture->from_is_cut)
        log_entry_cut(entry, "header.from");
}

/* A name is of the rules' making; its key lives as long as the line does. */
static void put_header_fact(struct log_entry *entry,
                            const struct captured_header *header)
{
    struct arena *arena = &entry->session->transaction->arena;
    char room[REDACTED_ROOM];
    struct str key = ARENA_JOIN(arena, STR("header."), header->name);
    if (key.p == NULL)
        return;
    if (header->is_cut) {
        log_entry_cut(entry, key.p);
        return;
    }
    json_open_array(&entry->line, key.p);
    for (size_t i = 0; i < header->count; i++)
        json_long_text(
            &entry->line, NULL,
            shown_body(entry, header->name, header->bodies[i], room));
    json_close_array(&entry->line);
}

static void put_facts(struct log_entry *entry)
{
    const struct log_capture *capture = &entry->session->transaction->capture;
    size_t start = entry->line.length;
    if (capture->header_count == 0)
        return;
    json_open_object(&entry->line, "facts");
    for (size_t i = 0; i < capture->header_count; i++)
        if (log_entry_has_room(entry, start, HEADERS_ROOM, "header"))
            put_header_fact(entry, &capture->headers[i]);
    json_close_object(&entry->line);
}

static void put_message(struct log_entry *entry)
{
    const struct transaction *t = entry->session->transaction;
    struct json_line *line = &entry->line;
    if (!t->is_complete && t->stopped_at == 0 && !t->content.has_repaired)
        return;
    json_open_object(line, "message");
    if (t->is_complete) {
        json_number(line, "bytes", t->content.bytes);
        json_number(line, "lines", t->content.scan.lines);
        json_number(line, "longest_line", t->content.scan.longest);
    }
    if (t->stopped_at > 0)
        json_number(line, "stopped", t->stopped_at);
    if (t->content.has_repaired)
        json_flag(line, "repaired", true);
    json_close_object(line);
}

/* "queued as 4XyZ": what the MTA calls the message. */
static struct str queue_id(struct str text)
{
    static const struct str MARK = STR_INIT("queued as ");
    for (size_t i = 0; i + MARK.n < text.n; i++) {
        if (!str_starts_with_nocase(str_skip(text, i), MARK))
            continue;
        struct str id = str_skip(text, i + MARK.n), rest;
        str_cut(id, ' ', &id, &rest);
        str_cut(id, '\n', &id, &rest);
        return id;
    }
    return STR("");
}

static void put_upstream(struct log_entry *entry)
{
    const struct transaction *t = entry->session->transaction;
    struct json_line *line = &entry->line;
    if (t->upstream == NULL)
        return;
    json_open_object(line, "upstream");
    json_text(line, "name", t->upstream->name);
    if (t->server.n > 0)
        json_text(line, "server", t->server);
    if (t->upstream_reply.code != 0) {
        struct str id = queue_id(t->upstream_reply.text);
        log_put_reply(entry, "reply", &t->upstream_reply);
        if (id.n > 0)
            json_text(line, "queue_id", id);
    }
    if (t->fault != NULL)
        log_put_words(entry, "fault", str_from(t->fault));
    json_close_object(line);
    if (t->is_uncertain)
        json_flag(line, "uncertain", true);
}

static void put_times(struct log_entry *entry)
{
    const struct transaction *t = entry->session->transaction;
    struct json_line *line = &entry->line;
    json_open_object(line, "ms");
    json_ms(line, "total", t->ended_us - t->started_us);
    json_ms(line, "policy", t->policy_us);
    json_ms(line, "upstream", t->upstream_us);
    log_put_moment(entry, "mail", t->stage_us[STAGE_MAIL]);
    log_put_moment(entry, "data", t->stage_us[STAGE_DATA]);
    log_put_moment(entry, "header", t->stage_us[STAGE_HEADER]);
    log_put_moment(entry, "message", t->stage_us[STAGE_MESSAGE]);
    log_put_moment(entry, "answer", t->end_answer_us);
    json_close_object(line);
}

/* What recipients and fields tell beyond the facts of the moment. */
static void hide_rest(struct log_entry *entry)
{
    const struct transaction *t = entry->session->transaction;
    const struct log_capture *capture = &t->capture;
    struct redactor *redactor = &entry->redactor;
    if (redactor->redaction->hides[FACT_RCPT_TO]) {
        for (size_t i = 0; i < t->recipient_count; i++) {
            redactor_hide(redactor, t->recipients[i].original);
            redactor_hide(redactor, t->recipients[i].mailbox);
        }
        for (size_t i = 0; i < t->added_count; i++)
            redactor_hide(redactor, t->added[i].mailbox);
    }
    for (size_t i = 0;
         hides_header(entry, STR("from")) && i < capture->from_count; i++)
        redactor_hide(redactor, capture->from[i]);
    for (size_t i = 0; i < t->fields.count; i++)
        if (hides_header(entry, t->fields.items[i].name))
            redactor_hide(redactor, str_trim(t->fields.items[i].body));
    for (size_t i = 0; i < capture->header_count; i++)
        for (size_t j = 0; hides_header(entry, capture->headers[i].name) &&
                           j < capture->headers[i].count;
             j++)
            redactor_hide(redactor, str_trim(capture->headers[i].bodies[j]));
}

void session_log_transaction(const struct session *s)
{
    const struct transaction *t = s->transaction;
    struct log_entry entry;
    session_count_transaction(s, VERDICTS[t->verdict]);
    log_entry_open(&entry, s, "transaction", t->id, t->started_wall_us,
                   t->started_us);
    entry.is_of_mail = true;
    if (redactor_is_on(&entry.redactor))
        hide_rest(&entry);
    put_decision(&entry);
    log_put_client(&entry);
    log_put_auth(&entry, NULL);
    put_mail(&entry);
    put_recipients(&entry);
    put_added(&entry);
    put_header(&entry);
    put_facts(&entry);
    put_message(&entry);
    log_put_effects(&entry, &t->effects);
    log_put_store(&entry, t->budgets);
    put_asks(&entry);
    put_shadow(&entry, t->shadow);
    put_upstream(&entry);
    json_text(&entry.line, "policy", str_from(t->settings->policy_digest));
    put_times(&entry);
    log_entry_close(&entry);
}
