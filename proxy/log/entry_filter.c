#include "proxy/log/entry_filter.h"

#include <stdio.h>
#include <string.h>

#include "proxy/log/log_time.h"
#include "rules/cidr.h"
#include "rules/glob.h"
#include "rules/nearest.h"
#include "rules/quantity.h"

#define WORDS_MAX 8

struct filter_key {
    const char *name;
    bool (*holds)(const json_t *entry, struct str value);
    const char *words[WORDS_MAX + 1]; /* all there are; none: any text */
};

/* A text at object.key, or at key when object is NULL; p NULL: none. */
static struct str text_at(const json_t *entry, const char *object,
                          const char *key)
{
    const json_t *from =
        object == NULL ? entry : json_object_get(entry, object);
    const json_t *value = json_object_get(from, key);
    if (!json_is_string(value))
        return (struct str){NULL, 0};
    return str_span(json_string_value(value), json_string_length(value));
}

static bool is_like(struct str text, struct str value)
{
    return text.p != NULL && glob_matches(value, text);
}

static bool is_address_like(struct str text, struct str value)
{
    return is_like(text, value) ||
           (text.p != NULL && value.n > 0 && glob_matches_address(value, text));
}

static bool holds_user(const json_t *entry, struct str value)
{
    return is_like(text_at(entry, "auth", "user"), value) ||
           is_like(text_at(entry, "auth", "name"), value);
}

static bool holds_from(const json_t *entry, struct str value)
{
    return is_address_like(text_at(entry, "mail", "from"), value) ||
           is_address_like(text_at(entry, "mail", "sent"), value);
}

static bool holds_to(const json_t *entry, struct str value)
{
    size_t i;
    const json_t *recipient;
    const json_t *recipients = json_object_get(entry, "rcpt");
    json_array_foreach(recipients, i, recipient)
    {
        if (is_address_like(text_at(recipient, NULL, "to"), value) ||
            is_address_like(text_at(recipient, NULL, "sent"), value))
            return true;
    }
    return false;
}

static bool holds_rule(const json_t *entry, struct str value)
{
    size_t i;
    const json_t *rule;
    const json_t *rules = json_object_get(entry, "rules");
    json_array_foreach(rules, i, rule)
    {
        if (is_like(text_at(rule, NULL, "rule"), value))
            return true;
    }
    return is_like(text_at(entry, NULL, "rule"), value);
}

static bool holds_client(const json_t *entry, struct str value)
{
    struct cidr network;
    struct ip address;
    struct str text = text_at(entry, "client", "ip");
    if (text.p != NULL && cidr_parse(value, &network) == 0 &&
        ip_parse(text, &address) == 0)
        return cidr_contains(&network, &address);
    return is_like(text, value);
}

static bool holds_verdict(const json_t *entry, struct str value)
{
    return is_like(text_at(entry, NULL, "verdict"), value);
}

static bool holds_listener(const json_t *entry, struct str value)
{
    return is_like(text_at(entry, NULL, "listener"), value);
}

static bool holds_id(const json_t *entry, struct str value)
{
    return is_like(text_at(entry, NULL, "id"), value) ||
           is_like(text_at(entry, NULL, "session"), value);
}

/* A candidate policy disagrees, about the whole or about a recipient, or a
 * rule in shadow mode would have acted. */
static bool holds_shadow(const json_t *entry, struct str value)
{
    size_t i;
    const json_t *item;
    const json_t *recipients = json_object_get(entry, "rcpt");
    const json_t *rules = json_object_get(entry, "rules");
    (void)value; /* "differs" is all there is */
    if (json_object_get(entry, "shadow") != NULL)
        return true;
    json_array_foreach(recipients, i, item)
    {
        if (json_object_get(item, "shadow") != NULL)
            return true;
    }
    json_array_foreach(rules, i, item)
    {
        if (str_equals(text_at(item, NULL, "mode"), STR("shadow")))
            return true;
    }
    return false;
}

static bool holds_event(const json_t *entry, struct str value)
{
    return str_equals(value, STR("all")) ||
           is_like(text_at(entry, NULL, "event"), value);
}

static const struct filter_key keys[] = {
    {.name = "user", .holds = holds_user},
    {.name = "from", .holds = holds_from},
    {.name = "to", .holds = holds_to},
    {.name = "verdict",
     .holds = holds_verdict,
     .words = {"accept", "reject", "defer", "abort"}},
    {.name = "rule", .holds = holds_rule},
    {.name = "listener", .holds = holds_listener},
    {.name = "client", .holds = holds_client},
    {.name = "id", .holds = holds_id},
    {.name = "shadow", .holds = holds_shadow, .words = {"differs"}},
    {.name = "event",
     .holds = holds_event,
     .words = {"session", "auth", "transaction", "limit", "list", "upstream",
               "config", "log"}},
};

void entry_filter_init(struct entry_filter *filter)
{
    *filter = (struct entry_filter){0};
}

bool entry_filter_is_word(struct str word)
{
    ptrdiff_t equals = str_index(word, '=');
    for (ptrdiff_t i = 0; i < equals; i++)
        if (!ascii_is_alpha(word.p[i]))
            return false;
    return equals > 0;
}

