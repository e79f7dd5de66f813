/* What a line says, by the names of postern-log(5). */
#include "proxy/replay/recorded.h"

#include <string.h>

#include "proxy/log/log_time.h"
#include "proxy/replay/json_tree.h"
#include "rules/rule.h"

#define ARENA_CAP ((size_t)64 * 1024 * 1024)

static const char *const VERDICTS[] = {
    [RECORDED_ACCEPT] = "accept",
    [RECORDED_REJECT] = "reject",
    [RECORDED_DEFER] = "defer",
    [RECORDED_ABORT] = "abort",
};

static const struct str NONE = {NULL, 0};

static struct str text_of(const struct json_node *value)
{
    return value != NULL && value->kind == JSON_NODE_TEXT ? value->text : NONE;
}

static bool is_kind(const struct json_node *value, enum json_kind kind)
{
    return value != NULL && value->kind == kind;
}

static size_t count_of(const struct json_node *value)
{
    return value == NULL ? 0 : value->count;
}

static const struct json_node *first_of(const struct json_node *value)
{
    return value == NULL ? NULL : value->first;
}

static struct str text_at(const struct json_node *object, const char *key)
{
    return text_of(json_node_get(object, key));
}

/* False: it is not there. */
static bool number_at(const struct json_node *object, const char *key,
                      uint64_t *out)
{
    const struct json_node *value = json_node_get(object, key);
    return is_kind(value, JSON_NODE_NUMBER) &&
           str_to_u64(value->text, out) == 0;
}

/* Milliseconds with up to three decimals behind `start_us`, as a time. */
static uint64_t moment_at(const struct json_node *object, const char *key,
                          uint64_t start_us)
{
    const struct json_node *value = json_node_get(object, key);
    struct str whole, decimals;
    uint64_t ms, unit = 100, us = 0;
    if (!is_kind(value, JSON_NODE_NUMBER))
        return RECORDED_NEVER;
    (void)str_cut(value->text, '.', &whole, &decimals);
    if (str_to_u64(whole, &ms) != 0 || ms > UINT64_C(1000) * 86400 * 366)
        return RECORDED_NEVER;
    for (size_t i = 0; i < decimals.n && i < 3; i++, unit /= 10)
        if (ascii_is_digit(decimals.p[i]))
            us += (uint64_t)(decimals.p[i] - '0') * unit;
    return start_us + ms * 1000 + us;
}

static void *new_array(struct recorded *r, size_t count, size_t bytes)
{
    return arena_array(&r->arena, count == 0 ? 1 : count, bytes);
}

static int read_texts(struct recorded *r, const struct json_node *array,
                      struct str **items, size_t *count)
{
    *items = new_array(r, count_of(array), sizeof **items);
    if (*items == NULL)
        return -1;
    for (const struct json_node *item = first_of(array); item != NULL;
         item = item->next) {
        struct str text = text_of(item);
        if (text.p != NULL)
            (*items)[(*count)++] = text;
    }
    return 0;
}

/* "553 5.7.1 text", where any but the code may be missing. */
static void read_reply(struct str text, struct reply *out)
{
    uint64_t code;
    *out = (struct reply){0};
    if (text.n < 3 || str_to_u64(str_head(text, 3), &code) != 0)
        return;
    out->code = (int)code;
    out->text = str_skip(text, text.n > 3 ? 4 : 3);
    out->enhanced = str_span(text.p, 0);
    struct str first, rest;
    (void)str_cut(out->text, ' ', &first, &rest);
    if (!enhanced_code_fits(first, out->code))
        return;
    out->enhanced = first;
    out->text = rest;
}

static void read_decision(const struct json_node *from, const char *key,
                          struct recorded_decision *out)
{
    struct str by = text_at(from, "by");
    read_reply(text_at(from, key), &out->reply);
    out->rule = text_at(from, "rule");
    if (by.p != NULL && str_equals(by, STR("upstream")))
        out->by = BY_UPSTREAM;
    else
        out->by = out->rule.p != NULL ? BY_RULE : BY_POSTERN;
}

