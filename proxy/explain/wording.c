#include "proxy/explain/wording.h"

#include <inttypes.h>

#define VALUES_SHOWN 6

static struct str or_empty(struct str text)
{
    return text.p == NULL ? STR("") : text;
}

struct str wording_fact(struct arena *arena, const struct fact_ref *ref)
{
    static const char *const parts[] = {
        [FACT_PART_ALL] = "",
        [FACT_PART_LOCAL] = ".local",
        [FACT_PART_DOMAIN] = ".domain",
        [FACT_PART_NAME] = ".name",
    };
    bool is_header = ref->fact == FACT_HEADER;
    return or_empty(
        arena_printf(arena, "%s%s%.*s%s", fact_name(ref->fact),
                     is_header ? "." : "", is_header ? (int)ref->header.n : 0,
                     is_header ? ref->header.p : "", parts[ref->part]));
}

/* `a, b and 3 more`. */
static struct str join(struct arena *arena, const struct str *items,
                       size_t count, size_t total)
{
    struct str out = STR("");
    if (count > VALUES_SHOWN)
        count = VALUES_SHOWN;
    for (size_t i = 0; i < count; i++)
        out = or_empty(arena_printf(arena, "%.*s%s%.*s", (int)out.n, out.p,
                                    i == 0 ? "" : ", ", (int)items[i].n,
                                    items[i].p));
    if (total > count)
        out = or_empty(arena_printf(arena, "%.*s and %zu more", (int)out.n,
                                    out.p, total - count));
    return out;
}

struct str wording_test(struct arena *arena, const struct test *test)
{
    struct str fact = wording_fact(arena, &test->fact);
    struct str values =
        join(arena, test->written, test->written_count, test->value_count);
    bool is_list = test->value_count > 1;
    return or_empty(arena_printf(
        arena, "%.*s%s%.*s%s %s%.*s%s", (int)fact.n, fact.p,
        test->word.n == 0 ? "" : " ", (int)test->word.n, test->word.p,
        test->word.n == 0 ? ":" : "", is_list ? "[" : "", (int)values.n,
        values.p, is_list ? "]" : ""));
}

/* `auth.addresses: a, b`. */
static struct str set_of_fact(struct arena *arena, const struct fact_ref *ref,
                              const struct facts *facts)
{
    struct fact_reader reader;
    struct fact_values values = {0};
    struct str name = wording_fact(arena, ref);
    fact_reader_init(&reader, facts, arena);
    if (fact_values_read(&reader, ref, &values) != 0 || !values.is_known)
        return name;
    if (values.count == 0)
        return or_empty(
            arena_printf(arena, "%.*s, which is empty", (int)name.n, name.p));
    struct str all = join(arena, values.items, values.count, values.count);
    return or_empty(arena_printf(arena, "one of %.*s: %.*s", (int)name.n,
                                 name.p, (int)all.n, all.p));
}

struct str wording_set(struct arena *arena, const struct test *test,
                       const struct facts *facts)
{
    const struct matcher *matcher = &test->matcher;
    if (test->value_count == 1 && matcher->template_count == 1 &&
        template_is_fact(&matcher->templates[0]))
        return set_of_fact(arena, &matcher->templates[0].segments[0].ref,
                           facts);
    struct str values =
        join(arena, test->written, test->written_count, test->value_count);
    if (test->value_count == 1 && values.n > 1 && values.p[0] == '@')
        return or_empty(arena_printf(arena, "in the list %.*s",
                                     (int)values.n - 1, values.p + 1));
    return or_empty(arena_printf(arena, "%s%.*s",
                                 test->value_count > 1 ? "one of " : "",
                                 (int)values.n, values.p));
}

static bool is_octets(enum limit_unit unit)
{
    return unit == UNIT_SIZE || unit == UNIT_BYTES ||
           unit == UNIT_HEADER_BYTES || unit == UNIT_LINE;
}

struct str wording_amount(struct arena *arena, enum limit_unit unit,
                          uint64_t amount)
{
    static const char units[] = {'K', 'M', 'G', 'T'};
    size_t at = 0;
    uint64_t whole = amount;
    if (!is_octets(unit) || amount == 0)
        return or_empty(arena_printf(arena, "%" PRIu64, amount));
    for (; at < sizeof units && whole % 1024 == 0; at++)
        whole /= 1024;
    if (at == 0)
        return or_empty(arena_printf(arena, "%" PRIu64, whole));
    return or_empty(arena_printf(arena, "%" PRIu64 "%c", whole, units[at - 1]));
}

static struct str period(struct arena *arena, uint64_t ms)
{
    static const struct {
        uint64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (ms % units[i].ms != 0)
            continue;
        if (ms == units[i].ms)
            return str_from(units[i].unit);
        return or_empty(arena_printf(arena, "%" PRIu64 "%s", ms / units[i].ms,
                                     units[i].unit));
    }
    return or_empty(arena_printf(arena, "%" PRIu64 "ms", ms));
}

struct str wording_rate(struct arena *arena, enum limit_unit unit,
                        const struct rate *rate)
{
    struct str amount = wording_amount(arena, unit, rate->amount);
    if (rate->period_ms == 0)
        return amount;
    struct str per = period(arena, rate->period_ms);
    return or_empty(arena_printf(arena, "%.*s/%.*s", (int)amount.n, amount.p,
                                 (int)per.n, per.p));
}

const char *wording_option(enum fact fact)
{
    static const char *const options[FACT_COUNT] = {
        [FACT_CLIENT_IP] = "--client",
        [FACT_CLIENT_NET] = "--client",
        [FACT_LISTENER] = "--listener",
        [FACT_HELO_NAME] = "--helo",
        [FACT_AUTH_NAME] = "--user",
        [FACT_AUTH_RESULT] = "--user",
        [FACT_AUTH_USER] = "--user",
        [FACT_AUTH_ADDRESSES] = "--addresses",
        [FACT_AUTH_GROUPS] = "--groups",
        [FACT_CLIENT_KNOWN] = "--client and --user",
        [FACT_MAIL_FROM] = "--from",
        [FACT_MAIL_ORIGINAL] = "--from",
        [FACT_MAIL_SIZE] = "--size",
        [FACT_RCPT_TO] = "--to",
        [FACT_RCPT_ORIGINAL] = "--to",
        [FACT_HEADER] = "--message",
        [FACT_HEADERS_COUNT] = "--message",
        [FACT_HEADERS_BYTES] = "--message",
        [FACT_HEADERS_HOPS] = "--message",
        [FACT_MESSAGE_BYTES] = "--message",
        [FACT_MESSAGE_LINES] = "--message",
        [FACT_MESSAGE_LONGEST_LINE] = "--message",
        [FACT_REPLY_CODE] = "--reply",
        [FACT_REPLY_TEXT] = "--reply",
        [FACT_REPLY_ENHANCED] = "--reply",
    };
    return options[fact] == NULL ? "--fact" : options[fact];
}
