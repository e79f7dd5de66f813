#include "proxy/log/entry_view.h"

#include <string.h>
#include <time.h>

#include "proxy/log/log_time.h"
#include "proxy/log/printable.h"

#define VALUE_MAX 2048
#define PAIRS_DEPTH 3

#define RED "\x1b[31m"
#define GREEN "\x1b[32m"
#define YELLOW "\x1b[33m"
#define DIM "\x1b[2m"
#define PLAIN "\x1b[0m"

struct view {
    FILE *to;
    bool is_coloured;
};

static void put_colour(const struct view *view, const char *colour)
{
    if (view->is_coloured)
        fputs(colour, view->to);
}

static void put_text(const struct view *view, struct str text)
{
    char shown[VALUE_MAX];
    fwrite(shown, 1, printable(text, shown, sizeof shown), view->to);
}

static struct str text_of(const json_t *value)
{
    if (!json_is_string(value))
        return (struct str){NULL, 0};
    return str_span(json_string_value(value), json_string_length(value));
}

static struct str text_at(const json_t *object, const char *key)
{
    return text_of(json_object_get(object, key));
}

/* " text", or " -" where there is none. */
static void put_field(const struct view *view, struct str text)
{
    fputc(' ', view->to);
    put_text(view, text.p == NULL ? STR("-") : text);
}

static void put_time(const struct view *view, const json_t *entry)
{
    uint64_t us;
    char text[32];
    struct tm tm;
    struct str time = text_at(entry, "time");
    if (time.p == NULL || log_time_parse(time, &us) != 0) {
        fputs("(no time)", view->to);
        return;
    }
    time_t seconds = (time_t)(us / 1000000);
    if (localtime_r(&seconds, &tm) != NULL &&
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm) > 0)
        fputs(text, view->to);
}

static void put_verdict(const struct view *view, struct str verdict)
{
    const char *colour = RED;
    if (str_equals(verdict, STR("accept")))
        colour = GREEN;
    else if (str_equals(verdict, STR("defer")) ||
             str_equals(verdict, STR("abort")))
        colour = YELLOW;
    put_colour(view, colour);
    put_field(view, verdict);
    put_colour(view, PLAIN);
}

static void put_envelope(const struct view *view, const json_t *entry)
{
    struct str from = text_at(json_object_get(entry, "mail"), "from");
    const json_t *recipients = json_object_get(entry, "rcpt");
    size_t count = json_array_size(recipients);
    put_field(view, from.p != NULL && from.n == 0 ? STR("<>") : from);
    fputs(" →", view->to);
    put_field(view, text_at(json_array_get(recipients, 0), "to"));
    if (count > 1)
        fprintf(view->to, " (+%zu)", count - 1);
}

static void put_size(const struct view *view, const json_t *entry)
{
    static const char units[] = " KMGT";
    const json_t *size =
        json_object_get(json_object_get(entry, "message"), "bytes");
    if (size == NULL)
        size = json_object_get(json_object_get(entry, "mail"), "size");
    if (!json_is_integer(size))
        return;
    double octets = (double)json_integer_value(size);
    size_t unit = 0;
    for (; octets >= 1024 && unit < sizeof units - 2; unit++)
        octets /= 1024;
    if (unit == 0)
        fprintf(view->to, " %.0f", octets);
    else
        fprintf(view->to, " %.1f%c", octets, units[unit]);
}

/* The answer to the client; where the line has none, the upstream's. */
static void put_reply(const struct view *view, const json_t *entry)
{
    struct str reply = text_at(entry, "reply");
    if (reply.p == NULL)
        reply = text_at(json_object_get(entry, "upstream"), "reply");
    if (reply.p != NULL)
        put_field(view, reply);
}

static bool is_named_before(const json_t *rules, size_t at, struct str name)
{
    for (size_t i = 0; i < at; i++)
        if (str_equals(text_at(json_array_get(rules, i), "rule"), name))
            return true;
    return false;
}

static void put_rules(const struct view *view, const json_t *entry)
{
    const json_t *rules = json_object_get(entry, "rules");
    const char *before = " [";
    for (size_t i = 0; i < json_array_size(rules); i++) {
        struct str name = text_at(json_array_get(rules, i), "rule");
        if (name.p == NULL || is_named_before(rules, i, name))
            continue;
        fputs(before, view->to);
        put_text(view, name);
        if (text_at(json_array_get(rules, i), "mode").p != NULL)
            fputs(" (shadow)", view->to);
        before = ", ";
    }
    if (before[0] == ',')
        fputc(']', view->to);
}

/* What the candidate policy would have done instead. */
static void put_shadow(const struct view *view, const json_t *shadow)
{
    struct str rule = text_at(shadow, "rule");
    struct str reply = text_at(shadow, "reply");
    if (shadow == NULL)
        return;
    fputs(" {shadow: ", view->to);
    put_text(view, text_at(shadow, "verdict"));
    if (reply.p != NULL)
        put_field(view, reply);
    if (rule.p != NULL) {
        fputs(" by ", view->to);
        put_text(view, rule);
    }
    fputc('}', view->to);
}

