#include "proxy/login/dovecot_user.h"

#include "proxy/login/owned_address.h"

static bool is_address(struct str word)
{
    return owned_address_check(word) == OWNED_ADDRESS_FINE;
}

static bool is_group(struct str word)
{
    for (size_t i = 0; i < word.n; i++)
        if ((unsigned char)word.p[i] < ' ')
            return false;
    return true;
}

/* A field of an answer that holds words with commas between. */
struct list {
    const char *name;
    bool (*is_word)(struct str word);
    struct str (*keep)(struct arena *arena, struct str word);
    bool is_there;
    struct str *items;
    size_t count, dropped;
};

/* 0, or -1 when the arena is full. */
static int read_words(struct list *list, struct str value, struct arena *arena)
{
    size_t capacity = 0;
    while (value.n > 0) {
        struct str word;
        str_cut(value, ',', &word, &value);
        word = str_trim(word);
        if (word.n == 0)
            continue;
        if (!list->is_word(word)) {
            list->dropped++;
            continue;
        }
        list->items = arena_grow(arena, list->items, list->count, &capacity,
                                 sizeof *list->items);
        if (list->items == NULL)
            return -1;
        list->items[list->count] = list->keep(arena, word);
        if (list->items[list->count].p == NULL)
            return -1;
        list->count++;
    }
    return 0;
}

static int read_list(const struct dovecot_answer *answer, struct list *list,
                     struct arena *arena)
{
    struct str value;
    list->is_there = dovecot_answer_field(answer, list->name, arena, &value);
    if (!list->is_there)
        return 0;
    return value.p == NULL ? -1 : read_words(list, value, arena);
}

static bool has_field(const struct dovecot_answer *answer, const char *name,
                      struct arena *arena)
{
    struct str value;
    return dovecot_answer_field(answer, name, arena, &value);
}

void dovecot_user_read(const struct dovecot_answer *answer, struct arena *arena,
                       struct login_answer *out,
                       struct dovecot_remarks *remarks)
{
    struct list addresses = {"addresses", is_address, owned_address_keep,
                             .count = 0};
    struct list groups = {"groups", is_group, arena_str, .count = 0};
    struct str user = {"", 0};
    bool may_log_in = !has_field(answer, "nologin", arena);
    remarks->is_proxied = has_field(answer, "proxy", arena);
    remarks->dropped = 0;
    *out = (struct login_answer){.result = LOGIN_UNAVAILABLE,
                                 .error = "out of memory"};
    dovecot_answer_field(answer, "user", arena, &user);
    if (user.p == NULL || read_list(answer, &addresses, arena) != 0 ||
        read_list(answer, &groups, arena) != 0)
        return;
    if (user.n == 0) {
        out->error = "it does not say whose login it is";
        return;
    }
    *out = (struct login_answer){.result = LOGIN_FAILED};
    user = login_normalise(arena, user);
    if (user.n == 0 || !may_log_in || remarks->is_proxied)
        return;
    remarks->dropped = addresses.dropped + groups.dropped;
    *out = (struct login_answer){
        .result = LOGIN_OK,
        .user = user,
        .addresses = addresses.items,
        .address_count = addresses.count,
        .groups = groups.items,
        .group_count = groups.count,
        .has_addresses = addresses.is_there,
        .has_groups = groups.is_there,
    };
}

bool dovecot_failure_is_temporary(const struct dovecot_answer *answer,
                                  struct arena *arena)
{
    struct str value;
    if (has_field(answer, "temp", arena))
        return true;
    return dovecot_answer_field(answer, "code", arena, &value) &&
           str_equals(value, STR("temp_fail"));
}
