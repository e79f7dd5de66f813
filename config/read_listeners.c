/* listeners: where clients come in, and what is asked of them. */
#include "config/sections.h"

#include "config/endpoint.h"

#include <stddef.h>

#define LISTENERS_MAX 256

static void read_address(struct reader *reader, const struct node *node,
                         void *into)
{
    struct listener_settings *listener = into;
    size_t count = 0;
    struct endpoint *items = read_endpoints(reader, node, "address", &count);
    for (size_t i = 0; items != NULL && i < count; i++)
        if (!endpoint_is_numeric(&items[i]))
            diags_error(reader->diags, items[i].mark,
                        "address takes an address of this machine, not a name: "
                        "\"[::]:%d\" is all of them",
                        items[i].port);
    listener->addresses = items;
    listener->address_count = items == NULL ? 0 : count;
}

/* One network or a list; NULL when it is none. */
static const struct cidr *read_networks(struct reader *reader,
                                        const struct node *node,
                                        const char *name, size_t *count)
{
    *count = node_list_count(node);
    struct cidr *items = arena_array(reader->arena, *count, sizeof *items);
    if (items == NULL) {
        reader_full(reader, node->mark);
        *count = 0;
        return NULL;
    }
    for (size_t i = 0; i < *count; i++)
        node_cidr(reader, node_list_item(node, i), name, &items[i]);
    if (*count == 0)
        diags_error(reader->diags, node->mark,
                    "%s is empty: name the networks, such as [192.0.2.0/24]",
                    name);
    return items;
}

static void read_trusted(struct reader *reader, const struct node *node,
                         void *into)
{
    struct listener_settings *listener = into;
    listener->trusted =
        read_networks(reader, node, "trusted", &listener->trusted_count);
}

static void read_balancers(struct reader *reader, const struct node *node,
                           void *into)
{
    struct listener_settings *listener = into;
    listener->balancers =
        read_networks(reader, node, "from", &listener->balancer_count);
}

static const struct key proxy_protocol_keys[] = {
    {.name = "from",
     .type = KEY_OWN,
     .shape = SHAPE_ONE_OR_LIST,
     .content = CONTENT_CIDR,
     .is_required = true,
     .help = "networks of the balancers; from them the header is a must",
     .read = read_balancers},
};

static const struct schema proxy_protocol_schema = {
    "proxy_protocol", proxy_protocol_keys,
    sizeof proxy_protocol_keys / sizeof *proxy_protocol_keys};

static void read_upstream(struct reader *reader, const struct node *node,
                          void *into)
{
    struct listener_settings *listener = into;
    listener->upstream = read_upstream_name(reader, node);
}

static const char *const tls_words[] = {"starttls", "implicit", "none", NULL};
static const char *const auth_words[] = {"required", "optional", "none", NULL};

static const char *const client_logins[] = {
    [CLIENT_LOGIN_RFC822] = "rfc822",
    [CLIENT_LOGIN_DNS] = "dns",
    [CLIENT_LOGIN_CN] = "cn",
    [CLIENT_LOGIN_FINGERPRINT] = "fingerprint",
    NULL,
};

static void read_own_offer(struct reader *reader, const struct node *node,
                           void *into)
{
    struct listener_settings *listener = into;
    listener->mechanisms = read_mechanisms(reader, node);
}

static const char *const line_endings[] = {"strict", "repair", NULL};

static const struct key listener_keys[] = {
    {.name = "address",
     .type = KEY_OWN,
     .shape = SHAPE_ONE_OR_LIST,
     .content = CONTENT_ENDPOINT,
     .is_required = true,
     .help = "IP:port, one or a list",
     .read = read_address},
    {.name = "tls",
     .type = KEY_WORD,
     .is_required = true,
     .words = tls_words,
     .help = "starttls (port 587), implicit (port 465) or none",
     .offset = offsetof(struct listener_settings, tls)},
    {.name = "auth",
     .type = KEY_WORD,
     .fallback = "required",
     .words = auth_words,
     .help = "whether clients log in: required, optional or none",
     .offset = offsetof(struct listener_settings, auth)},
    {.name = "trusted",
     .type = KEY_OWN,
     .shape = SHAPE_ONE_OR_LIST,
     .content = CONTENT_CIDR,
     .help = "networks whose clients may come without TLS or a login",
     .read = read_trusted},
    {.name = "upstream",
     .type = KEY_OWN,
     .help = "where its mail goes; default: the top-level upstream",
     .read = read_upstream},
    {.name = "banner",
     .type = KEY_TEXT,
     .max = 200,
     .help = "the text behind the host name in the greeting",
     .offset = offsetof(struct listener_settings, banner)},
    {.name = "proxy_protocol",
     .type = KEY_SECTION,
     .section = &proxy_protocol_schema,
     .help = "balancers whose PROXY header names the client"},
    {.name = "line_endings",
     .type = KEY_SWITCH,
     .fallback = "strict",
     .words = line_endings,
     .help = "what becomes of a bare CR or LF in a message",
     .offset = offsetof(struct listener_settings, repairs_line_endings)},
    {.name = "client_ca",
     .type = KEY_PATH,
     .help = "PEM file of the authorities of client certificates, which are "
             "then asked for",
     .offset = offsetof(struct listener_settings, client_ca.path),
     .mark_offset = offsetof(struct listener_settings, client_ca.mark)},
    {.name = "client_login",
     .type = KEY_WORD,
     .fallback = "rfc822",
     .words = client_logins,
     .help = "which name of a client's certificate logs it in by EXTERNAL: its "
             "first mail address, DNS name, its common name or SHA-256",
     .offset = offsetof(struct listener_settings, client_login)},
    {.name = "mechanisms",
     .type = KEY_OWN,
     .shape = SHAPE_ONE_OR_LIST,
     .content = CONTENT_WORD,
     .words = mechanism_words,
     .help = "what AUTH offers here, in the place of auth.mechanisms",
     .read = read_own_offer},
};

