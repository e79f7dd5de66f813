#include "proxy/smtp/params.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "proxy/smtp/param_values.h"
#include "rules/base/utf8.h"

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

/* esmtp-value: printable, no '='; UTF-8 too (RFC 6531 3.3), which each
 * parameter but ORCPT refuses by its own grammar. */
static bool is_value(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < '!' || text.p[i] == 0x7f ||
            text.p[i] == '=')
            return false;
    return text.n > 0 && utf8_is_valid(text);
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
    if (out->body == BODY_8BITMIME)
        out->extensions |= 1U << EXTENSION_8BITMIME;
    return PARAMS_OK;
}

/* A parameter's value is a text that is passed on, or has a reader of its
 * own, or is none at all: then it sets a flag. */
struct param_row {
    struct str keyword;
    unsigned extension; /* its bit; 0: none, or the reader says */
    bool (*is_valid)(struct str value);
    size_t at; /* of the text, or of the flag */
    enum params_error (*read)(struct str value, struct mail_params *out);
};

#define BIT(extension) (1U << (extension))
#define MAIL_AT(member) offsetof(struct mail_params, member)
#define RCPT_AT(member) offsetof(struct rcpt_params, member)

/* Who is said to have sent it first is not ours to vouch for (RFC 4954 5):
 * AUTH is checked, and dropped. */
static const struct param_row MAIL_ROWS[] = {
    {STR_INIT("SIZE"), 0, NULL, 0, read_size},
    {STR_INIT("BODY"), 0, NULL, 0, read_body},
    {STR_INIT("AUTH"), 0, auth_is_valid, 0, NULL},
    {STR_INIT("SMTPUTF8"), BIT(EXTENSION_SMTPUTF8), NULL, MAIL_AT(is_smtputf8),
     NULL},
    {STR_INIT("REQUIRETLS"), BIT(EXTENSION_REQUIRETLS), NULL,
     MAIL_AT(requires_tls), NULL},
    {STR_INIT("RET"), BIT(EXTENSION_DSN), ret_is_valid, MAIL_AT(ret), NULL},
    {STR_INIT("ENVID"), BIT(EXTENSION_DSN), envid_is_valid, MAIL_AT(envid),
     NULL},
    {STR_INIT("HOLDFOR"), BIT(EXTENSION_FUTURERELEASE), hold_for_is_valid,
     MAIL_AT(hold_for), NULL},
    {STR_INIT("HOLDUNTIL"), BIT(EXTENSION_FUTURERELEASE), hold_until_is_valid,
     MAIL_AT(hold_until), NULL},
    {STR_INIT("MT-PRIORITY"), BIT(EXTENSION_MT_PRIORITY), priority_is_valid,
     MAIL_AT(priority), NULL},
    {STR_INIT("BY"), BIT(EXTENSION_DELIVERBY), deliver_by_is_valid,
     MAIL_AT(deliver_by), NULL},
};

static const struct param_row RCPT_ROWS[] = {
    {STR_INIT("NOTIFY"), BIT(EXTENSION_DSN), notify_is_valid, RCPT_AT(notify),
     NULL},
    {STR_INIT("ORCPT"), BIT(EXTENSION_DSN), orcpt_is_valid, RCPT_AT(orcpt),
     NULL},
};

#define MAIL_ROW_COUNT (sizeof MAIL_ROWS / sizeof *MAIL_ROWS)
#define RCPT_ROW_COUNT (sizeof RCPT_ROWS / sizeof *RCPT_ROWS)

static struct str *text_at(void *params, const struct param_row *row)
{
    return (struct str *)((char *)params + row->at);
}

static bool is_dropped(const struct param_row *row)
{
    return row->is_valid != NULL && row->extension == 0;
}

static bool is_flag(const struct param_row *row)
{
    return row->is_valid == NULL && row->read == NULL;
}

static enum params_error take(const struct param_row *row,
                              const struct param *param, void *out)
{
    if (is_flag(row) == param->has_value)
        return PARAMS_SYNTAX;
    if (row->read != NULL)
        return row->read(param->value, out);
    if (is_flag(row))
        *(bool *)((char *)out + row->at) = true;
    else if (!row->is_valid(param->value))
        return PARAMS_SYNTAX;
    else if (!is_dropped(row))
        *text_at(out, row) = param->value;
    return PARAMS_OK;
}

/* Reads all parameters by a table of `count` rows. Bits of the extensions
 * that are asked for are added to *extensions. */
static enum params_error read_all(struct str text, const struct param_row *rows,
                                  size_t count, void *out, unsigned *extensions,
                                  struct str *what)
{
    struct param param;
    unsigned seen = 0;
    *what = str_head(text, 0);
    while (next_param(&text, &param)) {
        enum params_error error = PARAMS_UNKNOWN;
        size_t i = 0;
        while (i < count && !str_equals_nocase(param.keyword, rows[i].keyword))
            i++;
        if (!is_keyword(param.keyword) ||
            (param.has_value && !is_value(param.value)) || (seen & BIT(i)) != 0)
            error = PARAMS_SYNTAX;
        else if (i < count)
            error = take(&rows[i], &param, out);
        if (error != PARAMS_OK) {
            *what = str_head(param.keyword, KEYWORD_SHOWN_MAX);
            return error;
        }
        seen |= BIT(i);
        *extensions |= rows[i].extension;
    }
    return PARAMS_OK;
}

