#include "proxy/smtp/capability.h"

#include <string.h>

#include "proxy/smtp/param_values.h"
#include "proxy/smtp/xclient.h"

struct keyword_row {
    struct str keyword;
    size_t flag; /* where in struct capabilities */
    /* Reads what stands behind the keyword; NULL: nothing is expected. */
    void (*read)(struct str rest, struct capabilities *out);
};

/* The next word off *rest as a number; 0 when it is none that makes sense. */
static uint64_t next_number(struct str *rest)
{
    struct str word;
    uint64_t number = 0;
    str_cut(*rest, ' ', &word, rest);
    return str_to_u64(word, &number) < 0 ? 0 : number;
}

static void read_size(struct str rest, struct capabilities *out)
{
    out->size = next_number(&rest);
}

static void read_futurerelease(struct str rest, struct capabilities *out)
{
    struct str until;
    out->hold_seconds = next_number(&rest);
    str_cut(rest, ' ', &until, &rest);
    if (hold_until_is_valid(until))
        memcpy(out->hold_until, until.p, until.n);
    /* Without its maximum nobody knows what may be asked. */
    out->has_futurerelease = out->hold_seconds > 0;
}

/* "MIXER" and the like; what is no name is left out. */
static void read_mt_priority(struct str rest, struct capabilities *out)
{
    struct str name;
    str_cut(rest, ' ', &name, &rest);
    if (name.n == 0 || name.n > POLICY_NAME_MAX)
        return;
    for (size_t i = 0; i < name.n; i++)
        if (!ascii_is_alpha(name.p[i]) && !ascii_is_digit(name.p[i]) &&
            str_index(STR("-_."), name.p[i]) < 0)
            return;
    memcpy(out->priority_policy, name.p, name.n);
    out->priority_policy[name.n] = '\0';
}

static void read_deliverby(struct str rest, struct capabilities *out)
{
    out->deliverby_seconds = next_number(&rest);
}

static void read_limits(struct str rest, struct capabilities *out)
{
    bool has_more = true;
    while (has_more) {
        struct str word;
        struct str name;
        struct str value;
        uint64_t number;
        has_more = str_cut(rest, ' ', &word, &rest);
        if (!str_cut(word, '=', &name, &value) ||
            str_to_u64(value, &number) < 0)
            continue;
        if (str_equals_nocase(name, STR("MAILMAX")))
            out->mail_max = number;
        else if (str_equals_nocase(name, STR("RCPTMAX")))
            out->rcpt_max = number;
        else if (str_equals_nocase(name, STR("RCPTDOMAINMAX")))
            out->rcpt_domain_max = number;
    }
}

static void read_xclient(struct str rest, struct capabilities *out)
{
    out->xclient = xclient_offered(rest);
}

static const struct str MECHANISMS[] = {
    STR_INIT("PLAIN"),   STR_INIT("LOGIN"),       STR_INIT("SCRAM-SHA-256"),
    STR_INIT("XOAUTH2"), STR_INIT("OAUTHBEARER"),
};

static unsigned mechanism_bit(struct str name)
{
    for (size_t i = 0; i < sizeof MECHANISMS / sizeof *MECHANISMS; i++)
        if (str_equals_nocase(name, MECHANISMS[i]))
            return 1U << i;
    return 0;
}

static void read_auth(struct str rest, struct capabilities *out)
{
    bool has_more = true;
    while (has_more) {
        struct str name;
        has_more = str_cut(rest, ' ', &name, &rest);
        out->mechanisms |= mechanism_bit(name);
    }
}

#define FLAG(member) offsetof(struct capabilities, member)

static const struct keyword_row KEYWORDS[] = {
    {STR_INIT("STARTTLS"), FLAG(has_starttls), NULL},
    {STR_INIT("PIPELINING"), FLAG(has_pipelining), NULL},
    {STR_INIT("8BITMIME"), FLAG(has_8bitmime), NULL},
    {STR_INIT("ENHANCEDSTATUSCODES"), FLAG(has_enhanced_codes), NULL},
    {STR_INIT("SIZE"), FLAG(has_size), read_size},
    {STR_INIT("CHUNKING"), FLAG(has_chunking), NULL},
    {STR_INIT("SMTPUTF8"), FLAG(has_smtputf8), NULL},
    {STR_INIT("DSN"), FLAG(has_dsn), NULL},
    {STR_INIT("REQUIRETLS"), FLAG(has_requiretls), NULL},
    {STR_INIT("FUTURERELEASE"), FLAG(has_futurerelease), read_futurerelease},
    {STR_INIT("MT-PRIORITY"), FLAG(has_mt_priority), read_mt_priority},
    {STR_INIT("DELIVERBY"), FLAG(has_deliverby), read_deliverby},
    {STR_INIT("LIMITS"), FLAG(has_limits), read_limits},
    {STR_INIT("XCLIENT"), FLAG(has_xclient), read_xclient},
    {STR_INIT("AUTH"), FLAG(has_auth), read_auth},
};

