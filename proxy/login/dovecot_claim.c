#include "proxy/login/dovecot_claim.h"

#include <string.h>

#include "proxy/smtp/xclient.h"

/* More than a line can hold. */
#define RESPONSE_MAX DOVECOT_LINE_MAX
#define ENDS_ARENA_MAX 4096

struct writer {
    char to[RESPONSE_MAX];
    size_t used;
    bool is_full;
};

static void put(struct writer *w, struct str octets)
{
    if (octets.n > RESPONSE_MAX - w->used) {
        w->is_full = true;
        return;
    }
    if (octets.n > 0)
        memcpy(w->to + w->used, octets.p, octets.n);
    w->used += octets.n;
}

/* RFC 4616 2. */
static void put_plain(struct writer *w, const struct claim *claim)
{
    const struct str nul = {"", 1};
    put(w, claim->authzid);
    put(w, nul);
    put(w, claim->name);
    put(w, nul);
    put(w, claim->secret);
}

static void put_bearer(struct writer *w, struct str token)
{
    put(w, STR("\001auth=Bearer "));
    put(w, token);
    put(w, STR("\001\001"));
}

/* RFC 7628 3.1; the name is written as RFC 5801 4 says. */
static void put_oauthbearer(struct writer *w, const struct claim *claim)
{
    put(w, claim->name.n > 0 ? STR("n,a=") : STR("n,"));
    for (size_t i = 0; i < claim->name.n; i++) {
        struct str c = str_span(&claim->name.p[i], 1);
        if (*c.p == ',')
            c = STR("=2C");
        else if (*c.p == '=')
            c = STR("=3D");
        put(w, c);
    }
    put(w, STR(","));
    put_bearer(w, claim->secret);
}

static void put_xoauth2(struct writer *w, const struct claim *claim)
{
    put(w, STR("user="));
    put(w, claim->name);
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
    static void (*const puts[DOVECOT_MECHANISMS])(struct writer *,
                                                  const struct claim *) = {
        [DOVECOT_PLAIN] = put_plain,
        [DOVECOT_OAUTHBEARER] = put_oauthbearer,
        [DOVECOT_XOAUTH2] = put_xoauth2,
    };
    struct dovecot_request request = {
        .id = id, .mechanism = mechanism, .session = claim->session};
    struct writer w;
    struct arena arena;
    size_t written = 0;
    if (!can_be_said(claim, mechanism))
        return 0;
    arena_init(&arena, ENDS_ARENA_MAX);
    w.used = 0;
    w.is_full = false;
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
