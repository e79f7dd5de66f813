#include "proxy/session/log_entry.h"

#include <string.h>

#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"
#include "rules/base/octet_writer.h"
#include "rules/ruleset.h"

#define REPLY_TEXT_MAX 900
#define KEPT_LINE_MAX ((size_t)16 * 1024)
#define NAMES_ROOM ((size_t)16 * 1024)
#define LOGIN_ROOM ((size_t)32 * 1024)
#define RULES_ROOM ((size_t)48 * 1024)
#define NOTES_ROOM ((size_t)8 * 1024)

/* The memory of the last line serves the next. Lines within a line, as a
 * session's about its last transaction, do not occur, but would do no harm. */
static void take_line(struct json_line *kept, struct json_line *line)
{
    *line = *kept;
    *kept = (struct json_line){0};
    line->cap = LOG_LINE_CAP;
    json_line_reset(line);
}

static void give_line(struct json_line *kept, struct json_line *line)
{
    if (kept->text != NULL || line->capacity > KEPT_LINE_MAX)
        json_line_release(line);
    else
        *kept = *line;
}

/* What the session knows and the log must not: a text that quotes it would tell
 * it all the same. */
static void hide_facts(struct log_entry *entry)
{
    const struct facts *facts = &entry->session->facts;
    const struct redaction *redaction = entry->redactor.redaction;
    for (enum fact fact = 0; fact < FACT_COUNT; fact++) {
        const struct fact_value *value = &facts->values[fact];
        if (!redaction->hides[fact] || !facts_know(facts, fact))
            continue;
        if (value->count == 0)
            redactor_hide(&entry->redactor, facts_text(facts, fact));
        for (size_t i = 0; i < value->count; i++)
            redactor_hide(&entry->redactor, value->items[i]);
    }
}

static void put_redacted(struct log_entry *entry)
{
    const struct redaction *redaction = entry->redactor.redaction;
    json_open_array(&entry->line, "redacted");
    for (size_t i = 0; i < redaction->name_count; i++)
        json_text(&entry->line, NULL, redaction->names[i]);
    json_close_array(&entry->line);
}

void log_entry_open(struct log_entry *entry, const struct session *s,
                    const char *event, const char *id, uint64_t wall_us,
                    uint64_t start_us)
{
    entry->session = s;
    entry->start_us = start_us;
    entry->cut_count = 0;
    entry->is_of_mail = false;
    redactor_init(&entry->redactor, &session_settings(s)->log.redaction);
    if (redactor_is_on(&entry->redactor))
        hide_facts(entry);
    take_line(&s->host->log_line, &entry->line);
    json_open_object(&entry->line, NULL);
    json_time(&entry->line, "time", wall_us);
    json_text(&entry->line, "event", str_from(event));
    json_text(&entry->line, "id", str_from(id));
    json_text(&entry->line, "session", str_from(s->id));
}

void log_entry_close(struct log_entry *entry)
{
    const struct session *s = entry->session;
    struct json_line *line = &entry->line;
    if (redactor_is_on(&entry->redactor))
        put_redacted(entry);
    redactor_release(&entry->redactor);
    if (entry->cut_count > 0) {
        json_open_array(line, "cut");
        for (size_t i = 0; i < entry->cut_count; i++)
            json_text(line, NULL, str_from(entry->cut[i]));
        json_close_array(line);
    }
    json_close_object(line);
    struct str text = json_line_end(line);
    if (entry->is_of_mail) /* both count a lost one */
        decision_lane_write_mail(s->host->decisions, text);
    else
        decision_lane_write(s->host->decisions, text);
    if (text.n == 0)
        server_log_write(s->host->log, SERVER_ERROR,
                         "%s: the line for the decision log was over %zu "
                         "octets and is lost",
                         s->id, LOG_LINE_CAP);
    give_line(&s->host->log_line, line);
}

uint64_t log_wall_us(const struct session *s, uint64_t clock_us)
{
    uint64_t ago = loop_clock_us(s->host->loop) - clock_us;
    return loop_wall_us(s->host->loop) - ago;
}

void log_entry_cut(struct log_entry *entry, const char *name)
{
    for (size_t i = 0; i < entry->cut_count; i++)
        if (strcmp(entry->cut[i], name) == 0)
            return;
    if (entry->cut_count < LOG_CUT_MAX)
        entry->cut[entry->cut_count++] = name;
}