static void put_shadows(const struct view *view, const json_t *entry)
{
    size_t i;
    const json_t *recipient;
    const json_t *recipients = json_object_get(entry, "rcpt");
    put_shadow(view, json_object_get(entry, "shadow"));
    json_array_foreach(recipients, i, recipient)
    {
        put_shadow(view, json_object_get(recipient, "shadow"));
    }
}

/* The caps and deadlines that the client crossed. */
static void put_caps(const struct view *view, const json_t *entry)
{
    const json_t *caps = json_object_get(entry, "caps");
    for (size_t i = 0; i < json_array_size(caps); i++) {
        fputs(i == 0 ? " over " : ", ", view->to);
        put_text(view, text_of(json_array_get(caps, i)));
    }
}

static void put_upstream(const struct view *view, const json_t *entry)
{
    const json_t *upstream = json_object_get(entry, "upstream");
    struct str queue_id = text_at(upstream, "queue_id");
    struct str fault = text_at(upstream, "fault");
    if (queue_id.p != NULL) {
        put_field(view, text_at(upstream, "name"));
        fputc(':', view->to);
        put_text(view, queue_id);
    }
    if (fault.p != NULL) {
        fputs(" (", view->to);
        put_text(view, fault);
        fputc(')', view->to);
    }
    if (json_is_true(json_object_get(entry, "uncertain")))
        fputs(" uncertain", view->to);
}

static void put_duration(const struct view *view, const json_t *entry)
{
    const json_t *total =
        json_object_get(json_object_get(entry, "ms"), "total");
    if (json_is_number(total))
        fprintf(view->to, " %.0f ms", json_number_value(total));
}

static void put_transaction(const struct view *view, const json_t *entry)
{
    put_time(view, entry);
    put_colour(view, DIM);
    put_field(view, text_at(entry, "id"));
    put_colour(view, PLAIN);
    put_verdict(view, text_at(entry, "verdict"));
    put_field(view, text_at(json_object_get(entry, "auth"), "user"));
    put_envelope(view, entry);
    put_size(view, entry);
    put_reply(view, entry);
    put_caps(view, entry);
    put_rules(view, entry);
    put_shadows(view, entry);
    put_upstream(view, entry);
    put_duration(view, entry);
}

static void put_auth(const struct view *view, const json_t *entry)
{
    const json_t *auth = json_object_get(entry, "auth");
    struct str user = text_at(auth, "user");
    put_time(view, entry);
    put_field(view, text_at(entry, "id"));
    fputs(" auth", view->to);
    put_field(view, text_at(auth, "result"));
    put_field(view, user.p == NULL ? text_at(auth, "name") : user);
    fputs(" from", view->to);
    put_field(view, text_at(json_object_get(entry, "client"), "ip"));
    put_field(view, text_at(auth, "mechanism"));
    put_field(view, text_at(entry, "listener"));
}

static void put_scalar(const struct view *view, const json_t *value)
{
    if (json_is_string(value))
        put_text(view, text_of(value));
    else if (json_is_integer(value))
        fprintf(view->to, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        fprintf(view->to, "%.2f", json_real_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "true" : "false", view->to);
    else
        fputs("null", view->to);
}

/* What the line shows in front of the pairs, and what is too long for it. */
static bool is_passed_over(const char *key)
{
    static const char *const keys[] = {"time", "event",  "id", "session",
                                       "port", "cipher", "ms"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* key=value of every scalar, of objects within too. */
static void put_pairs(const struct view *view, const json_t *object, int depth)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (is_passed_over(key) || json_is_array(value))
            continue;
        if (json_is_object(value)) {
            if (depth > 1)
                put_pairs(view, value, depth - 1);
            continue;
        }
        put_field(view, str_from(key));
        fputc('=', view->to);
        put_scalar(view, value);
    }
}

static void put_other(const struct view *view, const json_t *entry)
{
    struct str id = text_at(entry, "id");
    put_time(view, entry);
    if (id.p != NULL)
        put_field(view, id);
    put_field(view, text_at(entry, "event"));
    put_pairs(view, entry, PAIRS_DEPTH);
    put_caps(view, entry);
    put_duration(view, entry);
}

void entry_view_print(FILE *to, const json_t *entry, bool is_coloured)
{
    const struct view view = {to, is_coloured};
    struct str event = text_at(entry, "event");
    if (str_equals(event, STR("transaction"))) {
        put_transaction(&view, entry);
        fputc('\n', to);
        return;
    }
    put_colour(&view, DIM);
    if (str_equals(event, STR("auth")))
        put_auth(&view, entry);
    else
        put_other(&view, entry);
    put_colour(&view, PLAIN);
    fputc('\n', to);
}
