#include "proxy/login/user_line.h"

#include <stddef.h>
#include <string.h>

#include "proxy/login/login.h"
#include "proxy/login/owned_address.h"

#define WORDS_MAX 1000 /* addresses, or groups, of one login */

/* What the steps of one line share. */
struct reader {
    struct str text;
    struct mark at;
    struct arena *arena;
    struct diags *diags;
};

/* Fields behind the seventh in which Dovecot is told to let fewer in. To
 * pass over them would let more in. */
static const char *const narrowing[] = {"nologin", "nopassword", "allow_nets",
                                        "allow_real_nets", "deny"};

/* The place of a piece of the line. */
static struct mark mark_of(const struct reader *reader, struct str piece)
{
    struct mark mark = reader->at;
    mark.column += (size_t)(piece.p - reader->text.p);
    return mark;
}

static int say_full(const struct reader *reader)
{
    diags_error(reader->diags, reader->at, "out of memory");
    return -1;
}

static int read_name(const struct reader *reader, struct str field,
                     struct user *out)
{
    if (field.n == 0) {
        diags_error(reader->diags, reader->at, "the login is missing");
        return -1;
    }
    out->name = login_normalise(reader->arena, field);
    if (out->name.p != NULL)
        return 0;
    diags_error(reader->diags, reader->at,
                "the login is not fit to be one: it holds control characters, "
                "is not UTF-8, or is over 255 octets");
    return -1;
}

static int read_password(const struct reader *reader, struct str field,
                         struct user *out)
{
    struct mark mark = mark_of(reader, field);
    const char *wrong =
        password_hash_read(field, reader->arena, &out->password);
    if (wrong != NULL) {
        diags_error(reader->diags, mark, "%s", wrong);
        return -1;
    }
    if (out->password.is_weak)
        diags_warn(reader->diags, mark,
                   "the password's hash is of a kind that is quickly guessed; "
                   "set it anew with `postern passwd`");
    return 0;
}

static int refuse_address(const struct reader *reader, struct str word)
{
    diags_error(reader->diags, mark_of(reader, word),
                "\"%.*s\" is not an address, nor one with * in it",
                (int)(word.n > 255 ? 255 : word.n), word.p);
    return -1;
}

static int refuse_glob(const struct reader *reader, struct str word)
{
    struct str domain = str_skip(word, (size_t)(str_last_index(word, '@') + 1));
    diags_error(reader->diags, mark_of(reader, word),
                "the domain of \"%.*s\" is not in ASCII, and with * in the "
                "address it must be: write xn--…, as `idn2 %.*s` prints it",
                (int)(word.n > 255 ? 255 : word.n), word.p,
                (int)(domain.n > 255 ? 255 : domain.n), domain.p);
    return -1;
}

static int keep_address(const struct reader *reader, struct str word,
                        struct str *out)
{
    switch (owned_address_check(word)) {
    case OWNED_ADDRESS_FINE:
        break;
    case OWNED_ADDRESS_NONE:
        return refuse_address(reader, word);
    case OWNED_ADDRESS_FOREIGN:
        return refuse_glob(reader, word);
    }
    *out = owned_address_keep(reader->arena, word);
    return out->p == NULL ? say_full(reader) : 0;
}

static int keep_group(const struct reader *reader, struct str word,
                      struct str *out)
{
    *out = arena_str(reader->arena, word);
    return out->p == NULL ? say_full(reader) : 0;
}

/* A login that another may act as, or "*": any. */
static int keep_login(const struct reader *reader, struct str word,
                      struct str *out)
{
    *out = login_normalise(reader->arena, word);
    if (out->p != NULL)
        return 0;
    diags_error(reader->diags, mark_of(reader, word),
                "a login behind may_act_as= is not fit to be one: it holds "
                "control characters, is not UTF-8, or is over 255 octets");
    return -1;
}

typedef int keep_word(const struct reader *reader, struct str word,
                      struct str *out);

/* A list behind "addresses=" and the like: words with commas between. */
static int read_words(const struct reader *reader, struct str value,
                      keep_word *keep, const struct str **items, size_t *count)
{
    struct str *kept = NULL;
    size_t capacity = 0;
    int result = 0;
    *count = 0;
    while (value.n > 0) {
        struct str word, rest;
        str_cut(value, ',', &word, &rest);
        value = rest;
        if (word.n == 0)
            continue;
        if (*count == WORDS_MAX) {
            diags_error(reader->diags, mark_of(reader, word),
                        "more than %d entries", WORDS_MAX);
            return -1;
        }
        kept = arena_grow(reader->arena, kept, *count, &capacity, sizeof *kept);
        if (kept == NULL)
            return say_full(reader);
        if (keep(reader, word, &kept[*count]) != 0)
            result = -1;
        else
            ++*count;
    }
    *items = kept;
    return result;
}

