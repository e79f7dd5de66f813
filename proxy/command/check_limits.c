#include "proxy/command/check_limits.h"

#include <inttypes.h>

#include "rules/problem.h"
#include "rules/rule.h"
#include "rules/ruleset.h"

/* Room for a sentence; a longer one is cut. */
#define LINE_ROOM 512

/* Distinct units remember what they saw; the others fill again. */
static bool is_distinct(enum limit_unit unit)
{
    return unit == UNIT_NETWORKS || unit == UNIT_LOGINS;
}

static bool is_octets(enum limit_unit unit)
{
    return unit == UNIT_SIZE || unit == UNIT_BYTES ||
           unit == UNIT_HEADER_BYTES || unit == UNIT_LINE;
}

/* 10M where it is octets and leaves no rest. */
static const char *amount_text(enum limit_unit unit, uint64_t amount,
                               char room[32])
{
    static const char letters[] = "TGMK";
    for (unsigned i = 0; is_octets(unit) && i < 4; i++) {
        uint64_t factor = UINT64_C(1) << (10 * (4 - i));
        if (amount != 0 && amount % factor == 0) {
            snprintf(room, 32, "%" PRIu64 "%c", amount / factor, letters[i]);
            return room;
        }
    }
    snprintf(room, 32, "%" PRIu64, amount);
    return room;
}

static const char *what(enum limit_unit unit)
{
    static const char *const words[UNIT_COUNT] = {
        [UNIT_SIZE] = "octets",
        [UNIT_RECIPIENTS] = "recipients",
        [UNIT_HEADERS] = "header fields",
        [UNIT_HEADER_BYTES] = "octets of header",
        [UNIT_HOPS] = "Received fields",
        [UNIT_LINE] = "octets a line",
        [UNIT_CONNECTIONS] = "connections",
        [UNIT_MESSAGES] = "messages",
        [UNIT_BYTES] = "octets",
        [UNIT_FAILURES] = "failed logins",
        [UNIT_REJECTS] = "refusals of the upstream",
        [UNIT_NEW_RECIPIENTS] = "new recipients",
        [UNIT_NETWORKS] = "different networks",
        [UNIT_LOGINS] = "different logins",
    };
    return words[unit];
}