bool log_entry_has_room(struct log_entry *entry, size_t start, size_t room,
                        const char *name)
{
    if (entry->line.length - start < room)
        return true;
    log_entry_cut(entry, name);
    return false;
}

void log_put_moment(struct log_entry *entry, const char *key, uint64_t clock_us)
{
    if (clock_us == 0)
        return;
    json_ms(&entry->line, key,
            clock_us > entry->start_us ? clock_us - entry->start_us : 0);
}

void log_put_fact(struct log_entry *entry, const char *key, enum fact fact)
{
    const struct facts *facts = &entry->session->facts;
    if (facts_know(facts, fact))
        log_put_value(entry, key, fact, facts_text(facts, fact));
}

void log_put_value(struct log_entry *entry, const char *key, enum fact fact,
                   struct str value)
{
    const struct redaction *redaction = entry->redactor.redaction;
    char token[REDACTED_ROOM];
    if (redaction != NULL && redaction->hides[fact])
        value = redaction_token(redaction, value, token);
    json_text(&entry->line, key, value);
}

void log_put_words(struct log_entry *entry, const char *key, struct str words)
{
    char room[REDACTED_TEXT_ROOM];
    json_text(&entry->line, key, redactor_text(&entry->redactor, words, room));
}

void log_put_texts(struct log_entry *entry, const char *key, const char *name,
                   const struct str *items, size_t count, size_t room)
{
    struct json_line *line = &entry->line;
    size_t start = line->length;
    json_open_array(line, key);
    for (size_t i = 0;
         i < count && log_entry_has_room(entry, start, room, name); i++)
        log_put_words(entry, NULL, items[i]);
    json_close_array(line);
}

void log_put_store(struct log_entry *entry, enum budget_answered how)
{
    static const char *const WORDS[] = {
        [BUDGET_LOCAL] = "local",
        [BUDGET_ALLOWED] = "allow",
        [BUDGET_DEFERRED] = "defer",
    };
    if (how != BUDGET_ANSWERED)
        json_text(&entry->line, "store_away", str_from(WORDS[how]));
}

void log_put_caps(struct log_entry *entry, uint64_t caps)
{
    if (caps == 0)
        return;
    json_open_array(&entry->line, "caps");
    for (enum session_cap cap = CAP_NONE; cap < CAP_COUNT; cap++)
        if ((caps & session_cap_bit(cap)) != 0)
            json_text(&entry->line, NULL, str_from(session_cap_name(cap)));
    json_close_array(&entry->line);
}

static void put_list_fact(struct log_entry *entry, const char *key,
                          enum fact fact, size_t room)
{
    const struct fact_value *value = &entry->session->facts.values[fact];
    size_t start = entry->line.length;
    if (!value->is_known)
        return;
    json_open_array(&entry->line, key);
    for (size_t i = 0; i < value->count &&
                       log_entry_has_room(entry, start, room, fact_name(fact));
         i++)
        log_put_value(entry, NULL, fact, value->items[i]);
    json_close_array(&entry->line);
}

void log_put_client(struct log_entry *entry)
{
    const struct session *s = entry->session;
    struct json_line *line = &entry->line;
    json_open_object(line, "client");
    log_put_fact(entry, "ip", FACT_CLIENT_IP);
    json_number(line, "port", s->facts.values[FACT_CLIENT_PORT].number);
    if (s->via.n > 0)
        json_text(line, "via", s->via);
    log_put_fact(entry, "helo", FACT_HELO_NAME);
    log_put_fact(entry, "verb", FACT_HELO_VERB);
    json_close_object(line);
    json_text(line, "listener", s->listener->name);
    if (!facts_know(&s->facts, FACT_TLS_VERSION))
        return;
    json_open_object(line, "tls");
    log_put_fact(entry, "version", FACT_TLS_VERSION);
    log_put_fact(entry, "cipher", FACT_TLS_CIPHER);
    log_put_fact(entry, "sni", FACT_TLS_SNI);
    log_put_fact(entry, "fingerprint", FACT_TLS_CLIENT_FINGERPRINT);
    put_list_fact(entry, "names", FACT_TLS_CLIENT_NAMES, NAMES_ROOM);
    json_close_object(line);
}

static void put_word(struct octet_writer *writer, struct str word)
{
    if (word.n == 0)
        return;
    octet_writer_put(writer, STR(" "));
    octet_writer_put(writer, word);
}

