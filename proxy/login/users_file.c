#include "proxy/login/users_file.h"

#include "config/secret_file.h"
#include "rules/base/keyed_hash.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_CAP (1024 * 1024 * 1024)

void users_init(struct users *users)
{
    *users = (struct users){0};
    arena_init(&users->arena, ARENA_CAP);
}

void users_release(struct users *users)
{
    for (size_t i = 0; i < users->count; i++)
        password_hash_wipe(&users->items[i].password);
    free(users->items);
    arena_release(&users->arena);
    *users = (struct users){0};
}

static int add(struct users *users, const struct user *user)
{
    if (users->count == users->capacity) {
        size_t capacity = users->capacity == 0 ? 16 : users->capacity * 2;
        struct user *moved =
            reallocarray(users->items, capacity, sizeof *moved);
        if (moved == NULL)
            return -1;
        users->items = moved;
        users->capacity = capacity;
    }
    users->items[users->count++] = *user;
    return 0;
}

static int compare_users(const void *a, const void *b)
{
    const struct user *left = a;
    const struct user *right = b;
    int order = str_compare(left->name, right->name);
    if (order != 0)
        return order;
    return (left->line > right->line) - (left->line < right->line);
}

static int sort(struct users *users, const char *path, struct diags *diags)
{
    int result = 0;
    if (users->count > 0)
        qsort(users->items, users->count, sizeof *users->items, compare_users);
    for (size_t i = 1; i < users->count; i++) {
        const struct user *before = &users->items[i - 1];
        const struct user *here = &users->items[i];
        if (!str_equals(before->name, here->name))
            continue;
        diags_error(diags, (struct mark){path, here->line, 1},
                    "the login %.*s stands on line %zu already",
                    (int)here->name.n, here->name.p, before->line);
        result = -1;
    }
    return result;
}

static bool has_password(const struct user *user)
{
    return user->password.kind != PASSWORD_NONE;
}

static bool has_scram(const struct user *user)
{
    return user->password.kind == PASSWORD_SCRAM;
}

static bool has_cram(const struct user *user)
{
    return user->password.kind == PASSWORD_CRAM_MD5;
}

static int choose(struct users *users, struct user_list *list,
                  bool (*is_one)(const struct user *user))
{
    list->count = 0;
    list->users =
        arena_array(&users->arena, users->count + 1, sizeof *list->users);
    for (size_t i = 0; list->users != NULL && i < users->count; i++)
        if (is_one(&users->items[i]))
            list->users[list->count++] = &users->items[i];
    return list->users == NULL ? -1 : 0;
}

/* Once they are in order. */
static int make_lists(struct users *users, const char *path,
                      struct diags *diags)
{
    if (choose(users, &users->with_password, has_password) == 0 &&
        choose(users, &users->with_scram, has_scram) == 0 &&
        choose(users, &users->with_cram, has_cram) == 0)
        return 0;
    diags_error(diags, (struct mark){path, 1, 1}, "out of memory");
    return -1;
}

static int read_line(struct users *users, struct str line, struct mark at,
                     struct diags *diags)
{
    struct user user;
    if (str_trim(line).n == 0 || line.p[0] == '#')
        return 0;
    if (line.n > USERS_LINE_MAX) {
        diags_error(diags, at, "the line is over %d octets", USERS_LINE_MAX);
        return -1;
    }
    if (user_line_read(line, at, &users->arena, diags, &user) != 0)
        return -1;
    if (add(users, &user) == 0)
        return 0;
    password_hash_wipe(&user.password);
    diags_error(diags, at, "out of memory");
    return -1;
}

int users_parse(struct users *users, struct str octets, const char *path,
                struct diags *diags)
{
    int result = 0;
    struct mark at = {path, 1, 1};
    while (octets.n > 0) {
        struct str line, rest;
        str_cut_line(octets, &line, &rest);
        if (read_line(users, line, at, diags) != 0)
            result = -1;
        octets = rest;
        at.line++;
    }
    if (sort(users, path, diags) != 0)
        result = -1;
    if (make_lists(users, path, diags) != 0)
        result = -1;
    return result;
}

int users_read(struct users *users, struct files *files, const char *path,
               struct mark named, struct diags *diags)
{
    const char *wrong;
    struct str octets =
        secret_file_read(files, FILE_USERS, path, USERS_FILE_MAX, &wrong);
    if (octets.p == NULL) {
        diags_error(diags, named, "the users file %s can't be used: %s", path,
                    wrong);
        return -1;
    }
    sha256_hex(octets, users->digest);
    return users_parse(users, octets, path, diags);
}

const struct user *users_lack(const struct users *users,
                              enum password_kind kind)
{
    const struct user *first = NULL;
    for (size_t i = 0; i < users->count; i++) {
        const struct user *user = &users->items[i];
        if (has_password(user) && user->password.kind != kind &&
            (first == NULL || user->line < first->line))
            first = user;
    }
    return first;
}

const struct user *users_find(const struct users *users, struct str name)
{
    size_t from = 0;
    size_t to = users->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = str_compare(name, users->items[middle].name);
        if (order == 0)
            return &users->items[middle];
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}