static int read_time(struct str value, uint64_t now_us, uint64_t *out,
                     char error[ENTRY_FILTER_ERROR_MAX])
{
    uint64_t ago_ms;
    if (quantity_duration(value, &ago_ms) == 0) {
        *out = ago_ms > now_us / 1000 ? 0 : now_us - ago_ms * 1000;
        return 0;
    }
    if (log_time_parse(value, out) == 0)
        return 0;
    snprintf(error, ENTRY_FILTER_ERROR_MAX,
             "\"%.*s\" is no time: write how long ago (30m, 2h, 1d) or "
             "2026-01-05T09:30",
             (int)str_head(value, 64).n, value.p);
    return -1;
}

static int add_word(struct entry_filter *filter, const struct filter_key *key,
                    struct str value, char error[ENTRY_FILTER_ERROR_MAX])
{
    if (filter->count == ENTRY_FILTER_MAX) {
        snprintf(error, ENTRY_FILTER_ERROR_MAX, "more than %d filters",
                 ENTRY_FILTER_MAX);
        return -1;
    }
    filter->words[filter->count++] = (struct filter_word){key, value};
    if (key->holds == holds_event || key->holds == holds_id)
        filter->is_complete = true;
    return 0;
}

/* A word that never stands there would show nothing, in silence. */
static int check_word(const struct filter_key *key, struct str value,
                      char error[ENTRY_FILTER_ERROR_MAX])
{
    size_t count = 0;
    bool is_known =
        glob_has_star(value) || key->words[0] == NULL ||
        (key->holds == holds_event && str_equals(value, STR("all")));
    for (; key->words[count] != NULL; count++)
        is_known =
            is_known || str_equals_nocase(value, str_from(key->words[count]));
    if (is_known)
        return 0;
    const char *nearest = nearest_word(value, key->words, count);
    snprintf(error, ENTRY_FILTER_ERROR_MAX, "there is no %s %.*s%s%s%s",
             key->name, (int)str_head(value, 32).n, value.p,
             nearest == NULL ? "" : ", did you mean ",
             nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
    return -1;
}

static int say_unknown(struct str key, char error[ENTRY_FILTER_ERROR_MAX])
{
    int length = snprintf(error, ENTRY_FILTER_ERROR_MAX,
                          "there is no filter %.*s=; known are",
                          (int)str_head(key, 32).n, key.p);
    size_t used = (size_t)length;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        used += (size_t)snprintf(error + used, ENTRY_FILTER_ERROR_MAX - used,
                                 " %s=", keys[i].name);
    snprintf(error + used, ENTRY_FILTER_ERROR_MAX - used, " since= until=");
    return -1;
}

int entry_filter_add(struct entry_filter *filter, struct str word,
                     uint64_t now_us, char error[ENTRY_FILTER_ERROR_MAX])
{
    struct str key, value;
    str_cut(word, '=', &key, &value);
    if (str_equals(key, STR("since"))) {
        filter->has_since = true;
        return read_time(value, now_us, &filter->since_us, error);
    }
    if (str_equals(key, STR("until"))) {
        filter->has_until = true;
        return read_time(value, now_us, &filter->until_us, error);
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (str_equals(key, str_from(keys[i].name)))
            return check_word(&keys[i], value, error) != 0
                       ? -1
                       : add_word(filter, &keys[i], value, error);
    return say_unknown(key, error);
}

/* What people watch: mails, logins that fail, lists and budgets that someone
 * changes, upstreams that go and come, and lines that were lost. */
static bool is_routine(const json_t *entry)
{
    struct str event = text_at(entry, NULL, "event");
    if (str_equals(event, STR("auth")))
        return str_equals(text_at(entry, "auth", "result"), STR("ok"));
    if (str_equals(event, STR("limit")))
        return text_at(entry, NULL, "did").p == NULL;
    return !str_equals(event, STR("transaction")) &&
           !str_equals(event, STR("list")) &&
           !str_equals(event, STR("upstream")) &&
           !str_equals(event, STR("log"));
}

static bool is_in_time(const struct entry_filter *filter, const json_t *entry)
{
    uint64_t us;
    if (!filter->has_since && !filter->has_until)
        return true;
    struct str time = text_at(entry, NULL, "time");
    if (time.p == NULL || log_time_parse(time, &us) != 0)
        return false;
    return (!filter->has_since || us >= filter->since_us) &&
           (!filter->has_until || us < filter->until_us);
}

/* Whether any word with the same key as words[first] holds. */
static bool key_holds(const struct entry_filter *filter, size_t first,
                      const json_t *entry)
{
    const struct filter_key *key = filter->words[first].key;
    for (size_t i = first; i < filter->count; i++)
        if (filter->words[i].key == key &&
            key->holds(entry, filter->words[i].value))
            return true;
    return false;
}

static bool is_first_of_key(const struct entry_filter *filter, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (filter->words[i].key == filter->words[at].key)
            return false;
    return true;
}

bool entry_filter_matches(const struct entry_filter *filter,
                          const json_t *entry)
{
    if (!filter->is_complete && is_routine(entry))
        return false;
    for (size_t i = 0; i < filter->count; i++)
        if (is_first_of_key(filter, i) && !key_holds(filter, i, entry))
            return false;
    return is_in_time(filter, entry);
}
