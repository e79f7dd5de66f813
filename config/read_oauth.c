/* auth: backends: jwt and introspect — who is asked about OAuth 2 tokens. */
#include "config/sections.h"

#include "config/endpoint.h"
#include "rules/problem.h"

#include <stddef.h>

#define URL_MAX 1024
#define ID_MAX 1024
#define CLAIM_MAX 256
#define HTTPS "https://"

static const struct key jwt_keys[] = {
    {.name = "jwks",
     .type = KEY_PATH,
     .is_required = true,
     .help = "file with the issuer's public keys, a JWK set; read again when "
             "it changes",
     .offset = offsetof(struct jwt_settings, jwks),
     .mark_offset = offsetof(struct jwt_settings, mark)},
    {.name = "issuer",
     .type = KEY_TEXT,
     .is_required = true,
     .max = URL_MAX,
     .help = "what the token's iss must be, such as https://id.example.com",
     .offset = offsetof(struct jwt_settings, token.issuer)},
    {.name = "audience",
     .type = KEY_TEXT,
     .is_required = true,
     .max = URL_MAX,
     .help = "what the token's aud must hold, so that one made for another "
             "service is none for mail",
     .offset = offsetof(struct jwt_settings, token.audience)},
    {.name = "scope",
     .type = KEY_TEXT,
     .max = URL_MAX,
     .help = "words that the token's scope or scp must hold, all of them",
     .offset = offsetof(struct jwt_settings, token.scope)},
    {.name = "user_claim",
     .type = KEY_TEXT,
     .fallback = "sub",
     .max = CLAIM_MAX,
     .help = "the claim that is the user's name",
     .offset = offsetof(struct jwt_settings, token.user_claim)},
    {.name = "addresses_claim",
     .type = KEY_TEXT,
     .max = CLAIM_MAX,
     .help = "the claim with the user's address, or a list of them, such as "
             "email",
     .offset = offsetof(struct jwt_settings, token.addresses_claim)},
    {.name = "groups_claim",
     .type = KEY_TEXT,
     .fallback = "groups",
     .max = CLAIM_MAX,
     .help = "the claim with the user's groups",
     .offset = offsetof(struct jwt_settings, token.groups_claim)},
    {.name = "skew",
     .type = KEY_TIME,
     .fallback = "60s",
     .max = 600000,
     .help = "how far the issuer's clock may be apart from this one",
     .offset = offsetof(struct jwt_settings, token.skew_ms)},
};

const struct schema jwt_schema = {"jwt", jwt_keys,
                                  sizeof jwt_keys / sizeof *jwt_keys};

/* Anything else could end a line of the request, or stand for a secret. */
static bool has_url_characters(struct str url)
{
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] <= ' ' || url.p[i] > '~' || url.p[i] == '#' ||
            url.p[i] == '\\' || url.p[i] == '"')
            return false;
    return true;
}

/* host, host:port or [address], whose port is 443 if it is not named. */
static bool read_authority(struct reader *reader, struct mark mark,
                           struct str authority,
                           struct introspect_settings *out)
{
    struct endpoint endpoint;
    ptrdiff_t colon = str_last_index(authority, ':');
    ptrdiff_t bracket = str_last_index(authority, ']');
    struct str text = authority;
    if (colon < 0 || colon < bracket)
        text = arena_printf(reader->scratch, "%.*s:443", (int)authority.n,
                            authority.p);
    if (text.p == NULL || endpoint_parse(text, &endpoint) != 0)
        return false;
    out->authority = authority;
    out->host = reader_keep(reader, mark, endpoint.host).p;
    out->port = endpoint.port;
    return true;
}

/* Authority and target of the url that was kept. */
static bool read_parts(struct reader *reader, struct introspect_settings *out)
{
    struct str rest = str_skip(out->url, sizeof HTTPS - 1);
    size_t end = 0;
    if (out->url.n > URL_MAX || !has_url_characters(out->url) ||
        !str_starts_with_nocase(out->url, STR(HTTPS)))
        return false;
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
        end++;
    out->target = end == rest.n ? STR("/") : str_skip(rest, end);
    return out->target.p[0] == '/' &&
           read_authority(reader, out->mark, str_head(rest, end), out);
}

