/* upstreams: and upstream: — where mail goes. */
#include "config/sections.h"

#include "config/endpoint.h"
#include "rules/nearest.h"
#include "rules/problem.h"

#include <stddef.h>

#define NAME_MAX_OCTETS 64

bool read_name(struct reader *reader, const struct node *key, struct str *out)
{
    struct str text = key->text;
    bool is_name = text.n > 0 && text.n <= NAME_MAX_OCTETS;
    for (size_t i = 0; i < text.n; i++)
        is_name = is_name &&
                  (ascii_is_alpha(text.p[i]) || ascii_is_digit(text.p[i]) ||
                   text.p[i] == '-' || text.p[i] == '_' || text.p[i] == '.');
    if (!is_name) {
        diags_error(reader->diags, key->mark,
                    "a name is 1 to %d letters, digits, - _ or .",
                    NAME_MAX_OCTETS);
        return false;
    }
    *out = reader_keep(reader, key->mark, text);
    return true;
}

static bool read_endpoint(struct reader *reader, const struct node *node,
                          const char *name, struct endpoint *out)
{
    struct str text;
    if (!node_text(reader, node, name, &text))
        return false;
    struct str kept = reader_keep(reader, node->mark, text);
    out->mark = node->mark;
    if (kept.p != NULL && endpoint_parse(kept, out) == 0)
        return true;
    diags_error(reader->diags, node->mark,
                "%s takes host:port such as \"192.0.2.1:587\" or "
                "\"[2001:db8::1]:587\", not \"%.*s\"",
                name, PROBLEM_STR(text));
    return false;
}

struct endpoint *read_endpoints(struct reader *reader, const struct node *node,
                                const char *name, size_t *count)
{
    size_t wanted = node_list_count(node);
    struct endpoint *items = arena_array(reader->arena, wanted, sizeof *items);
    if (items == NULL) {
        reader_full(reader, node->mark);
        return NULL;
    }
    bool read = wanted > 0;
    if (!read)
        diags_error(reader->diags, node->mark, "%s is empty", name);
    for (size_t i = 0; i < wanted; i++)
        read =
            read_endpoint(reader, node_list_item(node, i), name, &items[i]) &&
            read;
    *count = wanted;
    return read ? items : NULL;
}

static void read_servers(struct reader *reader, const struct node *node,
                         void *into)
{
    struct upstream_settings *upstream = into;
    size_t count = node_list_count(node);
    if (count > UPSTREAM_SERVERS_MAX) {
        diags_error(reader->diags, node->mark,
                    "servers takes at most %d, not %zu", UPSTREAM_SERVERS_MAX,
                    count);
        return;
    }
    upstream->servers = read_endpoints(reader, node, "servers", &count);
    upstream->server_count = upstream->servers == NULL ? 0 : count;
}

static const char *const balances[] = {"order", "round-robin", NULL};
static const char *const identities[] = {"none", "xclient", "proxy-v2", NULL};

static const char *const keywords[] = {"8BITMIME",
                                       "CHUNKING",
                                       "DELIVERBY",
                                       "DSN",
                                       "ENHANCEDSTATUSCODES",
                                       "FUTURERELEASE",
                                       "LIMITS",
                                       "MT-PRIORITY",
                                       "PIPELINING",
                                       "REQUIRETLS",
                                       "SIZE",
                                       "SMTPUTF8",
                                       "XCLIENT",
                                       NULL};

static void read_disabled(struct reader *reader, const struct node *node,
                          void *into)
{
    struct upstream_settings *upstream = into;
    struct str *disabled =
        arena_array(reader->arena, node_list_count(node), sizeof *disabled);
    if (disabled == NULL) {
        reader_full(reader, node->mark);
        return;
    }
    for (size_t i = 0; i < node_list_count(node); i++) {
        unsigned word = 0;
        if (schema_word(reader, node_list_item(node, i), "disable", keywords,
                        &word))
            disabled[upstream->disabled_count++] = str_from(keywords[word]);
    }
    upstream->disabled = disabled;
}

