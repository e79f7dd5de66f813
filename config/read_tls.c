/* tls: certificates and versions of all listeners. */
#include "config/sections.h"

#include <stddef.h>

static const struct key certificate_keys[] = {
    {.name = "chain",
     .type = KEY_PATH,
     .is_required = true,
     .help = "PEM file: the certificate, then its intermediates",
     .offset = offsetof(struct certificate_settings, chain),
     .mark_offset = offsetof(struct certificate_settings, chain_mark)},
    {.name = "key",
     .type = KEY_PATH,
     .is_required = true,
     .help = "PEM file with the private key, readable by its owner only",
     .offset = offsetof(struct certificate_settings, key),
     .mark_offset = offsetof(struct certificate_settings, key_mark)},
};

static const struct schema certificate_schema = {
    "a certificate", certificate_keys,
    sizeof certificate_keys / sizeof *certificate_keys};

static void read_certificates(struct reader *reader, const struct node *node,
                              void *into)
{
    struct tls_settings *tls = into;
    if (!node_is_sequence(reader, node, "certificates"))
        return;
    struct certificate_settings *items =
        arena_array(reader->arena, node->count, sizeof *items);
    if (items == NULL) {
        reader_full(reader, node->mark);
        return;
    }
    for (size_t i = 0; i < node->count; i++)
        if (node_is_map(reader, node->values[i], "a certificate"))
            schema_read(reader, &certificate_schema, node->values[i],
                        &items[i]);
    tls->certificates = items;
    tls->certificate_count = node->count;
}

static const char *const versions[] = {"1.2", "1.3", NULL};

static const struct key tls_keys[] = {
    {.name = "certificates",
     .type = KEY_OWN,
     .shape = SHAPE_LIST,
     .help = "list of {chain, key}, chosen by the name that the client asks "
             "for; the first is the default",
     .section = &certificate_schema,
     .read = read_certificates},
    {.name = "minimum",
     .type = KEY_SWITCH,
     .fallback = "1.2",
     .words = versions,
     .help = "the oldest TLS version that is spoken",
     .offset = offsetof(struct tls_settings, is_minimum_13)},
    {.name = "tickets",
     .type = KEY_FLAG,
     .fallback = "true",
     .help = "whether clients may resume sessions by tickets",
     .offset = offsetof(struct tls_settings, has_tickets)},
    {.name = "key_isolation",
     .type = KEY_FLAG,
     .fallback = "false",
     .help = "keep private keys out of the process that reads the network",
     .offset = offsetof(struct tls_settings, is_key_isolated)},
};

const struct schema tls_schema = {"tls", tls_keys,
                                  sizeof tls_keys / sizeof *tls_keys};
