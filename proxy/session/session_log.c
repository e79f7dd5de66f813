#include "proxy/session/session_log.h"

#include <string.h>

#include "proxy/log/json_line.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"
#include "rules/address_list.h"
#include "rules/list.h"
#include "rules/ruleset.h"

#define LINE_CAP (512 * 1024)

static const char *const VERDICTS[] = {
    [TRANSACTION_ACCEPT] = "accept",
    [TRANSACTION_REJECT] = "reject",
    [TRANSACTION_DEFER] = "defer",
    [TRANSACTION_ABORT] = "abort",
};

static const char *const ENDS[] = {
    [SESSION_END_QUIT] = "quit",         [SESSION_END_CLIENT] = "client",
    [SESSION_END_TLS] = "tls",           [SESSION_END_TIMEOUT] = "timeout",
    [SESSION_END_CAP] = "cap",           [SESSION_END_POLICY] = "policy",
    [SESSION_END_PROTOCOL] = "protocol", [SESSION_END_STOP] = "stop",
    [SESSION_END_FAULT] = "fault",
};

static void put_fact(struct json_line *line, const char *key,
                     const struct session *s, enum fact fact)
{
    if (facts_know(&s->facts, fact))
        json_text(line, key, facts_text(&s->facts, fact));
}

static void put_list(struct json_line *line, const char *key,
                     const struct str *items, size_t count)
{
    json_open_array(line, key);
    for (size_t i = 0; i < count; i++)
        json_text(line, NULL, items[i]);
    json_close_array(line);
}

static void put_list_fact(struct json_line *line, const char *key,
                          const struct session *s, enum fact fact)
{
    const struct fact_value *value = &s->facts.values[fact];
    if (value->is_known)
        put_list(line, key, value->items, value->count);
}

static void put_client(struct json_line *line, const struct session *s)
{
    json_open_object(line, "client");
    put_fact(line, "ip", s, FACT_CLIENT_IP);
    json_number(line, "port", s->facts.values[FACT_CLIENT_PORT].number);
    put_fact(line, "helo", s, FACT_HELO_NAME);
    json_close_object(line);
    json_text(line, "listener", s->listener->name);
    if (!facts_know(&s->facts, FACT_TLS_VERSION))
        return;
    json_open_object(line, "tls");
    put_fact(line, "version", s, FACT_TLS_VERSION);
    put_fact(line, "cipher", s, FACT_TLS_CIPHER);
    put_fact(line, "sni", s, FACT_TLS_SNI);
    json_close_object(line);
}

static void put_auth(struct json_line *line, const struct session *s)
{
    if (s->user.n == 0)
        return;
    json_open_object(line, "auth");
    json_text(line, "user", s->user);
    put_fact(line, "mechanism", s, FACT_AUTH_MECHANISM);
    put_list_fact(line, "groups", s, FACT_AUTH_GROUPS);
    put_list_fact(line, "addresses", s, FACT_AUTH_ADDRESSES);
    json_close_object(line);
}

static void put_reply(struct json_line *line, const char *key,
                      const struct reply *reply)
{
    char text[1024];
    int n = snprintf(text, sizeof text, "%03d%s%.*s%s%.*s", reply->code,
                     reply->enhanced.n > 0 ? " " : "", (int)reply->enhanced.n,
                     reply->enhanced.p, reply->text.n > 0 ? " " : "",
                     (int)str_head(reply->text, 900).n, reply->text.p);
    if (n > 0)
        json_text(line, key, str_span(text, (size_t)n));
}

static void put_rules(struct json_line *line, const struct effects *effects)
{
    json_open_array(line, "rules");
    for (size_t i = 0; i < effects->acted_count; i++) {
        const struct acted *acted = &effects->acted[i];
        json_open_object(line, NULL);
        json_text(line, "stage", str_from(stage_name(acted->stage)));
        json_text(line, "rule", rule_name(acted->rule));
        json_text(line, "did", str_from(acted->did));
        json_close_object(line);
    }
    json_close_array(line);
    json_open_array(line, "limits");
    for (size_t i = 0; i < effects->use_count; i++) {
        const struct limit_use *use = &effects->uses[i];
        json_open_object(line, NULL);
        json_text(line, "rule", rule_name(use->rule));
        json_text(line, "key", use->key);
        json_number(line, "before", use->before);
        json_number(line, "after", use->after);
        json_number(line, "max", use->max);
        json_close_object(line);
    }
    json_close_array(line);
    if (effects->tag_count > 0)
        put_list(line, "tags", effects->tags, effects->tag_count);
    if (effects->note_count > 0)
        put_list(line, "notes", effects->notes, effects->note_count);
}