static const char *period_text(uint64_t ms, char room[32])
{
    static const struct {
        uint64_t ms;
        const char *name;
    } units[] = {{86400000, "day"},
                 {3600000, "hour"},
                 {60000, "minute"},
                 {1000, "second"},
                 {1, "millisecond"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (ms % units[i].ms != 0)
            continue;
        if (ms == units[i].ms)
            snprintf(room, 32, "any %s", units[i].name);
        else
            snprintf(room, 32, "any %" PRIu64 " %ss", ms / units[i].ms,
                     units[i].name);
        break;
    }
    return room;
}

static uint64_t burst_of(const struct limit *limit)
{
    return limit->burst != 0 ? limit->burst : limit->rate.amount;
}

static uint64_t in_any_period(const struct limit *limit)
{
    return is_distinct(limit->unit) ? limit->rate.amount
                                    : burst_of(limit) + limit->rate.amount;
}

/* Of a limit that a list gives, nothing is known here but how it counts. */
static void say_mapped(const struct limit *limit, char line[LINE_ROOM])
{
    char burst[32];
    if (limit->burst != 0)
        snprintf(line, LINE_ROOM,
                 "%.*s: at most %s %s at once, and in any period that and the "
                 "list's figure",
                 PROBLEM_STR(limit->text),
                 amount_text(limit->unit, limit->burst, burst),
                 what(limit->unit));
    else
        snprintf(line, LINE_ROOM,
                 "%.*s: the list's figure of %s at once, and in any period "
                 "twice that",
                 PROBLEM_STR(limit->text), what(limit->unit));
}

static void say_rate(const struct limit *limit, char line[LINE_ROOM])
{
    char burst[32];
    char most[32];
    char period[32] = "";
    amount_text(limit->unit, burst_of(limit), burst);
    amount_text(limit->unit, in_any_period(limit), most);
    period_text(limit->rate.period_ms, period);
    if (is_distinct(limit->unit))
        snprintf(line, LINE_ROOM, "at most %s %s in %s", most,
                 what(limit->unit), period);
    else
        snprintf(line, LINE_ROOM, "at most %s %s at once, at most %s in %s",
                 burst, what(limit->unit), most, period);
}

static void say(const struct limit *limit, char line[LINE_ROOM])
{
    char most[32];
    if (limit->value != NULL)
        say_mapped(limit, line);
    else if (limit->rate.period_ms != 0)
        say_rate(limit, line);
    else
        snprintf(line, LINE_ROOM, "at most %s %s %s",
                 amount_text(limit->unit, limit->rate.amount, most),
                 what(limit->unit),
                 limit->unit == UNIT_CONNECTIONS ? "at the same time"
                                                 : "a message");
}

static void print_by(const struct limit *limit, FILE *to)
{
    for (size_t i = 0; i < limit->by_count; i++)
        fprintf(to, "%s%.*s", i == 0 ? ", by " : ", else ",
                PROBLEM_STR(limit->by[i].source));
    if (limit->by_count == 0 &&
        (limit->rate.period_ms != 0 || limit->value != NULL))
        fputs(", by all together", to);
}

static void print_limit(const struct rule *rule, FILE *to)
{
    char line[LINE_ROOM];
    const struct limit *limit = rule->limit;
    say(limit, line);
    fprintf(to, "  %.*s (%s): %s", PROBLEM_STR(rule->name),
            stage_name(rule->stage), line);
    print_by(limit, to);
    if (limit->warn_percent != 0)
        fprintf(to, ", logged from %u%% on", limit->warn_percent);
    if (rule->mode != RULE_LIVE)
        fputs(rule->mode == RULE_OFF ? " (off)" : " (shadow)", to);
    fputc('\n', to);
}

void check_limits_print(const struct settings *settings, FILE *to)
{
    bool has_any = false;
    for (enum stage s = 0; s < STAGE_COUNT; s++) {
        for (size_t i = 0; i < ruleset_count(settings->rules, s); i++) {
            const struct rule *rule = ruleset_rule(settings->rules, s, i);
            if (rule->limit == NULL)
                continue;
            if (!has_any)
                fputs("limits:\n", to);
            has_any = true;
            print_limit(rule, to);
        }
    }
}

static json_t *text_json(struct str text)
{
    return json_stringn(text.p == NULL ? "" : text.p, text.n);
}

static json_t *limit_json(const struct rule *rule)
{
    const struct limit *limit = rule->limit;
    json_t *by = json_array();
    char line[LINE_ROOM];
    say(limit, line);
    for (size_t i = 0; i < limit->by_count; i++)
        json_array_append_new(by, text_json(limit->by[i].source));
    json_t *object = json_pack(
        "{s:o, s:s, s:s, s:o, s:o, s:s}", "rule", text_json(rule->name),
        "stage", stage_name(rule->stage), "unit", unit_row(limit->unit)->name,
        "limit", text_json(limit->text), "by", by, "text", line);
    if (limit->value != NULL)
        return object;
    (void)json_object_set_new(object, "at_once",
                              json_integer((json_int_t)burst_of(limit)));
    if (limit->rate.period_ms == 0)
        return object;
    (void)json_object_set_new(object, "in_any_period",
                              json_integer((json_int_t)in_any_period(limit)));
    (void)json_object_set_new(object, "period_ms",
                              json_integer((json_int_t)limit->rate.period_ms));
    return object;
}

json_t *check_limits_json(const struct settings *settings)
{
    json_t *items = json_array();
    for (enum stage s = 0; s < STAGE_COUNT; s++) {
        for (size_t i = 0; i < ruleset_count(settings->rules, s); i++) {
            const struct rule *rule = ruleset_rule(settings->rules, s, i);
            if (rule->limit != NULL)
                json_array_append_new(items, limit_json(rule));
        }
    }
    return items;
}