static enum recorded_verdict read_verdict(const struct json_node *from)
{
    struct str word = text_at(from, "verdict");
    for (size_t i = 0; i < sizeof VERDICTS / sizeof VERDICTS[0]; i++)
        if (word.p != NULL && str_equals(word, str_from(VERDICTS[i])))
            return (enum recorded_verdict)i;
    return RECORDED_ABORT;
}

static bool read_stage(const struct json_node *from, enum stage *out)
{
    struct str word = text_at(from, "stage");
    for (enum stage stage = 0; word.p != NULL && stage < STAGE_COUNT; stage++) {
        if (str_equals(word, str_from(stage_name(stage)))) {
            *out = stage;
            return true;
        }
    }
    return false;
}

/* --- parts of every event --- */

static int read_client(struct recorded *r)
{
    const struct json_node *client = json_node_get(r->root, "client");
    const struct json_node *tls = json_node_get(r->root, "tls");
    r->client_ip = text_at(client, "ip");
    (void)number_at(client, "port", &r->client_port);
    r->helo_name = text_at(client, "helo");
    r->helo_verb = text_at(client, "verb");
    r->listener = text_at(r->root, "listener");
    r->tls_version = text_at(tls, "version");
    r->tls_cipher = text_at(tls, "cipher");
    r->tls_sni = text_at(tls, "sni");
    r->tls_fingerprint = text_at(tls, "fingerprint");
    return read_texts(r, json_node_get(tls, "names"), &r->tls_names,
                      &r->tls_name_count);
}

static int read_auth(struct recorded *r)
{
    const struct json_node *auth = json_node_get(r->root, "auth");
    const struct json_node *known = json_node_get(auth, "known");
    r->has_auth = auth != NULL;
    r->auth_user = text_at(auth, "user");
    r->auth_name = text_at(auth, "name");
    r->auth_mechanism = text_at(auth, "mechanism");
    r->auth_result = text_at(auth, "result");
    if (is_kind(known, JSON_NODE_TRUE))
        r->auth_known = STR("true");
    else if (is_kind(known, JSON_NODE_FALSE))
        r->auth_known = STR("false");
    if (read_texts(r, json_node_get(auth, "addresses"), &r->addresses,
                   &r->address_count) != 0)
        return -1;
    return read_texts(r, json_node_get(auth, "groups"), &r->groups,
                      &r->group_count);
}

static int read_rules(struct recorded *r)
{
    const struct json_node *rules = json_node_get(r->root, "rules");
    const struct json_node *limits = json_node_get(r->root, "limits");
    const struct json_node *asks = json_node_get(r->root, "asks");
    r->rules = new_array(r, count_of(rules), sizeof *r->rules);
    r->uses = new_array(r, count_of(limits), sizeof *r->uses);
    r->asks = new_array(r, count_of(asks), sizeof *r->asks);
    if (r->rules == NULL || r->uses == NULL || r->asks == NULL)
        return -1;
    for (const struct json_node *from = first_of(rules); from != NULL;
         from = from->next) {
        struct recorded_rule *rule = &r->rules[r->rule_count++];
        rule->rule = text_at(from, "rule");
        rule->did = text_at(from, "did");
        rule->is_shadow = text_at(from, "mode").p != NULL;
        (void)read_stage(from, &rule->stage);
    }
    for (const struct json_node *from = first_of(limits); from != NULL;
         from = from->next) {
        struct recorded_use *use = &r->uses[r->use_count++];
        use->rule = text_at(from, "rule");
        use->key = text_at(from, "key");
        (void)number_at(from, "before", &use->before);
        (void)number_at(from, "after", &use->after);
        (void)number_at(from, "max", &use->max);
        (void)number_at(from, "retry_after_ms", &use->retry_after_ms);
    }
    for (const struct json_node *from = first_of(asks); from != NULL;
         from = from->next) {
        struct recorded_ask *ask = &r->asks[r->ask_count++];
        (void)read_stage(from, &ask->stage);
        ask->server = text_at(from, "server");
        ask->action = text_at(from, "action");
        ask->failure = text_at(from, "failure");
    }
    return read_texts(r, json_node_get(r->root, "cut"), &r->cut,
                      &r->cut_count) != 0 ||
                   read_texts(r, json_node_get(r->root, "redacted"),
                              &r->redacted, &r->redacted_count) != 0
               ? -1
               : 0;
}