const struct schema listener_schema = {
    "a listener", listener_keys, sizeof listener_keys / sizeof *listener_keys};

/* Who may come without TLS, or without a login, has to be said. */
static void check_trust(struct reader *reader, const struct node *node,
                        const struct listener_settings *listener)
{
    const struct node *tls = node_get(node, "tls");
    const struct node *auth = node_get(node, "auth");
    bool is_clear = listener->tls == LISTENER_CLEAR && tls != NULL;
    bool is_open = listener->auth != AUTH_REQUIRED && auth != NULL;
    if (is_clear && listener->auth == AUTH_REQUIRED)
        diags_error(reader->diags, tls->mark,
                    "nobody can log in here, as AUTH needs TLS: say auth: none "
                    "or tls: starttls");
    if (listener->tls == LISTENER_CLEAR && listener->client_ca.path != NULL)
        diags_error(reader->diags, listener->client_ca.mark,
                    "client_ca needs tls: starttls or implicit: without TLS "
                    "no client shows a certificate");
    if (node_get(node, "trusted") != NULL)
        return;
    if (is_clear)
        diags_error(reader->diags, tls->mark,
                    "tls: none needs trusted: [CIDR], the networks from which "
                    "mail may come unencrypted");
    if (is_open)
        diags_error(reader->diags, auth->mark,
                    "auth: %s needs trusted: [CIDR], the networks from which "
                    "mail may come without a login",
                    auth_words[listener->auth]);
}

static void read_listener(struct reader *reader, const struct node *key,
                          const struct node *value,
                          struct listener_settings *listener)
{
    const struct settings *settings = reader->settings;
    listener->mark = key->mark;
    read_name(reader, key, &listener->name);
    if (!node_is_map(reader, value, "a listener"))
        return;
    schema_read(reader, &listener_schema, value, listener);
    check_trust(reader, value, listener);
    if (node_get(value, "upstream") != NULL)
        return;
    listener->upstream = settings->upstream;
    if (!reader->has_upstream && settings->upstream_count > 0)
        diags_error(reader->diags, key->mark,
                    "where does its mail go? Say upstream: NAME here or at the "
                    "top level");
}

static bool has_address(const struct listener_settings *listener, size_t count,
                        struct str address)
{
    for (size_t i = 0; i < count; i++)
        if (str_equals(listener->addresses[i].text, address))
            return true;
    return false;
}

/* The same address twice would fail when the server starts. */
static void check_addresses(struct reader *reader,
                            const struct listener_settings *listeners,
                            size_t index)
{
    const struct listener_settings *last = &listeners[index];
    for (size_t i = 0; i < last->address_count; i++) {
        const struct endpoint *address = &last->addresses[i];
        size_t j = 0;
        while (j < index &&
               !has_address(&listeners[j], listeners[j].address_count,
                            address->text))
            j++;
        if (j < index || has_address(last, i, address->text))
            diags_error(reader->diags, address->mark,
                        "%.*s is taken by the listener %.*s already",
                        (int)address->text.n, address->text.p,
                        (int)listeners[j].name.n, listeners[j].name.p);
    }
}

void read_listeners(struct reader *reader, const struct node *node, void *into)
{
    struct settings *settings = into;
    if (!node_is_map(reader, node, "listeners"))
        return;
    if (node->count > LISTENERS_MAX) {
        diags_error(reader->diags, node->mark, "more than %d listeners",
                    LISTENERS_MAX);
        return;
    }
    struct listener_settings *items =
        arena_array(reader->arena, node->count, sizeof *items);
    if (items == NULL) {
        reader_full(reader, node->mark);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        read_listener(reader, node->keys[i], node->values[i], &items[i]);
        check_addresses(reader, items, i);
    }
    settings->listeners = items;
    settings->listener_count = node->count;
}