static void read_url(struct reader *reader, const struct node *node, void *into)
{
    struct introspect_settings *introspect = into;
    struct str text;
    introspect->mark = node->mark;
    if (!node_text(reader, node, "url", &text))
        return;
    introspect->url = reader_keep(reader, node->mark, text);
    if (introspect->url.p == NULL)
        return;
    if (str_starts_with_nocase(text, STR("http://")))
        diags_error(reader->diags, node->mark,
                    "url: over http:// tokens and the client's secret would "
                    "be told to everybody on the way: write https://");
    else if (str_index(text, '@') >= 0)
        diags_error(reader->diags, node->mark,
                    "url holds a login: write client_id and "
                    "client_secret_file instead");
    else if (!read_parts(reader, introspect))
        diags_error(reader->diags, node->mark,
                    "url takes https://HOST/PATH, such as "
                    "https://id.example.com/oauth2/introspect, not \"%.*s\"",
                    PROBLEM_STR(text));
}

static const struct key introspect_keys[] = {
    {.name = "url",
     .type = KEY_OWN,
     .is_required = true,
     .help = "the server's introspection endpoint (RFC 7662), https only",
     .read = read_url},
    {.name = "ca",
     .type = KEY_PATH,
     .help = "file of CA certificates for the server; default: the system's",
     .offset = offsetof(struct introspect_settings, ca),
     .mark_offset = offsetof(struct introspect_settings, ca_mark)},
    {.name = "client_id",
     .type = KEY_TEXT,
     .is_required = true,
     .max = ID_MAX,
     .help = "who Postern is for that server",
     .offset = offsetof(struct introspect_settings, client_id)},
    {.name = "client_secret_file",
     .type = KEY_PATH,
     .is_required = true,
     .help = "file with the secret of client_id in its first line",
     .offset = offsetof(struct introspect_settings, client_secret_file),
     .mark_offset = offsetof(struct introspect_settings, client_secret_mark)},
    {.name = "issuer",
     .type = KEY_TEXT,
     .max = URL_MAX,
     .help = "what iss of the answer must be; default: anything",
     .offset = offsetof(struct introspect_settings, token.issuer)},
    {.name = "audience",
     .type = KEY_TEXT,
     .max = URL_MAX,
     .help = "what aud of the answer must hold; default: anything",
     .offset = offsetof(struct introspect_settings, token.audience)},
    {.name = "scope",
     .type = KEY_TEXT,
     .max = URL_MAX,
     .help = "words that scope of the answer must hold, all of them",
     .offset = offsetof(struct introspect_settings, token.scope)},
    {.name = "user_claim",
     .type = KEY_TEXT,
     .fallback = "username",
     .max = CLAIM_MAX,
     .help = "the member of the answer that is the user's name; where username "
             "is missing, sub",
     .offset = offsetof(struct introspect_settings, token.user_claim)},
    {.name = "addresses_claim",
     .type = KEY_TEXT,
     .max = CLAIM_MAX,
     .help = "the member with the user's address, or a list of them, such as "
             "email",
     .offset = offsetof(struct introspect_settings, token.addresses_claim)},
    {.name = "groups_claim",
     .type = KEY_TEXT,
     .fallback = "groups",
     .max = CLAIM_MAX,
     .help = "the member with the user's groups",
     .offset = offsetof(struct introspect_settings, token.groups_claim)},
    {.name = "skew",
     .type = KEY_TIME,
     .fallback = "60s",
     .max = 600000,
     .help = "how far the server's clock may be apart from this one",
     .offset = offsetof(struct introspect_settings, token.skew_ms)},
    {.name = "timeout",
     .type = KEY_TIME,
     .fallback = "5s",
     .min = 10,
     .max = 60000,
     .help = "how long to wait for its answer, connecting included",
     .offset = offsetof(struct introspect_settings, timeout_ms)},
    {.name = "cache",
     .type = KEY_TIME,
     .fallback = "60s",
     .max = 3600000,
     .help = "how long a good answer is kept; a token that is revoked is good "
             "until then",
     .offset = offsetof(struct introspect_settings, cache_ms)},
};

const struct schema introspect_schema = {"introspect", introspect_keys,
                                         sizeof introspect_keys /
                                             sizeof *introspect_keys};

/* Room for the section's struct, filled; NULL after a diagnostic. */
static void *read_section(struct reader *reader, const struct node *node,
                          const struct schema *schema, size_t octets)
{
    if (!node_is_map(reader, node, schema->name))
        return NULL;
    void *section = arena_alloc(reader->arena, octets);
    if (section == NULL)
        reader_full(reader, node->mark);
    else
        schema_read(reader, schema, node, section);
    return section;
}

void read_jwt(struct reader *reader, const struct node *node, void *into)
{
    struct backend_settings *backend = into;
    backend->jwt =
        read_section(reader, node, &jwt_schema, sizeof(struct jwt_settings));
}

void read_introspect(struct reader *reader, const struct node *node, void *into)
{
    struct backend_settings *backend = into;
    backend->introspect = read_section(reader, node, &introspect_schema,
                                       sizeof(struct introspect_settings));
}
