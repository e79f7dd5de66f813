/* auth: mechanisms and back-ends. */
#include "config/sections.h"

#include <stddef.h>

static void read_dovecot(struct reader *reader, const struct node *node,
                         void *into)
{
    struct backend_settings *backend = into;
    struct str text;
    if (!node_text(reader, node, "dovecot", &text))
        return;
    backend->dovecot = reader_socket_path(reader, node->mark, text);
}

static void read_upstream(struct reader *reader, const struct node *node,
                          void *into)
{
    struct backend_settings *backend = into;
    backend->upstream = read_upstream_name(reader, node);
    if (backend->upstream != NULL &&
        backend->upstream->login.kind != LOGIN_OF_CLIENT)
        diags_error(reader->diags, node->mark,
                    "the upstream %.*s is not logged in to with what clients "
                    "give: it needs login: {client: true}",
                    (int)backend->upstream->name.n, backend->upstream->name.p);
}

static const struct key backend_keys[] = {
    {.name = "users",
     .type = KEY_PATH,
     .help = "users file, a line a login: name:hash:addresses=... "
             "groups=...; read again when it changes",
     .offset = offsetof(struct backend_settings, users),
     .mark_offset = offsetof(struct backend_settings, mark)},
    {.name = "dovecot",
     .type = KEY_OWN,
     .help = "socket of Dovecot's authentication service",
     .read = read_dovecot},
    {.name = "upstream",
     .type = KEY_OWN,
     .help = "an upstream with login: {client: true}, which is logged in to",
     .read = read_upstream},
    {.name = "jwt",
     .type = KEY_OWN,
     .section = &jwt_schema,
     .help = "OAuth 2 tokens that prove themselves: JWTs",
     .read = read_jwt},
    {.name = "introspect",
     .type = KEY_OWN,
     .section = &introspect_schema,
     .help = "OAuth 2 tokens that a server is asked about (RFC 7662)",
     .read = read_introspect},
};

static const struct schema backend_schema = {
    "an entry of backends", backend_keys,
    sizeof backend_keys / sizeof *backend_keys};

/* Which of the keys stands there; there must be one. */
static void find_kind(struct reader *reader, const struct node *node,
                      struct backend_settings *backend)
{
    backend->kind = backend->users != NULL        ? BACKEND_USERS
                    : backend->dovecot != NULL    ? BACKEND_DOVECOT
                    : backend->upstream != NULL   ? BACKEND_UPSTREAM
                    : backend->jwt != NULL        ? BACKEND_JWT
                    : backend->introspect != NULL ? BACKEND_INTROSPECT
                                                  : BACKEND_NONE;
    if (backend->kind == BACKEND_NONE)
        diags_error(reader->diags, node->mark,
                    "an entry of backends names none: write {users: FILE}, "
                    "{dovecot: SOCKET}, {upstream: NAME}, {jwt: ...} or "
                    "{introspect: ...}");
    else if (node->count > 1)
        diags_error(reader->diags, node->mark,
                    "an entry of backends names two: write an entry each");
}

static void read_backend(struct reader *reader, const struct node *node,
                         struct backend_settings *backend)
{
    if (!node_is_map(reader, node, "an entry of backends"))
        return;
    backend->mark = node->mark;
    size_t errors = reader->diags->errors;
    schema_read(reader, &backend_schema, node, backend);
    if (reader->diags->errors == errors)
        find_kind(reader, node, backend);
}

/* They are asked as one, where the first of them stands. */
static void check_users_are_together(struct reader *reader,
                                     const struct backend_settings *items,
                                     size_t count)
{
    bool has_users = false;
    for (size_t i = 0; i < count; i++) {
        if (items[i].kind != BACKEND_USERS)
            continue;
        if (has_users && items[i - 1].kind != BACKEND_USERS)
            diags_error(reader->diags, items[i].mark,
                        "users files stand one behind the other: move this "
                        "one up to the first");
        has_users = true;
    }
}

static void read_backends(struct reader *reader, const struct node *node,
                          void *into)
{
    struct auth_settings *auth = into;
    if (!node_is_sequence(reader, node, "backends"))
        return;
    struct backend_settings *items =
        arena_array(reader->arena, node->count, sizeof *items);
    if (items == NULL) {
        reader_full(reader, node->mark);
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        read_backend(reader, node->values[i], &items[i]);
    check_users_are_together(reader, items, node->count);
    auth->backends = items;
    auth->backend_count = node->count;
}

static void read_offer(struct reader *reader, const struct node *node,
                       void *into)
{
    struct auth_settings *auth = into;
    auth->mechanisms = read_mechanisms(reader, node);
}

static void fill_offer(void *into)
{
    struct auth_settings *auth = into;
    auth->mechanisms = 1U << SASL_PLAIN | 1U << SASL_LOGIN;
}

static const struct key auth_keys[] = {
    {.name = "mechanisms",
     .type = KEY_OWN,
     .shape = SHAPE_ONE_OR_LIST,
     .content = CONTENT_WORD,
     .fallback = "[PLAIN, LOGIN]",
     .words = mechanism_words,
     .help = "what AUTH offers, on connections with TLS only",
     .read = read_offer,
     .fill = fill_offer},
    {.name = "backends",
     .type = KEY_OWN,
     .shape = SHAPE_LIST,
     .help = "who knows the passwords; asked in order",
     .section = &backend_schema,
     .read = read_backends},
    {.name = "attempts",
     .type = KEY_NUMBER,
     .fallback = "3",
     .min = 1,
     .max = 100,
     .help = "failed logins before a connection is closed",
     .offset = offsetof(struct auth_settings, attempts)},
    {.name = "cache",
     .type = KEY_TIME,
     .fallback = "0s",
     .max = 86400000,
     .help = "how long a good answer is taken for one to the same question; "
             "a users file that changes ends it, what another back-end took "
             "back is good until then",
     .offset = offsetof(struct auth_settings, cache)},
    {.name = "delay",
     .type = KEY_TIME,
     .fallback = "15s",
     .max = 60000,
     .help = "the longest that the answer to a wrong login is held: it grows "
             "with each failure of a network or of a name; 0: not",
     .offset = offsetof(struct auth_settings, delay)},
};

const struct schema auth_schema = {"auth", auth_keys,
                                   sizeof auth_keys / sizeof *auth_keys};