/* --- a session --- */

static int read_helos(struct recorded *r)
{
    const struct json_node *helos = json_node_get(r->root, "helo");
    r->helos = new_array(r, count_of(helos), sizeof *r->helos);
    if (r->helos == NULL)
        return -1;
    for (const struct json_node *from = first_of(helos); from != NULL;
         from = from->next) {
        struct recorded_helo *helo = &r->helos[r->helo_count++];
        helo->name = text_at(from, "name");
        helo->verb = text_at(from, "verb");
        helo->is_secure = is_kind(json_node_get(from, "tls"), JSON_NODE_TRUE);
        helo->at_us = moment_at(from, "at", r->time_us);
        read_decision(from, "reply", &helo->decision);
    }
    return 0;
}

static int read_session(struct recorded *r)
{
    read_decision(r->root, "refused", &r->decision);
    return read_helos(r);
}

/* --- a transaction --- */

static void read_mail(struct recorded *r)
{
    const struct json_node *mail = json_node_get(r->root, "mail");
    r->mail_from = text_at(mail, "from");
    r->mail_sent = text_at(mail, "sent");
    r->mail_body = text_at(mail, "body");
    r->mail_envid = text_at(mail, "envid");
    r->mail_smtputf8 = text_at(mail, "smtputf8");
    r->mail_requiretls = text_at(mail, "requiretls");
    r->has_size = number_at(mail, "size", &r->mail_size);
}

static void read_recipient(const struct recorded *r,
                           const struct json_node *from,
                           struct recorded_recipient *to)
{
    to->to = text_at(from, "to");
    if (to->to.n == 0)
        to->to = NONE;
    to->sent = text_at(from, "sent");
    to->verdict = read_verdict(from);
    to->at_us = moment_at(from, "at", r->time_us);
    to->answered_us = moment_at(from, "answered", r->time_us);
    read_decision(from, "reply", &to->decision);
    if (to->decision.by == BY_UPSTREAM)
        to->upstream = to->decision.reply;
    struct str own_words = text_at(from, "upstream");
    if (own_words.p != NULL)
        read_reply(own_words, &to->upstream);
}

static int read_recipients(struct recorded *r)
{
    const struct json_node *recipients = json_node_get(r->root, "rcpt");
    const struct json_node *added = json_node_get(r->root, "added");
    r->recipients = new_array(r, count_of(recipients), sizeof *r->recipients);
    r->added = new_array(r, count_of(added), sizeof *r->added);
    if (r->recipients == NULL || r->added == NULL)
        return -1;
    for (const struct json_node *from = first_of(recipients); from != NULL;
         from = from->next)
        read_recipient(r, from, &r->recipients[r->recipient_count++]);
    for (const struct json_node *from = first_of(added); from != NULL;
         from = from->next) {
        r->added[r->added_count++] = (struct recorded_added){
            text_at(from, "to"),
            !is_kind(json_node_get(from, "required"), JSON_NODE_FALSE)};
    }
    return 0;
}

static int read_header_facts(struct recorded *r)
{
    static const struct str PREFIX = STR_INIT("header.");
    const struct json_node *facts = json_node_get(r->root, "facts");
    r->headers = new_array(r, count_of(facts), sizeof *r->headers);
    if (r->headers == NULL)
        return -1;
    for (const struct json_node *item = first_of(facts); item != NULL;
         item = item->next) {
        struct recorded_header *header = &r->headers[r->header_fact_count];
        if (!str_starts_with(item->key, PREFIX) ||
            !is_kind(item, JSON_NODE_ARRAY))
            continue;
        header->name = str_skip(item->key, PREFIX.n);
        if (read_texts(r, item, &header->bodies, &header->count) != 0)
            return -1;
        r->header_fact_count++;
    }
    return 0;
}