#define KEYWORD_COUNT (sizeof KEYWORDS / sizeof *KEYWORDS)

static const struct {
    struct str keyword;
    size_t flag;
} EXTENSIONS[EXTENSION_COUNT] = {
    [EXTENSION_8BITMIME] = {STR_INIT("8BITMIME"), FLAG(has_8bitmime)},
    [EXTENSION_SMTPUTF8] = {STR_INIT("SMTPUTF8"), FLAG(has_smtputf8)},
    [EXTENSION_DSN] = {STR_INIT("DSN"), FLAG(has_dsn)},
    [EXTENSION_REQUIRETLS] = {STR_INIT("REQUIRETLS"), FLAG(has_requiretls)},
    [EXTENSION_FUTURERELEASE] = {STR_INIT("FUTURERELEASE"),
                                 FLAG(has_futurerelease)},
    [EXTENSION_MT_PRIORITY] = {STR_INIT("MT-PRIORITY"), FLAG(has_mt_priority)},
    [EXTENSION_DELIVERBY] = {STR_INIT("DELIVERBY"), FLAG(has_deliverby)},
};

static bool *flag_at(struct capabilities *of, size_t flag)
{
    return (bool *)((char *)of + flag);
}

static bool has_flag(const struct capabilities *of, size_t flag)
{
    return *(const bool *)((const char *)of + flag);
}

bool capabilities_have(const struct capabilities *of, enum extension extension)
{
    return has_flag(of, EXTENSIONS[extension].flag);
}

bool capabilities_offer_mechanism(const struct capabilities *of,
                                  struct str name)
{
    return (of->mechanisms & mechanism_bit(name)) != 0;
}

struct str extension_keyword(enum extension extension)
{
    return EXTENSIONS[extension].keyword;
}

static const struct keyword_row *find_row(struct str keyword)
{
    for (size_t i = 0; i < KEYWORD_COUNT; i++)
        if (str_equals_nocase(keyword, KEYWORDS[i].keyword))
            return &KEYWORDS[i];
    return NULL;
}

static void parse_line(struct str line, struct capabilities *out)
{
    struct str keyword;
    struct str rest;
    /* "AUTH=" is what some servers write for clients older than RFC 2554. */
    char end = str_starts_with(line, STR("AUTH=")) ? '=' : ' ';
    str_cut(line, end, &keyword, &rest);
    const struct keyword_row *row = find_row(keyword);
    if (row == NULL)
        return;
    *flag_at(out, row->flag) = true;
    if (row->read != NULL)
        row->read(rest, out);
}

void capabilities_parse(struct str text, struct capabilities *out)
{
    struct str line;
    *out = (struct capabilities){.size = 0};
    bool has_more = str_cut(text, '\n', &line, &text);
    while (has_more) {
        has_more = str_cut(text, '\n', &line, &text);
        parse_line(line, out);
    }
}

bool capabilities_disable(struct capabilities *of, struct str keyword)
{
    const struct keyword_row *row = find_row(keyword);
    /* Whether there is TLS is for `tls:` to say, and AUTH for `login:`. */
    if (row == NULL || str_equals(row->keyword, STR("STARTTLS")) ||
        str_equals(row->keyword, STR("AUTH")))
        return false;
    *flag_at(of, row->flag) = false;
    if (!of->has_size)
        of->size = 0;
    if (!of->has_xclient)
        of->xclient = 0;
    if (!of->has_limits)
        of->mail_max = of->rcpt_max = of->rcpt_domain_max = 0;
    return true;
}

/* Of two maxima, 0 of which is none. */
static uint64_t lesser(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return a == 0 ? b : a;
    return a < b ? a : b;
}

static void meet_hold(struct capabilities *into,
                      const struct capabilities *other)
{
    into->hold_seconds = lesser(into->hold_seconds, other->hold_seconds);
    bool is_sooner = into->hold_until[0] == '\0' ||
                     (other->hold_until[0] != '\0' &&
                      strcmp(other->hold_until, into->hold_until) < 0);
    if (is_sooner)
        memcpy(into->hold_until, other->hold_until, sizeof into->hold_until);
}

void capabilities_intersect(struct capabilities *into,
                            const struct capabilities *other)
{
    for (size_t i = 0; i < KEYWORD_COUNT; i++)
        if (!has_flag(other, KEYWORDS[i].flag))
            *flag_at(into, KEYWORDS[i].flag) = false;
    into->xclient &= other->xclient;
    meet_hold(into, other);
    if (strcmp(into->priority_policy, other->priority_policy) != 0)
        into->priority_policy[0] = '\0';
    if (other->deliverby_seconds > into->deliverby_seconds)
        into->deliverby_seconds = other->deliverby_seconds;
    /* One server's limit binds, whether or not another tells any. */
    into->size = lesser(into->size, other->size);
    into->mail_max = lesser(into->mail_max, other->mail_max);
    into->rcpt_max = lesser(into->rcpt_max, other->rcpt_max);
    into->rcpt_domain_max =
        lesser(into->rcpt_domain_max, other->rcpt_domain_max);
}
