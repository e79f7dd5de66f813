#include "proxy/login/dovecot_claim.h"

#include <string.h>

#include "proxy/smtp/xclient.h"
#include "rules/base/octet_writer.h"

/* More than a line can hold. */
#define RESPONSE_MAX DOVECOT_LINE_MAX
#define ENDS_ARENA_MAX 4096

/* RFC 4616 2. */
static void put_plain(struct octet_writer *w, const struct claim *claim)
{
    const struct str nul = {"", 1};
    octet_writer_put(w, claim->authzid);
    octet_writer_put(w, nul);
    octet_writer_put(w, claim->name);
    octet_writer_put(w, nul);
    octet_writer_put(w, claim->secret);
}

static void put_bearer(struct octet_writer *w, struct str token)
{
    octet_writer_put(w, STR("\001auth=Bearer "));
    octet_writer_put(w, token);
    octet_writer_put(w, STR("\001\001"));
}

/* RFC 7628 3.1; the name is written as RFC 5801 4 says. */
static void put_oauthbearer(struct octet_writer *w, const struct claim *claim)
{
    octet_writer_put(w, claim->name.n > 0 ? STR("n,a=") : STR("n,"));
    for (size_t i = 0; i < claim->name.n; i++) {
        struct str c = str_span(&claim->name.p[i], 1);
        if (*c.p == ',')
            c = STR("=2C");
        else if (*c.p == '=')
            c = STR("=3D");
        octet_writer_put(w, c);
    }
    octet_writer_put(w, STR(","));
    put_bearer(w, claim->secret);
}

static void put_xoauth2(struct octet_writer *w, const struct claim *claim)
{
    octet_writer_put(w, STR("user="));
    octet_writer_put(w, claim->name);
    put_bearer(w, claim->secret);
}

/* Which would end a field of the mechanism, so that another could follow. */
static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ')
            return true;
    return false;
}

static bool has_nul(struct str text)
{
    return str_index(text, '\0') >= 0;
}

static bool can_be_said(const struct claim *claim,
                        enum dovecot_mechanism mechanism)
{
    if (mechanism == DOVECOT_PLAIN)
        return !has_nul(claim->authzid) && !has_nul(claim->name) &&
               !has_nul(claim->secret);
    return !has_control(claim->name) && !has_control(claim->secret) &&
           (mechanism != DOVECOT_XOAUTH2 || claim->name.n > 0);
}

enum dovecot_mechanism dovecot_claim_mechanism(const struct claim *claim,
                                               const bool *has)
{
    enum dovecot_mechanism first = DOVECOT_OAUTHBEARER,
                           second = DOVECOT_XOAUTH2;
    if (claim->kind == CLAIM_PASSWORD)
        return has[DOVECOT_PLAIN] ? DOVECOT_PLAIN : DOVECOT_MECHANISMS;
    if (strcmp(claim->mechanism, "XOAUTH2") == 0) {
        first = DOVECOT_XOAUTH2;
        second = DOVECOT_OAUTHBEARER;
    }
    if (has[first])
        return first;
    return has[second] ? second : DOVECOT_MECHANISMS;
}

static void set_ends(struct dovecot_request *request,
                     const struct client_identity *client, struct arena *arena)
{
    request->remote_ip = client->address;
    request->remote_port = client->port;
    request->local_port = client->server_port;
    if (client->server_port != 0)
        request->local_ip = ip_text(arena, &client->server);
}

size_t dovecot_claim_write(const struct claim *claim,
                           enum dovecot_mechanism mechanism, uint32_t id,
                           char *to, size_t room)
{
    static void (*const puts[DOVECOT_MECHANISMS])(struct octet_writer *,
                                                  const struct claim *) = {
        [DOVECOT_PLAIN] = put_plain,
        [DOVECOT_OAUTHBEARER] = put_oauthbearer,
        [DOVECOT_XOAUTH2] = put_xoauth2,
    };
    struct dovecot_request request = {
        .id = id, .mechanism = mechanism, .session = claim->session};
    char said[RESPONSE_MAX];
    struct octet_writer w = {.to = said, .room = sizeof said};
    struct arena arena;
    size_t written = 0;
    if (!can_be_said(claim, mechanism))
        return 0;
    arena_init(&arena, ENDS_ARENA_MAX);
    puts[mechanism](&w, claim);
    request.response = str_span(w.to, w.used);
    if (claim->client != NULL)
        set_ends(&request, claim->client, &arena);
    if (!w.is_full)
        written = dovecot_write_request(&request, to, room);
    explicit_bzero(w.to, w.used);
    arena_release(&arena);
    return written;
}
