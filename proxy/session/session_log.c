#include "proxy/session/session_log.h"

#include "proxy/session/log_entry.h"
#include "proxy/session/session_metrics.h"
#include "proxy/session/session_reply.h"
#include "rules/list.h"
#include "rules/rule.h"
#include "rules/ruleset.h"

static const char *const ENDS[] = {
    [SESSION_END_QUIT] = "quit",         [SESSION_END_CLIENT] = "client",
    [SESSION_END_TLS] = "tls",           [SESSION_END_TIMEOUT] = "timeout",
    [SESSION_END_CAP] = "cap",           [SESSION_END_POLICY] = "policy",
    [SESSION_END_PROTOCOL] = "protocol", [SESSION_END_STOP] = "stop",
    [SESSION_END_FAULT] = "fault",
};

bool session_log_takes_mail(struct session *s)
{
    if (decision_lane_takes_mail(s->host->decisions))
        return true;
    session_note_cap(s, CAP_LOG_STRICT);
    return false;
}

void session_note_greeting(struct session *s, const struct verdict *verdict)
{
    struct greeting *room = NULL;
    session_count_verdict(s, verdict);
    if (s->greeting_count < GREETINGS_MAX)
        room = arena_grow(&s->arena, s->greetings, s->greeting_count,
                          &s->greeting_room, sizeof *s->greetings);
    if (room == NULL) {
        s->has_more_greetings = true;
        return;
    }
    s->greetings = room;
    s->greetings[s->greeting_count++] = (struct greeting){
        .name = facts_text(&s->facts, FACT_HELO_NAME),
        .verb = facts_text(&s->facts, FACT_HELO_VERB).p,
        .asked_us = s->asked_us,
        .is_secure = facts_know(&s->facts, FACT_TLS_VERSION),
        .verdict = *verdict,
    };
}

static void put_greetings(struct log_entry *entry)
{
    const struct session *s = entry->session;
    struct json_line *line = &entry->line;
    if (s->greeting_count == 0)
        return;
    json_open_array(line, "helo");
    for (size_t i = 0; i < s->greeting_count; i++) {
        const struct greeting *greeting = &s->greetings[i];
        json_open_object(line, NULL);
        log_put_value(entry, "name", FACT_HELO_NAME, greeting->name);
        json_text(line, "verb", str_from(greeting->verb));
        log_put_moment(entry, "at", greeting->asked_us);
        json_flag(line, "tls", greeting->is_secure);
        log_put_verdict(entry, "reply", &greeting->verdict);
        json_close_object(line);
    }
    json_close_array(line);
    if (s->has_more_greetings)
        log_entry_cut(entry, "helo");
}

/* For the keys of budgets in the session's line: the facts hold but the last
 * name. */
static void keep_name(struct session *s)
{
    if (!session_settings(s)->log.redaction.hides[FACT_AUTH_NAME] ||
        !facts_know(&s->facts, FACT_AUTH_NAME))
        return;
    struct str name =
        arena_str(&s->arena, facts_text(&s->facts, FACT_AUTH_NAME));
    struct str *room = NULL;
    if (name.p != NULL && s->tried_count < TRIED_MAX)
        room = arena_grow(&s->arena, s->tried, s->tried_count, &s->tried_room,
                          sizeof *s->tried);
    s->has_more_tried = s->has_more_tried || room == NULL;
    if (room == NULL)
        return;
    s->tried = room;
    s->tried[s->tried_count++] = name;
}

/* What the session knew before. */
static void hide_past(struct log_entry *entry)
{
    const struct session *s = entry->session;
    struct redactor *redactor = &entry->redactor;
    const bool *hides = redactor->redaction->hides;
    for (size_t i = 0; hides[FACT_HELO_NAME] && i < s->greeting_count; i++)
        redactor_hide(redactor, s->greetings[i].name);
    for (size_t i = 0; i < s->tried_count; i++)
        redactor_hide(redactor, s->tried[i]);
    redactor->is_blind = redactor->is_blind || s->has_more_tried ||
                         (hides[FACT_HELO_NAME] && s->has_more_greetings);
}

void session_log_session(struct session *s)
{
    struct log_entry entry;
    if (s->attempt != NULL)
        session_log_auth(s, s->attempt, NULL);
    session_count_verdict(s, s->refusal);
    session_count_end(s, ENDS[s->end]);
    log_entry_open(&entry, s, "session", s->id, s->started_wall_us,
                   s->started_us);
    if (redactor_is_on(&entry.redactor))
        hide_past(&entry);
    struct json_line *line = &entry.line;
    log_put_client(&entry);
    log_put_auth(&entry, NULL);
    log_put_verdict(&entry, "refused", s->refusal);
    put_greetings(&entry);
    json_text(line, "end", str_from(ENDS[s->end]));
    log_put_caps(&entry, s->caps);
    json_number(line, "commands", s->commands);
    json_number(line, "bad_commands", s->bad_commands);
    json_number(line, "transactions", s->transaction_count);
    log_put_effects(&entry, &s->effects);
    log_put_store(&entry, s->budgets);
    json_text(line, "policy", str_from(session_settings(s)->policy_digest));
    json_open_object(line, "ms");
    json_ms(line, "total", loop_clock_us(s->host->loop) - s->started_us);
    json_close_object(line);
    log_entry_close(&entry);
}

void session_log_auth(struct session *s, const char *result,
                      const struct verdict *verdict)
{
    struct log_entry entry;
    s->attempt = NULL;
    session_count_auth(s, result);
    session_count_verdict(s, verdict);
    log_entry_open(&entry, s, "auth", s->id, log_wall_us(s, s->asked_us),
                   s->asked_us);
    log_put_client(&entry);
    log_put_auth(&entry, result);
    log_put_verdict(&entry, "reply", verdict);
    log_put_store(&entry, s->budgets);
    log_entry_close(&entry);
    keep_name(s);
}

static void open_now(struct log_entry *entry, const struct session *s,
                     const char *event)
{
    log_entry_open(entry, s, event, session_current_id(s),
                   loop_wall_us(s->host->loop), loop_clock_us(s->host->loop));
}

void session_log_list(const struct session *s, const struct list_change *change,
                      bool is_done)
{
    struct log_entry entry;
    open_now(&entry, s, "list");
    json_text(&entry.line, "list", change->list->name);
    json_text(&entry.line, "did",
              str_from(change->is_removal ? "remove" : "add"));
    log_put_words(&entry, "value", change->value);
    if (change->for_ms > 0)
        json_number(&entry.line, "for_ms", change->for_ms);
    if (!is_done)
        json_flag(&entry.line, "done", false);
    log_entry_close(&entry);
}

void session_log_limit(const struct session *s, const struct limit_use *use)
{
    struct log_entry entry;
    session_count_warning(s, use);
    open_now(&entry, s, "limit");
    json_text(&entry.line, "stage", str_from(stage_name(use->rule->stage)));
    json_text(&entry.line, "rule", rule_name(use->rule));
    log_put_words(&entry, "key", use->key);
    json_number(&entry.line, "used", use->after);
    json_number(&entry.line, "max", use->max);
    if (use->max > 0)
        json_number(&entry.line, "percent", use->after * 100 / use->max);
    json_flag(&entry.line, "exceeded", !use->is_within);
    if (use->rule->mode == RULE_SHADOW)
        json_text(&entry.line, "mode", STR("shadow"));
    log_entry_close(&entry);
}
