#include "tests/dialogue/script_words.h"

int script_read_time(struct str text, uint64_t *ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    uint64_t n;
    size_t digits = 0;
    while (digits < text.n && ascii_is_digit(text.p[digits]))
        digits++;
    struct str unit = str_skip(text, digits);
    if (str_to_u64(str_head(text, digits), &n))
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (str_equals(unit, str_from(units[i].unit))) {
            *ms = n * units[i].ms;
            return 0;
        }
    return -1;
}

static size_t read_list(struct str text, struct str *items, size_t room)
{
    size_t count = 0;
    while (text.n && count < room)
        str_cut(text, ',', &items[count++], &text);
    return count;
}

static int read_keys(struct str text, enum script_keys *out)
{
    *out = str_equals(text, STR("scram")) ? KEYS_SCRAM : KEYS_CRAM;
    return *out == KEYS_SCRAM || str_equals(text, STR("cram")) ? 0 : -1;
}

const char *script_read_user(struct script *script, struct str text)
{
    struct script_user *user = &script->users[script->user_count++];
    struct str word;
    if (script->user_count > 8)
        return "too many users";
    str_cut(text, ' ', &user->name, &text);
    str_cut(text, ' ', &user->password, &text);
    while (str_cut(text, ' ', &word, &text), word.n) {
        struct str key, value;
        str_cut(word, '=', &key, &value);
        if (str_equals(key, STR("addresses")))
            user->address_count = read_list(value, user->addresses, 8);
        else if (str_equals(key, STR("groups")))
            user->group_count = read_list(value, user->groups, 8);
        else if (str_equals(key, STR("may_act_as")))
            user->may_act_as_count = read_list(value, user->may_act_as, 8);
        else if (!str_equals(key, STR("keys")) || read_keys(value, &user->keys))
            return "unknown word";
    }
    return NULL;
}

const char *script_read_token(struct script *script, struct str text)
{
    struct script_token *token = &script->tokens[script->token_count++];
    struct str word;
    if (script->token_count > 8)
        return "too many tokens";
    str_cut(text, ' ', &token->text, &text);
    while (str_cut(text, ' ', &word, &text), word.n) {
        struct str key, value;
        str_cut(word, '=', &key, &value);
        if (str_equals(key, STR("user")))
            token->user = value;
        else if (!str_equals(key, STR("expires")) ||
                 script_read_time(value, &token->expires_ms))
            return "unknown word";
    }
    return NULL;
}
