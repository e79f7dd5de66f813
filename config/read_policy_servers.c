/* policy_servers: whom a rule's `ask` may ask. */
#include "config/sections.h"

#include "config/endpoint.h"
#include "rules/nearest.h"
#include "rules/problem.h"

#include <stddef.h>

#define POLICY_SERVERS_MAX 64
#define LONGEST_MS 600000

static void read_socket(struct reader *reader, const struct node *node,
                        struct str path, struct policy_server_settings *server)
{
    if (path.n > 0)
        server->socket = reader_socket_path(reader, node->mark, path);
    else
        diags_error(reader->diags, node->mark,
                    "address: unix: names no socket: write "
                    "unix:/run/policy.sock");
}

static void read_address(struct reader *reader, const struct node *node,
                         void *into)
{
    struct policy_server_settings *server = into;
    struct str text;
    if (!node_text(reader, node, "address", &text))
        return;
    struct str kept = reader_keep(reader, node->mark, text);
    server->address.text = kept;
    server->address.mark = node->mark;
    if (kept.p == NULL)
        return;
    if (str_starts_with(kept, STR("unix:")))
        read_socket(reader, node, str_skip(kept, 5), server);
    else if (endpoint_parse(kept, &server->address) != 0)
        diags_error(reader->diags, node->mark,
                    "address takes host:port such as \"127.0.0.1:10023\", or "
                    "unix:/run/policy.sock, not \"%.*s\"",
                    PROBLEM_STR(text));
}

static const char *const on_failure_words[] = {"defer", "continue", NULL};

static const struct key policy_server_keys[] = {
    {.name = "address",
     .type = KEY_OWN,
     .is_required = true,
     .help = "host:port, or unix:/path of its socket",
     .read = read_address},
    {.name = "timeout",
     .type = KEY_TIME,
     .fallback = "5s",
     .min = 10,
     .max = LONGEST_MS,
     .help = "how long to wait for its answer, connecting included",
     .offset = offsetof(struct policy_server_settings, timeout_ms)},
    {.name = "on_failure",
     .type = KEY_SWITCH,
     .fallback = "defer",
     .words = on_failure_words,
     .help = "what follows when it can't be asked: defer (451), or continue "
             "as if it had no opinion",
     .offset = offsetof(struct policy_server_settings, continues)},
};

const struct schema policy_server_schema = {
    "a policy server", policy_server_keys,
    sizeof policy_server_keys / sizeof *policy_server_keys};

void read_policy_servers(struct reader *reader, const struct node *node,
                         void *into)
{
    struct settings *settings = into;
    if (!node_is_map(reader, node, "policy_servers"))
        return;
    if (node->count > POLICY_SERVERS_MAX) {
        diags_error(reader->diags, node->mark, "more than %d policy servers",
                    POLICY_SERVERS_MAX);
        return;
    }
    struct policy_server_settings *items =
        arena_array(reader->arena, node->count, sizeof *items);
    if (items == NULL) {
        reader_full(reader, node->mark);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        items[i].mark = node->keys[i]->mark;
        read_name(reader, node->keys[i], &items[i].name);
        if (node_is_map(reader, node->values[i], "a policy server"))
            schema_read(reader, &policy_server_schema, node->values[i],
                        &items[i]);
    }
    settings->policy_servers = items;
    settings->policy_server_count = node->count;
}

static const char *nearest_server(struct reader *reader, struct str text)
{
    const struct settings *settings = reader->settings;
    size_t count = settings->policy_server_count;
    const char **names = arena_array(reader->scratch, count, sizeof *names);
    size_t named = 0;
    for (size_t i = 0; names != NULL && i < count; i++)
        if (settings->policy_servers[i].name.p != NULL)
            names[named++] = settings->policy_servers[i].name.p;
    return nearest_word(text, names, named);
}

const struct policy_server_settings *
read_policy_server_name(struct reader *reader, const struct node *node)
{
    struct str text;
    if (!node_text(reader, node, "ask", &text))
        return NULL;
    const struct settings *settings = reader->settings;
    for (size_t i = 0; i < settings->policy_server_count; i++)
        if (str_equals(settings->policy_servers[i].name, text))
            return &settings->policy_servers[i];
    const char *nearest = nearest_server(reader, text);
    diags_error(reader->diags, node->mark, "policy_servers has no %.*s%s%s%s",
                PROBLEM_STR(text), DIAG_NEAREST(nearest));
    return NULL;
}
