/* http: where metrics are read and, if wanted, the dashboard. */
#include "config/sections.h"

#include "config/endpoint.h"
#include "rules/domain_name.h"
#include "rules/problem.h"

#include <stddef.h>

#define NAMES_MAX 64

static bool is_loopback(struct str host)
{
    struct ip ip;
    struct cidr v4, v6, mapped;
    return ip_parse(host, &ip) == 0 &&
           cidr_parse(STR("127.0.0.0/8"), &v4) == 0 &&
           cidr_parse(STR("::1"), &v6) == 0 &&
           cidr_parse(STR("::ffff:127.0.0.0/104"), &mapped) == 0 &&
           (cidr_contains(&v4, &ip) || cidr_contains(&v6, &ip) ||
            cidr_contains(&mapped, &ip));
}

static void check_not_taken(struct reader *reader,
                            const struct endpoint *address)
{
    const struct settings *settings = reader->settings;
    for (size_t i = 0; i < settings->listener_count; i++) {
        const struct listener_settings *listener = &settings->listeners[i];
        for (size_t j = 0; j < listener->address_count; j++)
            if (str_equals(listener->addresses[j].text, address->text))
                diags_error(reader->diags, address->mark,
                            "%.*s is taken by the listener %.*s already",
                            PROBLEM_STR(address->text),
                            PROBLEM_STR(listener->name));
    }
}

static void read_address(struct reader *reader, const struct node *node,
                         void *into)
{
    struct http_settings *http = into;
    struct str text;
    if (!node_text(reader, node, "address", &text))
        return;
    text = reader_keep(reader, node->mark, text);
    if (text.p == NULL)
        return;
    http->address.mark = node->mark;
    if (endpoint_parse(text, &http->address) != 0 ||
        !endpoint_is_numeric(&http->address)) {
        diags_error(reader->diags, node->mark,
                    "address takes IP:port such as \"127.0.0.1:8025\", not "
                    "\"%.*s\"",
                    PROBLEM_STR(text));
        http->address = (struct endpoint){.mark = node->mark};
        return;
    }
    check_not_taken(reader, &http->address);
}

static void read_names(struct reader *reader, const struct node *node,
                       void *into)
{
    struct http_settings *http = into;
    size_t count = node_list_count(node);
    struct str *names = arena_array(reader->arena, count, sizeof *names);
    if (count > NAMES_MAX || names == NULL) {
        diags_error(reader->diags, node->mark, "names: more than %d names",
                    NAMES_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct node *item = node_list_item(node, i);
        struct str text;
        if (!node_text(reader, item, "names", &text))
            continue;
        if (domain_is_host(text))
            names[i] = reader_keep(reader, item->mark, text);
        else
            diags_error(reader->diags, item->mark,
                        "names takes host names such as postern.example.com, "
                        "without a port, not \"%.*s\"",
                        PROBLEM_STR(text));
    }
    http->names = names;
    http->name_count = count;
}

static const struct key http_keys[] = {
    {.name = "address",
     .type = KEY_OWN,
     .content = CONTENT_ENDPOINT,
     .is_required = true,
     .help = "IP:port of metrics, health and the dashboard",
     .read = read_address},
    {.name = "dashboard",
     .type = KEY_FLAG,
     .fallback = "false",
     .help = "whether a browser finds a page there: who sends, what is "
             "refused, the decision log, mail in Maildirs",
     .offset = offsetof(struct http_settings, dashboard)},
    {.name = "names",
     .type = KEY_OWN,
     .shape = SHAPE_ONE_OR_LIST,
     .content = CONTENT_HOST,
     .help = "host names by which it may be called, beside hostname, localhost "
             "and addresses",
     .read = read_names},
};

const struct schema http_schema = {"http", http_keys,
                                   sizeof http_keys / sizeof *http_keys};

/* It has no login, and shows who writes to whom. */
void read_check_http(struct reader *reader)
{
    const struct http_settings *http = &reader->settings->http;
    if (http->address.text.n > 0 && http->dashboard &&
        !is_loopback(http->address.host))
        diags_warn(reader->diags, http->address.mark,
                   "the dashboard has no login, and whoever reaches %.*s sees "
                   "who writes to whom: listen on 127.0.0.1 and put a proxy "
                   "that asks for one before it, as postern.yaml(5) shows",
                   PROBLEM_STR(http->address.text));
}