static const struct key upstream_keys[] = {
    {.name = "servers",
     .type = KEY_OWN,
     .shape = SHAPE_ONE_OR_LIST,
     .content = CONTENT_ENDPOINT,
     .help = "host:port, one or a list; the next on failure",
     .read = read_servers},
    {.name = "maildir",
     .type = KEY_PATH,
     .help = "directory of a Maildir: the embedded upstream, no MTA needed",
     .offset = offsetof(struct upstream_settings, maildir),
     .mark_offset = offsetof(struct upstream_settings, maildir_mark)},
    {.name = "tls",
     .type = KEY_SECTION,
     .section = &upstream_tls_schema,
     .help = "TLS towards the servers"},
    {.name = "identity",
     .type = KEY_WORD,
     .fallback = "none",
     .words = identities,
     .help = "how the upstream learns who the client is",
     .offset = offsetof(struct upstream_settings, identity)},
    {.name = "pool",
     .type = KEY_SECTION,
     .section = &pool_schema,
     .help = "connections that are kept for the next message"},
    {.name = "advertise",
     .type = KEY_FLAG,
     .fallback = "true",
     .help = "whether EHLO promises only what this upstream can do",
     .offset = offsetof(struct upstream_settings, is_advertised)},
    {.name = "balance",
     .type = KEY_WORD,
     .fallback = "order",
     .words = balances,
     .help = "which server is taken first: order or round-robin",
     .offset = offsetof(struct upstream_settings, balance)},
    {.name = "login",
     .type = KEY_SECTION,
     .section = &login_schema,
     .help = "AUTH towards the servers",
     .offset = offsetof(struct upstream_settings, login)},
    {.name = "pace",
     .type = KEY_TIME,
     .fallback = "0s",
     .max = 4 * 60 * 1000,
     .help = "how long a command is held back that exceeds a limit by "
             "{upstream.name}, before its rule refuses it",
     .offset = offsetof(struct upstream_settings, pace_ms)},
    {.name = "disable",
     .type = KEY_OWN,
     .shape = SHAPE_ONE_OR_LIST,
     .content = CONTENT_WORD,
     .words = keywords,
     .help = "EHLO keywords of the servers that are passed over",
     .read = read_disabled},
};

const struct schema upstream_schema = {
    "an upstream", upstream_keys, sizeof upstream_keys / sizeof *upstream_keys};

static void check_kind(struct reader *reader, const struct node *node)
{
    static const char *const of_servers[] = {
        "servers", "tls", "identity", "balance", "pool", "login", "disable"};
    if (node_get(node, "maildir") == NULL) {
        if (node_get(node, "servers") == NULL)
            diags_error(reader->diags, node->mark,
                        "an upstream needs servers: [\"host:port\"], or "
                        "maildir: DIRECTORY");
        return;
    }
    for (size_t i = 0; i < sizeof of_servers / sizeof *of_servers; i++) {
        const struct node *found = node_get(node, of_servers[i]);
        if (found != NULL)
            diags_error(reader->diags, found->mark,
                        "%s has no meaning for a maildir: remove it",
                        of_servers[i]);
    }
}

static void check_spare(struct reader *reader, const struct node *node,
                        const struct upstream_settings *upstream)
{
    const struct node *pool = node_get(node, "pool");
    if (pool == NULL || upstream->pool_spare == 0)
        return;
    const struct node *spare = node_get(pool, "spare");
    if (upstream->pool_spare > upstream->pool_max)
        diags_error(reader->diags, spare->mark,
                    "spare is more than max, which is %llu",
                    (unsigned long long)upstream->pool_max);
    if (upstream->identity == IDENTITY_PROXY_V2)
        diags_error(reader->diags, spare->mark,
                    "spare has no meaning with identity: proxy-v2, where each "
                    "connection is made in the name of its client: remove it");
    else if (upstream->login.kind == LOGIN_BY_FACT ||
             upstream->login.kind == LOGIN_OF_CLIENT)
        diags_error(reader->diags, spare->mark,
                    "spare has no meaning where not all mail goes out under "
                    "one login: remove it");
}

void read_upstreams(struct reader *reader, const struct node *node, void *into)
{
    struct settings *settings = into;
    if (!node_is_map(reader, node, "upstreams"))
        return;
    struct upstream_settings *items =
        arena_array(reader->arena, node->count, sizeof *items);
    if (items == NULL) {
        reader_full(reader, node->mark);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct node *value = node->values[i];
        items[i].index = i;
        items[i].mark = node->keys[i]->mark;
        read_name(reader, node->keys[i], &items[i].name);
        if (!node_is_map(reader, value, "an upstream"))
            continue;
        schema_read(reader, &upstream_schema, value, &items[i]);
        check_kind(reader, value);
        check_upstream_tls(reader, value, &items[i]);
        check_login(reader, value, &items[i]);
        check_spare(reader, value, &items[i]);
    }
    settings->upstreams = items;
    settings->upstream_count = node->count;
}

static const char *nearest_upstream(struct reader *reader, struct str text)
{
    const struct settings *settings = reader->settings;
    size_t count = settings->upstream_count;
    const char **names = arena_array(reader->scratch, count, sizeof *names);
    size_t named = 0;
    for (size_t i = 0; names != NULL && i < count; i++)
        if (settings->upstreams[i].name.p != NULL)
            names[named++] = settings->upstreams[i].name.p;
    return nearest_word(text, names, named);
}

const struct upstream_settings *read_upstream_name(struct reader *reader,
                                                   const struct node *node)
{
    struct str text;
    if (!node_text(reader, node, "upstream", &text))
        return NULL;
    const struct settings *settings = reader->settings;
    for (size_t i = 0; i < settings->upstream_count; i++)
        if (str_equals(settings->upstreams[i].name, text))
            return &settings->upstreams[i];
    const char *nearest = nearest_upstream(reader, text);
    diags_error(reader->diags, node->mark, "upstreams has no %.*s%s%s%s",
                PROBLEM_STR(text), DIAG_NEAREST(nearest));
    return NULL;
}
