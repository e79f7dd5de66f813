/* auth: mechanisms and back-ends. */
#include "config/sections.h"

#include <stddef.h>

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
     .help = "users file, a line a login: name:hash:addresses=... groups=...",
     .offset = offsetof(struct backend_settings, users),
     .mark_offset = offsetof(struct backend_settings, mark)},
    {.name = "dovecot",
     .is_planned = true,
     .help = "socket of Dovecot's authentication service"},
    {.name = "upstream",
     .type = KEY_OWN,
     .help = "an upstream with login: {client: true}, which is logged in to",
     .read = read_upstream},
    {.name = "jwt",
     .is_planned = true,
     .help = "OAuth 2 tokens that can be verified: {jwks, issuer, audience}"},
    {.name = "introspect",
     .is_planned = true,
     .help = "OAuth 2 tokens that a server is asked about: {url, ...}"},
};

static const struct schema backend_schema = {
    "an entry of backends", backend_keys,
    sizeof backend_keys / sizeof *backend_keys};

static void read_backend(struct reader *reader, const struct node *node,
                         struct backend_settings *backend)
{
    if (!node_is_map(reader, node, "an entry of backends"))
        return;
    backend->mark = node->mark;
    size_t errors = reader->diags->errors;
    schema_read(reader, &backend_schema, node, backend);
    if (reader->diags->errors != errors)
        return;
    if (backend->users == NULL && backend->upstream == NULL)
        diags_error(reader->diags, node->mark,
                    "an entry of backends names none: write {users: FILE} or "
                    "{upstream: NAME}");
    else if (backend->users != NULL && backend->upstream != NULL)
        diags_error(reader->diags, node->mark,
                    "an entry of backends names two: write an entry each");
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
    auth->backends = items;
    auth->backend_count = node->count;
}

static const char *const mechanisms[] = {"PLAIN", "LOGIN", NULL};
static const char *const planned_mechanisms[] = {
    "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "OAUTHBEARER",
    "XOAUTH2",       "EXTERNAL",           NULL};

static void read_mechanisms(struct reader *reader, const struct node *node,
                            void *into)
{
    struct auth_settings *auth = into;
    auth->plain = auth->login = false;
    for (size_t i = 0; i < node_list_count(node); i++) {
        unsigned word = 0;
        if (!schema_word(reader, node_list_item(node, i), "mechanisms",
                         mechanisms, planned_mechanisms, &word))
            continue;
        bool *mechanism = word == 0 ? &auth->plain : &auth->login;
        if (*mechanism)
            diags_error(reader->diags, node_list_item(node, i)->mark,
                        "mechanisms has %s twice", mechanisms[word]);
        *mechanism = true;
    }
    if (node_list_count(node) == 0)
        diags_error(reader->diags, node->mark,
                    "mechanisms is empty: write [PLAIN, LOGIN]");
}

static void fill_mechanisms(void *into)
{
    struct auth_settings *auth = into;
    auth->plain = auth->login = true;
}

static const struct key auth_keys[] = {
    {.name = "mechanisms",
     .type = KEY_OWN,
     .shape = SHAPE_ONE_OR_LIST,
     .content = CONTENT_WORD,
     .fallback = "[PLAIN, LOGIN]",
     .words = mechanisms,
     .planned_words = planned_mechanisms,
     .help = "what AUTH offers, on connections with TLS only",
     .read = read_mechanisms,
     .fill = fill_mechanisms},
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
     .is_planned = true,
     .help = "how long a back-end's good answer is remembered"},
};

const struct schema auth_schema = {"auth", auth_keys,
                                   sizeof auth_keys / sizeof *auth_keys};
