#include "proxy/smtp/params.h"

#include "rules/address.h"
#include "rules/cidr.h"

#define KEYWORD_SHOWN_MAX 32
#define SIZE_MAX_DIGITS 20 /* RFC 1870 5 */

struct param {
    struct str keyword;
    struct str value;
    bool has_value;
};

/* esmtp-keyword: letters, digits and hyphens, the last not first. */
static bool is_keyword(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && (c != '-' || i == 0))
            return false;
    }
    return text.n > 0;
}

/* esmtp-value: printable, no '='. */
static bool is_value(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '!' || text.p[i] > '~' || text.p[i] == '=')
            return false;
    return text.n > 0;
}

/* The next parameter off *text; false at its end. */
static bool next_param(struct str *text, struct param *out)
{
    struct str word = {NULL, 0};
    while (word.n == 0) {
        if (text->n == 0)
            return false;
        str_cut(*text, ' ', &word, text);
    }
    out->has_value = str_cut(word, '=', &out->keyword, &out->value);
    return true;
}

static enum params_error read_size(struct str value, struct mail_params *out)
{
    if (value.n > SIZE_MAX_DIGITS || str_to_u64(value, &out->size) < 0)
        return PARAMS_SYNTAX;
    out->has_size = true;
    return PARAMS_OK;
}

static enum params_error read_body(struct str value, struct mail_params *out)
{
    /* Known, but not offered: RFC 3030 3. */
    if (str_equals_nocase(value, STR("BINARYMIME")))
        return PARAMS_UNKNOWN;
    if (str_equals_nocase(value, STR("7BIT")))
        out->body = BODY_7BIT;
    else if (str_equals_nocase(value, STR("8BITMIME")))
        out->body = BODY_8BITMIME;
    else
        return PARAMS_SYNTAX;
    return PARAMS_OK;
}

static bool is_upper_hex(char c)
{
    return ascii_is_digit(c) || (c >= 'A' && c <= 'F');
}

/* RFC 3461 4; that all is printable has been seen to. */
static bool is_xtext(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '+')
            continue;
        if (text.n - i < 3 || !is_upper_hex(text.p[i + 1]) ||
            !is_upper_hex(text.p[i + 2]))
            return false;
        i += 2;
    }
    return true;
}

/* Who is said to have sent it first is not ours to vouch for: RFC 4954 5. */
static enum params_error read_auth(struct str value, struct mail_params *out)
{
    (void)out;
    if (str_equals(value, STR("<>")) || is_xtext(value))
        return PARAMS_OK;
    return PARAMS_SYNTAX;
}

struct mail_row {
    struct str keyword;
    enum params_error (*read)(struct str value, struct mail_params *out);
};

static const struct mail_row MAIL_ROWS[] = {
    {STR_INIT("SIZE"), read_size},
    {STR_INIT("BODY"), read_body},
    {STR_INIT("AUTH"), read_auth},
};

#define MAIL_ROW_COUNT (sizeof MAIL_ROWS / sizeof *MAIL_ROWS)

static enum params_error read_mail_param(const struct param *param,
                                         bool seen[MAIL_ROW_COUNT],
                                         struct mail_params *out)
{
    if (!is_keyword(param->keyword))
        return PARAMS_SYNTAX;
    if (param->has_value && !is_value(param->value))
        return PARAMS_SYNTAX;
    for (size_t i = 0; i < MAIL_ROW_COUNT; i++) {
        if (!str_equals_nocase(param->keyword, MAIL_ROWS[i].keyword))
            continue;
        if (seen[i] || !param->has_value)
            return PARAMS_SYNTAX;
        seen[i] = true;
        return MAIL_ROWS[i].read(param->value, out);
    }
    return PARAMS_UNKNOWN;
}

enum params_error mail_params_parse(struct str text, struct mail_params *out,
                                    struct str *what)
{
    struct param param;
    bool seen[MAIL_ROW_COUNT] = {false};
    *out = (struct mail_params){.body = BODY_ABSENT};
    *what = str_head(text, 0);
    while (next_param(&text, &param)) {
        enum params_error error = read_mail_param(&param, seen, out);
        if (error != PARAMS_OK) {
            *what = str_head(param.keyword, KEYWORD_SHOWN_MAX);
            return error;
        }
    }
    return PARAMS_OK;
}

enum params_error rcpt_params_parse(struct str text, struct str *what)
{
    struct param param;
    *what = str_head(text, 0);
    if (!next_param(&text, &param))
        return PARAMS_OK;
    *what = str_head(param.keyword, KEYWORD_SHOWN_MAX);
    if (!is_keyword(param.keyword))
        return PARAMS_SYNTAX;
    if (param.has_value && !is_value(param.value))
        return PARAMS_SYNTAX;
    return PARAMS_UNKNOWN;
}

bool helo_name_is_valid(struct str name)
{
    struct ip ip;
    struct str label;
    bool has_more = true;
    if (name.n > ADDRESS_MAX_OCTETS)
        return false;
    if (address_is_literal(name) || ip_parse(name, &ip) == 0)
        return true;
    while (has_more) {
        has_more = str_cut(name, '.', &label, &name);
        if (!address_is_label(label))
            return false;
    }
    return true;
}
