#include "proxy/smtp/param_values.h"

#include "proxy/smtp/unitext.h"
#include "proxy/smtp/xtext.h"

#define ENVID_MAX 100 /* RFC 3461 4.4 */
#define ORCPT_MAX 500 /* RFC 3461 4.2 */
#define SECONDS_MAX_DIGITS 9

static bool is_digits(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!ascii_is_digit(text.p[i]))
            return false;
    return text.n > 0;
}

bool ret_is_valid(struct str value)
{
    return str_equals_nocase(value, STR("FULL")) ||
           str_equals_nocase(value, STR("HDRS"));
}

bool envid_is_valid(struct str value)
{
    return value.n > 0 && value.n <= ENVID_MAX && xtext_is_valid(value);
}

bool notify_is_valid(struct str value)
{
    static const struct str occasions[] = {
        STR_INIT("SUCCESS"), STR_INIT("FAILURE"), STR_INIT("DELAY")};
    struct str word;
    unsigned seen = 0;
    bool has_more = true;
    if (str_equals_nocase(value, STR("NEVER")))
        return true;
    while (has_more) {
        size_t i = 0;
        has_more = str_cut(value, ',', &word, &value);
        while (i < 3 && !str_equals_nocase(word, occasions[i]))
            i++;
        /* Twice the same would have no end. */
        if (i == 3 || (seen & (1U << i)) != 0)
            return false;
        seen |= 1U << i;
    }
    return true;
}

static bool is_atom(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (!ascii_is_alpha(text.p[i]) && !ascii_is_digit(text.p[i]) &&
            text.p[i] != '-')
            return false;
    return text.n > 0;
}

bool orcpt_is_valid(struct str value)
{
    struct str type;
    struct str address;
    if (value.n > ORCPT_MAX || !str_cut(value, ';', &type, &address) ||
        address.n == 0 || !is_atom(type))
        return false;
    if (str_equals_nocase(type, STR("utf-8")))
        return unitext_is_valid(address);
    return xtext_is_valid(address);
}

bool hold_for_is_valid(struct str value)
{
    return value.n <= SECONDS_MAX_DIGITS && is_digits(value);
}

bool hold_until_is_valid(struct str value)
{
    static const char form[] = "0000-10-30T20:50:50Z";
    /* Digits of the form are the greatest that may stand there first; a "0"
     * takes any. */
    if (value.n != sizeof form - 1)
        return false;
    for (size_t i = 0; i < value.n; i++) {
        char want = form[i];
        char c = value.p[i];
        if (!ascii_is_digit(want)
                ? c != want
                : !ascii_is_digit(c) || (want != '0' && c > want))
            return false;
    }
    uint64_t month = 0;
    uint64_t day = 0;
    uint64_t hour = 0;
    return str_to_u64(str_head(str_skip(value, 5), 2), &month) == 0 &&
           str_to_u64(str_head(str_skip(value, 8), 2), &day) == 0 &&
           str_to_u64(str_head(str_skip(value, 11), 2), &hour) == 0 &&
           month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23;
}

bool priority_is_valid(struct str value)
{
    if (value.n == 2 && value.p[0] == '-')
        return value.p[1] >= '1' && value.p[1] <= '9';
    return value.n == 1 && ascii_is_digit(value.p[0]);
}

int64_t deliver_by_seconds(struct str value)
{
    struct str time;
    struct str rest;
    uint64_t seconds = 0;
    str_cut(value, ';', &time, &rest);
    bool is_negative = time.n > 0 && time.p[0] == '-';
    if (time.n > 0 && (is_negative || time.p[0] == '+'))
        time = str_skip(time, 1);
    (void)str_to_u64(time, &seconds);
    return is_negative ? -(int64_t)seconds : (int64_t)seconds;
}

bool deliver_by_is_valid(struct str value)
{
    struct str time;
    struct str mode;
    if (!str_cut(value, ';', &time, &mode))
        return false;
    if (time.n > 0 && (time.p[0] == '-' || time.p[0] == '+'))
        time = str_skip(time, 1);
    if (!hold_for_is_valid(time) || mode.n < 1 || mode.n > 2)
        return false;
    if (mode.n == 2 && ascii_lower(mode.p[1]) != 't')
        return false;
    char kind = ascii_lower(mode.p[0]);
    return kind == 'n' || (kind == 'r' && deliver_by_seconds(value) > 0);
}

bool auth_is_valid(struct str value)
{
    return str_equals(value, STR("<>")) ||
           (value.n > 0 && xtext_is_valid(value));
}