enum params_error mail_params_parse(struct str text, struct mail_params *out,
                                    struct str *what)
{
    *out = (struct mail_params){.body = BODY_ABSENT};
    enum params_error error =
        read_all(text, MAIL_ROWS, MAIL_ROW_COUNT, out, &out->extensions, what);
    if (error == PARAMS_OK && out->hold_for.n > 0 && out->hold_until.n > 0) {
        *what = STR("HOLDUNTIL"); /* RFC 4865 4: one of them */
        error = PARAMS_SYNTAX;
    }
    return error;
}

enum params_error rcpt_params_parse(struct str text, struct rcpt_params *out,
                                    struct str *what)
{
    unsigned extensions = 0;
    *out = (struct rcpt_params){.notify = {NULL, 0}};
    enum params_error error =
        read_all(text, RCPT_ROWS, RCPT_ROW_COUNT, out, &extensions, what);
    out->needs_dsn = (extensions & BIT(EXTENSION_DSN)) != 0;
    return error;
}

static bool is_text(const struct param_row *row)
{
    return row->is_valid != NULL && !is_dropped(row);
}

static int keep_texts(void *params, const struct param_row *rows, size_t count,
                      struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        struct str *text = is_text(&rows[i]) ? text_at(params, &rows[i]) : NULL;
        if (text == NULL || text->n == 0)
            continue;
        *text = arena_str(arena, *text);
        if (text->p == NULL)
            return -1;
    }
    return 0;
}

int mail_params_keep(struct mail_params *params, struct arena *arena)
{
    return keep_texts(params, MAIL_ROWS, MAIL_ROW_COUNT, arena);
}

int rcpt_params_keep(struct rcpt_params *params, struct arena *arena)
{
    return keep_texts(params, RCPT_ROWS, RCPT_ROW_COUNT, arena);
}

const char *mail_params_over_offer(const struct mail_params *params,
                                   const struct capabilities *offer)
{
    uint64_t seconds = 0;
    (void)str_to_u64(params->hold_for, &seconds);
    if (params->hold_for.n > 0 && seconds > offer->hold_seconds)
        return "HOLDFOR";
    if (params->hold_until.n > 0 && offer->hold_until[0] != '\0' &&
        str_compare(params->hold_until, str_from(offer->hold_until)) > 0)
        return "HOLDUNTIL";
    /* Mode R alone asks for a return by then: RFC 2852 4.1.4. */
    if (params->deliver_by.n > 0 && str_index(params->deliver_by, 'N') < 0 &&
        str_index(params->deliver_by, 'n') < 0 &&
        deliver_by_seconds(params->deliver_by) <
            (int64_t)offer->deliverby_seconds)
        return "BY";
    return NULL;
}

__attribute__((format(printf, 3, 4))) static size_t
append(char *to, size_t room, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(to, room, format, arguments);
    va_end(arguments);
    /* Each value has its own limit, and all together fit. */
    assert(n >= 0 && (size_t)n < room);
    return (size_t)n;
}

/* Appends " KEYWORD=value" for each text whose extension is offered. */
static size_t write_texts(const void *params, const struct param_row *rows,
                          size_t count, const struct capabilities *offered,
                          char *to, size_t room)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct param_row *row = &rows[i];
        enum extension extension = 0;
        if (!is_text(row))
            continue;
        while (row->extension != BIT(extension))
            extension++;
        const struct str *text =
            (const struct str *)((const char *)params + row->at);
        if (text->n == 0 || !capabilities_have(offered, extension))
            continue;
        used +=
            append(to + used, room - used, " %.*s=%.*s", (int)row->keyword.n,
                   row->keyword.p, (int)text->n, text->p);
    }
    return used;
}

size_t mail_params_write(const struct mail_params *params,
                         const struct capabilities *offered, char *to,
                         size_t room)
{
    size_t n = 0;
    if (params->has_size && offered->has_size)
        n += append(to, room, " SIZE=%llu", (unsigned long long)params->size);
    if (params->body == BODY_8BITMIME && offered->has_8bitmime)
        n += append(to + n, room - n, " BODY=8BITMIME");
    if (params->is_smtputf8 && offered->has_smtputf8)
        n += append(to + n, room - n, " SMTPUTF8");
    if (params->requires_tls && offered->has_requiretls)
        n += append(to + n, room - n, " REQUIRETLS");
    return n + write_texts(params, MAIL_ROWS, MAIL_ROW_COUNT, offered, to + n,
                           room - n);
}

size_t rcpt_params_write(const struct rcpt_params *params,
                         const struct capabilities *offered, char *to,
                         size_t room)
{
    return write_texts(params, RCPT_ROWS, RCPT_ROW_COUNT, offered, to, room);
}