static int read_header(struct recorded *r)
{
    const struct json_node *header = json_node_get(r->root, "header");
    const struct json_node *message = json_node_get(r->root, "message");
    r->has_header = header != NULL;
    (void)number_at(header, "count", &r->header_count);
    (void)number_at(header, "bytes", &r->header_bytes);
    r->has_hops = number_at(header, "hops", &r->header_hops);
    r->has_message = number_at(message, "bytes", &r->message_bytes);
    (void)number_at(message, "lines", &r->message_lines);
    r->has_longest_line =
        number_at(message, "longest_line", &r->message_longest_line);
    (void)number_at(message, "stopped", &r->stopped_at);
    if (read_texts(r, json_node_get(header, "from"), &r->from,
                   &r->from_count) != 0)
        return -1;
    return read_header_facts(r);
}

static int read_transaction(struct recorded *r)
{
    const struct json_node *upstream = json_node_get(r->root, "upstream");
    const struct json_node *ms = json_node_get(r->root, "ms");
    r->verdict = read_verdict(r->root);
    r->has_stage = read_stage(r->root, &r->stage);
    r->is_uncertain =
        is_kind(json_node_get(r->root, "uncertain"), JSON_NODE_TRUE);
    r->policy = text_at(r->root, "policy");
    read_decision(r->root, "reply", &r->decision);
    r->upstream_name = text_at(upstream, "name");
    r->upstream_server = text_at(upstream, "server");
    read_reply(text_at(upstream, "reply"), &r->upstream_reply);
    r->mail_us = moment_at(ms, "mail", r->time_us);
    r->data_us = moment_at(ms, "data", r->time_us);
    r->header_us = moment_at(ms, "header", r->time_us);
    r->message_us = moment_at(ms, "message", r->time_us);
    r->answer_us = moment_at(ms, "answer", r->time_us);
    read_mail(r);
    return read_recipients(r) != 0 ? -1 : read_header(r);
}

static int read_list(struct recorded *r)
{
    r->list = text_at(r->root, "list");
    r->value = text_at(r->root, "value");
    struct str did = text_at(r->root, "did");
    r->is_removal = did.p != NULL && str_equals(did, STR("remove"));
    (void)number_at(r->root, "for_ms", &r->for_ms);
    return 0;
}

/* --- a line --- */

static const struct {
    const char *name;
    int (*read)(struct recorded *r);
} EVENTS[] = {
    [RECORDED_SESSION] = {"session", read_session},
    [RECORDED_AUTH] = {"auth", NULL},
    [RECORDED_TRANSACTION] = {"transaction", read_transaction},
    [RECORDED_LIST] = {"list", read_list},
};

static int read_event(struct recorded *r)
{
    struct str time = text_at(r->root, "time");
    struct str event = text_at(r->root, "event");
    if (time.p == NULL || event.p == NULL ||
        log_time_parse(time, &r->time_us) != 0)
        return -1;
    r->event = RECORDED_OTHER;
    for (size_t i = 0; i < sizeof EVENTS / sizeof EVENTS[0]; i++)
        if (str_equals(event, str_from(EVENTS[i].name)))
            r->event = (enum recorded_event)i;
    r->id = text_at(r->root, "id");
    r->session = text_at(r->root, "session");
    r->end_us = moment_at(json_node_get(r->root, "ms"), "total", r->time_us);
    if (r->end_us == RECORDED_NEVER)
        r->end_us = r->time_us;
    if (r->event == RECORDED_OTHER)
        return 0;
    if (r->event == RECORDED_AUTH)
        read_decision(r->root, "reply", &r->decision);
    else if (EVENTS[r->event].read(r) != 0)
        return -1;
    return read_client(r) != 0 || read_auth(r) != 0 ? -1 : read_rules(r);
}

int recorded_read(struct recorded *recorded, struct str line)
{
    *recorded = (struct recorded){
        .mail_us = RECORDED_NEVER,
        .data_us = RECORDED_NEVER,
        .header_us = RECORDED_NEVER,
        .message_us = RECORDED_NEVER,
        .answer_us = RECORDED_NEVER,
    };
    arena_init(&recorded->arena, ARENA_CAP);
    recorded->root = json_tree_read(&recorded->arena, line);
    if (is_kind(recorded->root, JSON_NODE_OBJECT) && read_event(recorded) == 0)
        return 0;
    recorded_release(recorded);
    return -1;
}

void recorded_release(struct recorded *recorded)
{
    arena_release(&recorded->arena);
    recorded->root = NULL;
}
