#include "rules/quantity.h"

#define SIZE_LARGEST (UINT64_C(1) << 53)
#define DURATION_LONGEST_MS (UINT64_C(366) * 24 * 60 * 60 * 1000)

/* Splits "25M" into its digits and what stands behind them. */
static int leading_number(struct str text, uint64_t *number, struct str *rest)
{
    size_t digits = 0;
    while (digits < text.n && ascii_is_digit(text.p[digits]))
        digits++;
    *rest = str_skip(text, digits);
    return str_to_u64(str_head(text, digits), number);
}

static int times(uint64_t number, uint64_t unit, uint64_t most, uint64_t *out)
{
    if (number > most / unit)
        return -1;
    *out = number * unit;
    return 0;
}

int quantity_size(struct str text, uint64_t *out)
{
    static const char LETTERS[] = "kmgt";
    uint64_t number, unit = 1;
    struct str rest;
    if (leading_number(text, &number, &rest) != 0 || rest.n > 1)
        return -1;
    if (rest.n == 0)
        return times(number, 1, SIZE_LARGEST, out);
    ptrdiff_t index = str_index(STR(LETTERS), ascii_lower(rest.p[0]));
    if (index < 0)
        return -1;
    for (ptrdiff_t i = 0; i <= index; i++)
        unit *= 1024;
    return times(number, unit, SIZE_LARGEST, out);
}

static int duration_unit(struct str word, uint64_t *out)
{
    static const struct {
        struct str word;
        uint64_t ms;
    } UNITS[] = {
        {STR_INIT("ms"), 1},        {STR_INIT("s"), 1000},
        {STR_INIT("m"), 60 * 1000}, {STR_INIT("h"), 60 * 60 * 1000},
        {STR_INIT("d"), 86400000},
    };
    for (size_t i = 0; i < sizeof UNITS / sizeof UNITS[0]; i++) {
        if (str_equals(word, UNITS[i].word)) {
            *out = UNITS[i].ms;
            return 0;
        }
    }
    return -1;
}

int quantity_duration(struct str text, uint64_t *out_ms)
{
    uint64_t number, unit;
    struct str rest;
    if (leading_number(text, &number, &rest) != 0 ||
        duration_unit(rest, &unit) != 0)
        return -1;
    return times(number, unit, DURATION_LONGEST_MS, out_ms);
}

int quantity_rate(struct str text, struct rate *out)
{
    struct str amount, period;
    *out = (struct rate){0};
    if (!str_cut(text, '/', &amount, &period))
        return quantity_size(text, &out->amount);
    if (quantity_size(amount, &out->amount) != 0 || out->amount == 0)
        return -1;
    if (duration_unit(period, &out->period_ms) != 0 &&
        quantity_duration(period, &out->period_ms) != 0)
        return -1;
    return out->period_ms == 0 ? -1 : 0;
}

#define PERCENT_DECIMALS 4

int quantity_percent(struct str text, uint64_t *out_ppm)
{
    struct str number, whole, decimals, behind;
    uint64_t percent, part = 0;
    if (!str_cut(text, '%', &number, &behind) || behind.n > 0)
        return -1;
    bool has_decimals = str_cut(number, '.', &whole, &decimals);
    if (str_to_u64(whole, &percent) != 0 || percent > 100)
        return -1;
    if (has_decimals && (decimals.n > PERCENT_DECIMALS ||
                         str_to_u64(decimals, &part) != 0))
        return -1;
    for (size_t i = decimals.n; i < PERCENT_DECIMALS; i++)
        part *= 10;
    *out_ppm = percent * 10000 + part;
    return *out_ppm > 1000000 ? -1 : 0;
}

struct str quantity_wait_text(struct arena *arena, uint64_t ms)
{
    uint64_t seconds = ms / 1000 + (ms % 1000 != 0);
    unsigned long long days = seconds / 86400, hours = seconds / 3600 % 24,
                       minutes = seconds / 60 % 60, rest = seconds % 60;
    if (days > 0)
        return arena_printf(arena, hours > 0 ? "%llud %lluh" : "%llud", days,
                            hours);
    if (hours > 0)
        return arena_printf(arena, minutes > 0 ? "%lluh %llum" : "%lluh", hours,
                            minutes);
    if (minutes > 0)
        return arena_printf(arena, rest > 0 ? "%llum %llus" : "%llum", minutes,
                            rest);
    return arena_printf(arena, "%llus", rest);
}
