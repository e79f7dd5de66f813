#include "rules/policy_action.h"

#include "rules/reply_text.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The first word, and what stands behind the blanks that follow it. */
static struct str first_word(struct str text, struct str *rest)
{
    size_t n = 0;
    while (n < text.n && !is_blank(text.p[n]))
        n++;
    *rest = str_trim(str_skip(text, n));
    return str_head(text, n);
}

/* The code's own class of enhanced code, or the usual one; then the text, or
 * one of ours. */
static void read_reply(struct str text, int code, struct policy_action *out)
{
    struct str rest;
    struct str word = first_word(text, &rest);
    bool is_for_good = code >= 500;
    out->code = code;
    out->enhanced = is_for_good ? STR("5.7.1") : STR("4.7.1");
    if (reply_is_enhanced(word)) {
        if (word.p[0] == out->enhanced.p[0])
            out->enhanced = word;
        text = rest;
    }
    out->text = text;
    if (text.n == 0)
        out->text = is_for_good ? STR("Not accepted here")
                                : STR("Not accepted now, try again later");
}

/* 4yz and 5yz. Codes that answer a login, which was long ago, become the ones
 * that REJECT and DEFER have. */
static bool read_code(struct str word, int *code)
{
    uint64_t number;
    if (word.n != 3 || str_to_u64(word, &number) != 0)
        return false;
    *code = (int)number;
    if (number < 400 || number >= 600 || number / 10 % 10 > 5)
        return false;
    if (reply_is_of_auth(*code))
        *code = number < 500 ? 450 : 554;
    return true;
}

/* `Name: value`, RFC 5322 2.2, on one line of text. */
static bool read_field(struct str text, struct policy_action *out)
{
    if (!str_cut(text, ':', &out->name, &out->text))
        return false;
    out->text = str_trim(out->text);
    for (size_t i = 0; i < out->name.n; i++)
        if (out->name.p[i] < '!' || out->name.p[i] > '~')
            return false;
    for (size_t i = 0; i < out->text.n; i++) {
        unsigned char octet = (unsigned char)out->text.p[i];
        if ((octet < ' ' && octet != '\t') || octet == 0x7f)
            return false;
    }
    return out->name.n > 0 && out->name.n <= 100 && out->text.n > 0;
}

static const struct {
    struct str word;
    enum policy_action_kind kind;
    int code;
} ACTIONS[] = {
    {STR_INIT("DUNNO"), POLICY_ACTION_DUNNO, 0},
    {STR_INIT("OK"), POLICY_ACTION_OK, 0},
    {STR_INIT("REJECT"), POLICY_ACTION_REPLY, 554},
    {STR_INIT("DEFER"), POLICY_ACTION_REPLY, 450},
    {STR_INIT("DEFER_IF_REJECT"), POLICY_ACTION_DEFER_IF_REJECT, 450},
    {STR_INIT("DEFER_IF_PERMIT"), POLICY_ACTION_DEFER_IF_PERMIT, 450},
    {STR_INIT("PREPEND"), POLICY_ACTION_PREPEND, 0},
    {STR_INIT("WARN"), POLICY_ACTION_WARN, 0},
    {STR_INIT("INFO"), POLICY_ACTION_INFO, 0},
};

void policy_action_parse(struct str text, struct policy_action *out)
{
    struct str rest;
    struct str word = first_word(str_trim(text), &rest);
    int code = 0;
    *out = (struct policy_action){.kind = POLICY_ACTION_UNKNOWN};
    if (text.n > POLICY_ACTION_MAX_OCTETS)
        return;
    if (read_code(word, &code)) {
        out->kind = POLICY_ACTION_REPLY;
        read_reply(rest, code, out);
        return;
    }
    for (size_t i = 0; i < sizeof ACTIONS / sizeof ACTIONS[0]; i++) {
        if (!str_equals_nocase(word, ACTIONS[i].word))
            continue;
        out->kind = ACTIONS[i].kind;
        out->text = rest;
        if (ACTIONS[i].code != 0)
            read_reply(rest, ACTIONS[i].code, out);
    }
    if (out->kind == POLICY_ACTION_PREPEND && !read_field(rest, out))
        *out = (struct policy_action){.kind = POLICY_ACTION_UNKNOWN};
}