static void write_line(const struct session *s, struct json_line *line)
{
    struct str text = json_line_end(line);
    decision_log_write(s->host->decisions, text); /* counts a lost one */
    if (text.n == 0)
        server_log_write(s->host->log, SERVER_ERROR,
                         "%s: the line for the decision log was over %d "
                         "octets and is lost",
                         s->id, LINE_CAP);
    json_line_release(line);
}

static void open_line(struct json_line *line, uint64_t wall_us,
                      const char *event)
{
    json_line_init(line, LINE_CAP);
    json_open_object(line, NULL);
    json_time(line, "time", wall_us);
    json_text(line, "event", str_from(event));
}

static uint64_t elapsed_us(const struct session *s, uint64_t since_us)
{
    return loop_clock_us(s->host->loop) - since_us;
}

void session_log_session(const struct session *s)
{
    struct json_line line;
    open_line(&line, loop_wall_us(s->host->loop), "session");
    json_text(&line, "id", str_from(s->id));
    json_text(&line, "session", str_from(s->id));
    put_client(&line, s);
    put_auth(&line, s);
    if (s->refusal != NULL) {
        struct reply reply = {s->refusal->code, s->refusal->enhanced,
                              s->refusal->text};
        put_reply(&line, "refused", &reply);
    }
    json_text(&line, "end", str_from(ENDS[s->end]));
    json_number(&line, "commands", s->commands);
    json_number(&line, "bad_commands", s->bad_commands);
    json_number(&line, "transactions", s->transaction_count);
    put_rules(&line, &s->effects);
    json_open_object(&line, "ms");
    json_ms(&line, "total", elapsed_us(s, s->started_us));
    json_close_object(&line);
    json_close_object(&line);
    write_line(s, &line);
}

void session_log_auth(const struct session *s, const char *result)
{
    struct json_line line;
    open_line(&line, loop_wall_us(s->host->loop), "auth");
    json_text(&line, "id", str_from(s->id));
    json_text(&line, "session", str_from(s->id));
    put_client(&line, s);
    json_open_object(&line, "auth");
    put_fact(&line, "name", s, FACT_AUTH_NAME);
    put_fact(&line, "user", s, FACT_AUTH_USER);
    put_fact(&line, "mechanism", s, FACT_AUTH_MECHANISM);
    json_text(&line, "result", str_from(result));
    json_close_object(&line);
    json_close_object(&line);
    write_line(s, &line);
}

void session_log_list(const struct session *s, const struct list_change *change)
{
    struct json_line line;
    open_line(&line, loop_wall_us(s->host->loop), "list");
    json_text(&line, "id", str_from(session_current_id(s)));
    json_text(&line, "session", str_from(s->id));
    json_text(&line, "list", change->list->name);
    json_text(&line, "did", str_from(change->is_removal ? "remove" : "add"));
    json_text(&line, "value", change->value);
    if (change->for_ms > 0)
        json_number(&line, "for_ms", change->for_ms);
    json_close_object(&line);
    write_line(s, &line);
}

static const char *recipient_verdict(const struct recipient *r)
{
    if (r->state == RECIPIENT_ACCEPTED)
        return "accept";
    if (r->state == RECIPIENT_ASKED)
        return "abort";
    return r->reply.code >= 500 ? "reject" : "defer";
}