enum word_list { LIST_ADDRESSES, LIST_GROUPS, LIST_MAY_ACT_AS, LIST_COUNT };

static const struct {
    const char *key;
    keep_word *keep;
    size_t items, count; /* where in a user they go */
} lists[LIST_COUNT] = {
    [LIST_ADDRESSES] = {"addresses", keep_address,
                        offsetof(struct user, addresses),
                        offsetof(struct user, address_count)},
    [LIST_GROUPS] = {"groups", keep_group, offsetof(struct user, groups),
                     offsetof(struct user, group_count)},
    [LIST_MAY_ACT_AS] = {"may_act_as", keep_login,
                         offsetof(struct user, may_act_as),
                         offsetof(struct user, may_act_as_count)},
};

struct seen {
    bool lists[LIST_COUNT];
};

static int read_key(const struct reader *reader, struct str word,
                    struct seen *seen, struct user *out)
{
    struct str key, value;
    bool has_value = str_cut(word, '=', &key, &value);
    for (size_t i = 0; has_value && i < LIST_COUNT; i++) {
        if (!str_equals(key, str_from(lists[i].key)))
            continue;
        if (seen->lists[i]) {
            diags_error(reader->diags, mark_of(reader, word),
                        "%.*s= stands twice", (int)key.n, key.p);
            return -1;
        }
        seen->lists[i] = true;
        return read_words(
            reader, value, lists[i].keep,
            (const struct str **)(void *)((char *)out + lists[i].items),
            (size_t *)(void *)((char *)out + lists[i].count));
    }
    diags_error(reader->diags, mark_of(reader, word),
                "\"%.*s\" is not known here; known are addresses=, groups= "
                "and may_act_as=",
                (int)(key.n > 64 ? 64 : key.n), key.p);
    return -1;
}

static int read_keys(const struct reader *reader, struct str fields,
                     struct seen *seen, struct user *out)
{
    int result = 0;
    while (fields.n > 0) {
        struct str word, rest;
        str_cut(fields, ' ', &word, &rest);
        fields = rest;
        if (word.n > 0 && read_key(reader, word, seen, out) != 0)
            result = -1;
    }
    return result;
}

/* uid:gid:gecos:home:shell:extra, of which only extra may matter. */
static int read_dovecot(const struct reader *reader, struct str fields)
{
    int result = 0;
    for (int skipped = 0; skipped < 5; skipped++)
        str_cut(fields, ':', &(struct str){0}, &fields);
    while (fields.n > 0) {
        struct str word, rest, key, value;
        str_cut(fields, ' ', &word, &rest);
        str_cut(word, '=', &key, &value);
        fields = rest;
        for (size_t i = 0; i < sizeof narrowing / sizeof narrowing[0]; i++) {
            if (!str_equals_nocase(key, str_from(narrowing[i])))
                continue;
            diags_error(reader->diags, mark_of(reader, word),
                        "%s can't be honoured; take this login out, or the "
                        "field",
                        narrowing[i]);
            result = -1;
        }
    }
    return result;
}

int user_line_read(struct str text, struct mark at, struct arena *arena,
                   struct diags *diags, struct user *out)
{
    const struct reader reader = {text, at, arena, diags};
    struct str name, password, fields, third, rest;
    struct seen seen = {{false}};
    *out = (struct user){.line = at.line};
    if (memchr(text.p, '\0', text.n) != NULL) {
        diags_error(diags, at, "the line holds a NUL");
        return -1;
    }
    if (!str_cut(text, ':', &name, &fields)) {
        diags_error(diags, at,
                    "this is no line of login:hash:…; make one "
                    "with `postern passwd`");
        return -1;
    }
    password = password_hash_cut(&fields);
    str_cut(fields, ':', &third, &rest);
    int result = read_name(&reader, name, out);
    if (read_password(&reader, password, out) != 0)
        result = -1;
    if (str_index(third, '=') >= 0 ? read_keys(&reader, fields, &seen, out) != 0
                                   : read_dovecot(&reader, fields) != 0)
        result = -1;
    if (result == 0 && !seen.lists[LIST_ADDRESSES] &&
        owned_address_of_name(arena, out->name, &out->addresses,
                              &out->address_count) != 0)
        result = say_full(&reader);
    if (result != 0)
        password_hash_wipe(&out->password);
    return result;
}
