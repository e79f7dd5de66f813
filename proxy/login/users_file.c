#include "proxy/login/users_file.h"

#include "config/secret_file.h"

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
        explicit_bzero(users->items[i].hash, strlen(users->items[i].hash));
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

static int read_line(struct users *users, struct str line, struct mark at,
                     struct diags *diags)
{
    struct user user;
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
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
    explicit_bzero(user.hash, strlen(user.hash));
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
        str_cut(octets, '\n', &line, &rest);
        if (read_line(users, line, at, diags) != 0)
            result = -1;
        octets = rest;
        at.line++;
    }
    if (sort(users, path, diags) != 0)
        result = -1;
    return result;
}

int users_read(struct users *users, const char *path, struct mark named,
               struct diags *diags)
{
    const char *wrong;
    size_t length;
    char *octets = secret_file_read(path, USERS_FILE_MAX, &length, &wrong);
    if (octets == NULL) {
        diags_error(diags, named, "the users file %s can't be used: %s", path,
                    wrong);
        return -1;
    }
    int result = users_parse(users, str_span(octets, length), path, diags);
    secret_file_free(octets, length);
    return result;
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