static void put_recipients(struct json_line *line, const struct transaction *t)
{
    json_open_array(line, "rcpt");
    for (size_t i = 0; i < t->recipient_count; i++) {
        const struct recipient *r = &t->recipients[i];
        json_open_object(line, NULL);
        json_text(line, "to", r->original);
        if (r->state == RECIPIENT_ACCEPTED || !r->is_ours)
            json_text(line, "sent", r->mailbox);
        json_text(line, "verdict", str_from(recipient_verdict(r)));
        if (r->reply.code != 0)
            put_reply(line, "reply", &r->reply);
        json_close_object(line);
    }
    json_close_array(line);
}

static void put_mail(struct json_line *line, const struct session *s)
{
    const struct transaction *t = s->transaction;
    const struct mail_params *params = &t->envelope.params;
    json_open_object(line, "mail");
    json_text(line, "from", t->reverse_path_original);
    json_text(line, "sent", t->envelope.reverse_path);
    if (params->has_size)
        json_number(line, "size", params->size);
    put_fact(line, "body", s, FACT_MAIL_BODY);
    json_close_object(line);
}

/* The addresses of From, as the rules see them. */
static void put_from(struct json_line *line, const struct header_fields *fields)
{
    struct address_list list = {0};
    struct arena scratch;
    arena_init(&scratch, 1024 * 1024);
    for (size_t i = 0; i < fields->count; i++)
        if (str_equals_nocase(fields->items[i].name, STR("from")))
            (void)address_list_read(&scratch, fields->items[i].body, &list);
    json_open_array(line, "from");
    for (size_t i = 0; i < list.count; i++)
        json_text(line, NULL, list.items[i].address);
    json_close_array(line);
    arena_release(&scratch);
}

static void put_header(struct json_line *line, const struct transaction *t)
{
    if (!t->has_header)
        return;
    json_open_object(line, "header");
    put_from(line, &t->fields);
    for (size_t i = 0; i < t->fields.count; i++) {
        const struct header_field *field = &t->fields.items[i];
        if (!str_equals_nocase(field->name, STR("message-id")))
            continue;
        json_text(line, "message_id", str_trim(field->body));
        break;
    }
    json_number(line, "count", t->fields.count);
    json_number(line, "bytes", t->header_bytes);
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

static void put_upstream(struct json_line *line, const struct transaction *t)
{
    if (t->upstream == NULL)
        return;
    json_open_object(line, "upstream");
    json_text(line, "name", t->upstream->name);
    if (t->server.n > 0)
        json_text(line, "server", t->server);
    if (t->upstream_reply.code != 0) {
        struct str id = queue_id(t->upstream_reply.text);
        put_reply(line, "reply", &t->upstream_reply);
        if (id.n > 0)
            json_text(line, "queue_id", id);
    }
    if (t->fault != NULL)
        json_text(line, "fault", str_from(t->fault));
    json_close_object(line);
    if (t->is_uncertain)
        json_flag(line, "uncertain", true);
}

static void put_message(struct json_line *line, const struct transaction *t)
{
    if (!t->is_complete)
        return;
    json_open_object(line, "message");
    json_number(line, "bytes", t->dots.bytes);
    json_number(line, "lines", t->dots.lines);
    json_close_object(line);
}

void session_log_transaction(const struct session *s)
{
    const struct transaction *t = s->transaction;
    struct json_line line;
    open_line(&line, t->started_wall_us, "transaction");
    json_text(&line, "id", str_from(t->id));
    json_text(&line, "session", str_from(s->id));
    json_text(&line, "verdict", str_from(VERDICTS[t->verdict]));
    if (t->has_final) {
        json_text(&line, "stage", str_from(stage_name(t->stage)));
        put_reply(&line, "reply", &t->final);
    }
    put_client(&line, s);
    put_auth(&line, s);
    put_mail(&line, s);
    put_recipients(&line, t);
    put_header(&line, t);
    put_message(&line, t);
    put_rules(&line, &t->effects);
    put_upstream(&line, t);
    json_text(&line, "policy", str_from(session_settings(s)->policy_digest));
    json_open_object(&line, "ms");
    json_ms(&line, "total", elapsed_us(s, t->started_us));
    json_ms(&line, "policy", t->policy_us);
    json_ms(&line, "upstream", t->upstream_us);
    json_close_object(&line);
    json_close_object(&line);
    write_line(s, &line);
}