void log_put_reply(struct log_entry *entry, const char *key,
                   const struct reply *reply)
{
    char text[1024];
    struct octet_writer writer = {.to = text, .room = sizeof text};
    const char code[] = {(char)('0' + reply->code / 100 % 10),
                         (char)('0' + reply->code / 10 % 10),
                         (char)('0' + reply->code % 10)};
    if (reply->text.n > REPLY_TEXT_MAX)
        log_entry_cut(entry, "reply.text");
    octet_writer_put(&writer, str_span(code, sizeof code));
    put_word(&writer, reply->enhanced);
    put_word(&writer, str_head(reply->text, REPLY_TEXT_MAX));
    log_put_words(entry, key, str_span(text, writer.used));
}

void log_put_by(struct log_entry *entry, const struct rule *rule,
                bool is_upstreams)
{
    struct str by = rule != NULL   ? STR("rule")
                    : is_upstreams ? STR("upstream")
                                   : STR("postern");
    json_text(&entry->line, "by", by);
    if (rule != NULL)
        json_text(&entry->line, "rule", rule_name(rule));
}

void log_put_verdict(struct log_entry *entry, const char *key,
                     const struct verdict *verdict)
{
    if (verdict == NULL || verdict->kind == VERDICT_PASS)
        return;
    struct reply reply = reply_of_verdict(verdict);
    log_put_reply(entry, key, &reply);
    log_put_by(entry, verdict->kind == VERDICT_FAULT ? NULL : verdict->rule,
               false);
}

void log_put_auth(struct log_entry *entry, const char *result)
{
    const struct session *s = entry->session;
    struct json_line *line = &entry->line;
    if (result == NULL && s->user.n == 0)
        return;
    json_open_object(line, "auth");
    log_put_fact(entry, "name", FACT_AUTH_NAME);
    log_put_fact(entry, "user", FACT_AUTH_USER);
    log_put_fact(entry, "mechanism", FACT_AUTH_MECHANISM);
    if (result != NULL)
        json_text(line, "result", str_from(result));
    if (facts_know(&s->facts, FACT_CLIENT_KNOWN))
        json_flag(
            line, "known",
            str_equals(facts_text(&s->facts, FACT_CLIENT_KNOWN), STR("true")));
    put_list_fact(entry, "groups", FACT_AUTH_GROUPS, LOGIN_ROOM);
    put_list_fact(entry, "addresses", FACT_AUTH_ADDRESSES, LOGIN_ROOM);
    json_close_object(line);
}

static void put_rules(struct log_entry *entry, const struct effects *effects)
{
    struct json_line *line = &entry->line;
    size_t start = line->length;
    json_open_array(line, "rules");
    for (size_t i = 0; i < effects->acted_count; i++) {
        const struct acted *acted = &effects->acted[i];
        if (!log_entry_has_room(entry, start, RULES_ROOM, "rules"))
            break;
        json_open_object(line, NULL);
        json_text(line, "stage", str_from(stage_name(acted->stage)));
        json_text(line, "rule", rule_name(acted->rule));
        json_text(line, "did", str_from(acted->did));
        if (acted->is_shadow)
            json_text(line, "mode", STR("shadow"));
        json_close_object(line);
    }
    json_close_array(line);
}

static void put_limits(struct log_entry *entry, const struct effects *effects)
{
    struct json_line *line = &entry->line;
    size_t start = line->length;
    json_open_array(line, "limits");
    for (size_t i = 0; i < effects->use_count; i++) {
        const struct limit_use *use = &effects->uses[i];
        if (!log_entry_has_room(entry, start, RULES_ROOM, "limits"))
            break;
        json_open_object(line, NULL);
        json_text(line, "rule", rule_name(use->rule));
        log_put_words(entry, "key", use->key);
        json_number(line, "before", use->before);
        json_number(line, "after", use->after);
        json_number(line, "max", use->max);
        if (!use->is_within)
            json_number(line, "retry_after_ms", use->retry_after_ms);
        if (use->paced_ms > 0)
            json_number(line, "paced_ms", use->paced_ms);
        json_close_object(line);
    }
    json_close_array(line);
}

void log_put_effects(struct log_entry *entry, const struct effects *effects)
{
    put_rules(entry, effects);
    put_limits(entry, effects);
    if (effects->tag_count > 0)
        log_put_texts(entry, "tags", "tags", effects->tags, effects->tag_count,
                      NOTES_ROOM);
    if (effects->note_count > 0)
        log_put_texts(entry, "notes", "notes", effects->notes,
                      effects->note_count, NOTES_ROOM);
}
