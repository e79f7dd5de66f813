/* tls of an upstream: how the connection to it is secured, whom it trusts and
 * what it shows. */
#include "config/sections.h"

#include "rules/domain_name.h"
#include "rules/problem.h"

#include <stddef.h>

static const char *const modes[] = {"none", "starttls", "implicit", NULL};

static void read_tls_name(struct reader *reader, const struct node *node,
                          void *into)
{
    struct upstream_settings *upstream = into;
    struct str text;
    if (!node_text(reader, node, "name", &text))
        return;
    if (domain_is_host(text))
        upstream->tls_name = reader_keep(reader, node->mark, text).p;
    else
        diags_error(reader->diags, node->mark,
                    "name takes the host name in the upstream's certificate, "
                    "not \"%.*s\"%s",
                    PROBLEM_STR(text),
                    domain_is_valid(text) ? "; write xn--…, as `idn2` prints it"
                                          : "");
}

/* The digits of `text` in lower case, without its colons. False when it is no
 * fingerprint. */
static bool plain_digits(struct str text, char digits[FINGERPRINT_DIGITS])
{
    size_t count = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = ascii_lower(text.p[i]);
        bool is_digit = ascii_is_digit(c) || (c >= 'a' && c <= 'f');
        /* A colon stands between two octets. */
        if (c == ':' && count % 2 == 0 && count > 0 && i + 1 < text.n &&
            text.p[i - 1] != ':')
            continue;
        if (!is_digit || count == FINGERPRINT_DIGITS)
            return false;
        digits[count++] = c;
    }
    return count == FINGERPRINT_DIGITS;
}

static void read_fingerprints(struct reader *reader, const struct node *node,
                              void *into)
{
    struct upstream_settings *upstream = into;
    size_t count = node_list_count(node);
    struct str *kept = arena_array(reader->arena, count, sizeof *kept);
    if (kept == NULL) {
        reader_full(reader, node->mark);
        return;
    }
    if (count == 0)
        diags_error(reader->diags, node->mark, "fingerprint is empty");
    for (size_t i = 0; i < count; i++) {
        const struct node *item = node_list_item(node, i);
        char digits[FINGERPRINT_DIGITS];
        struct str text;
        if (!node_text(reader, item, "fingerprint", &text))
            continue;
        if (plain_digits(text, digits))
            kept[upstream->fingerprint_count++] = reader_keep(
                reader, item->mark, str_span(digits, sizeof digits));
        else
            diags_error(reader->diags, item->mark,
                        "fingerprint takes the %d hexadecimal digits of a "
                        "SHA-256, with or without colons, not \"%.*s\"",
                        FINGERPRINT_DIGITS, PROBLEM_STR(text));
    }
    upstream->fingerprints = kept;
}

/* These keys fill the upstream's struct itself. */
static const struct key upstream_tls_keys[] = {
    {.name = "mode",
     .type = KEY_WORD,
     .is_required = true,
     .words = modes,
     .help = "none, starttls or implicit",
     .offset = offsetof(struct upstream_settings, tls)},
    {.name = "verify",
     .type = KEY_FLAG,
     .fallback = "true",
     .help = "whether the certificate is held against `ca` and `name`",
     .offset = offsetof(struct upstream_settings, is_verified)},
    {.name = "name",
     .type = KEY_OWN,
     .content = CONTENT_HOST,
     .help = "the name in the certificate, if it is not the server's host",
     .read = read_tls_name},
    {.name = "ca",
     .type = KEY_PATH,
     .help = "PEM file of the authorities to trust; default: the system's",
     .offset = offsetof(struct upstream_settings, ca),
     .mark_offset = offsetof(struct upstream_settings, ca_mark)},
    {.name = "fingerprint",
     .type = KEY_OWN,
     .shape = SHAPE_ONE_OR_LIST,
     .help = "SHA-256 of the only certificate to trust, one or a list, instead "
             "of `ca` and `name`",
     .read = read_fingerprints},
    {.name = "certificate",
     .type = KEY_PATH,
     .help = "PEM file of a certificate to show to the servers, then its "
             "intermediates",
     .offset = offsetof(struct upstream_settings, certificate.chain),
     .mark_offset = offsetof(struct upstream_settings, certificate.chain_mark)},
    {.name = "key",
     .type = KEY_PATH,
     .help = "PEM file with the private key of `certificate`, readable by its "
             "owner only",
     .offset = offsetof(struct upstream_settings, certificate.key),
     .mark_offset = offsetof(struct upstream_settings, certificate.key_mark)},
};

const struct schema upstream_tls_schema = {
    "tls of an upstream", upstream_tls_keys,
    sizeof upstream_tls_keys / sizeof *upstream_tls_keys};

/* Each of `keys` that is there, up to NULL. */
static void refuse(struct reader *reader, const struct node *tls,
                   const char *const *keys, const char *why)
{
    for (size_t i = 0; keys[i] != NULL; i++) {
        const struct node *found = node_get(tls, keys[i]);
        if (found != NULL)
            diags_error(reader->diags, found->mark, "%s %s", keys[i], why);
    }
}

/* What would seem to secure and does not. */
static void check_clear(struct reader *reader, const struct node *tls)
{
    static const char *const keys[] = {"fingerprint", "certificate", "key",
                                       NULL};
    refuse(reader, tls, keys,
           "needs TLS: say mode: starttls or mode: implicit");
}

static void check_pinned(struct reader *reader, const struct node *tls,
                         const struct upstream_settings *upstream)
{
    static const char *const others[] = {"name", "ca", NULL};
    static const char *const verify[] = {"verify", NULL};
    refuse(reader, tls, others,
           "has no meaning beside fingerprint, which trusts that certificate "
           "whatever its name and issuer: remove one of them");
    if (!upstream->is_verified)
        refuse(reader, tls, verify,
               "may not be false beside fingerprint: remove one of them");
}

static void check_chain(struct reader *reader, const struct node *tls,
                        const struct upstream_settings *upstream)
{
    static const char *const checks[] = {"name", "ca"};
    bool is_used = upstream->tls != UPSTREAM_CLEAR && upstream->is_verified;
    for (size_t i = 0; !is_used && i < 2; i++) {
        const struct node *found = node_get(tls, checks[i]);
        if (found != NULL)
            diags_warn(reader->diags, found->mark,
                       "%s is not used: no certificate is verified here",
                       checks[i]);
    }
}

static void check_shown(struct reader *reader, const struct node *tls)
{
    const struct node *chain = node_get(tls, "certificate");
    const struct node *key = node_get(tls, "key");
    if (chain != NULL && key == NULL)
        diags_error(reader->diags, chain->mark,
                    "certificate needs its private key: say key: FILE");
    if (key != NULL && chain == NULL)
        diags_error(reader->diags, key->mark,
                    "key needs its certificate: say certificate: FILE");
}

void check_upstream_tls(struct reader *reader, const struct node *upstream,
                        const struct upstream_settings *settings)
{
    const struct node *tls = node_get(upstream, "tls");
    if (tls == NULL || node_get(tls, "mode") == NULL)
        return;
    if (settings->tls == UPSTREAM_CLEAR)
        check_clear(reader, tls);
    else
        check_shown(reader, tls);
    if (settings->tls != UPSTREAM_CLEAR && node_get(tls, "fingerprint") != NULL)
        check_pinned(reader, tls, settings);
    else
        check_chain(reader, tls, settings);
}
