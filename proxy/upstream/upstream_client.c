/* A PROXY header stands before all else and names the client of all that
 * follows. XCLIENT may be said again and again: behind it the upstream starts
 * over as if that client had connected, so the EHLO that follows carries the
 * client's name: what Postfix was told by HELO= goes as soon as it reads an
 * EHLO. */
#include "proxy/net/proxy_header.h"
#include "proxy/upstream/upstream_internal.h"

#define HINT "is Postern's address in smtpd_authorized_xclient_hosts?"

static bool wants_xclient(const struct upstream *upstream)
{
    return upstream->target.upstream->identity == IDENTITY_XCLIENT;
}

static bool wants_header(const struct upstream *upstream)
{
    return upstream->target.upstream->identity == IDENTITY_PROXY_V2;
}

static bool was_told(const struct upstream *upstream,
                     const struct client_identity *client)
{
    return upstream->has_client &&
           client_identity_equals(&upstream->client, client);
}

bool upstream_suits(const struct upstream *upstream,
                    const struct client_identity *client)
{
    if (wants_header(upstream))
        return upstream->has_client &&
               client_identity_is_same_connection(&upstream->client, client);
    /* Postfix takes the right to say XCLIENT from who used it to become
     * somebody without that right. */
    return !wants_xclient(upstream) || was_told(upstream, client) ||
           upstream->capabilities.xclient != 0;
}

static int keep_text(struct upstream *upstream, struct str *text)
{
    if (text->n == 0)
        return 0;
    *text = arena_str(&upstream->telling, *text);
    return text->p == NULL ? -1 : 0;
}

static int keep_client(struct upstream *upstream,
                       const struct client_identity *client)
{
    struct client_identity *kept = &upstream->client;
    arena_reset(&upstream->telling);
    *kept = *client;
    upstream->xclient = STR("");
    upstream->has_client = true;
    if (keep_text(upstream, &kept->address) != 0 ||
        keep_text(upstream, &kept->helo) != 0)
        return -1;
    return keep_text(upstream, &kept->login);
}

int upstream_keep_client(struct upstream *upstream,
                         const struct client_identity *client)
{
    return client == NULL || !wants_header(upstream)
               ? 0
               : keep_client(upstream, client);
}

void upstream_send_proxy_header(struct upstream *upstream)
{
    const struct client_identity *client = &upstream->client;
    struct proxy_header header = {0};
    char octets[PROXY_HEADER_WRITTEN_MAX];
    if (!wants_header(upstream))
        return;
    /* Where an end is not known, or it is Postern's own question, the header
     * says LOCAL: Postfix takes no header of an unknown kind of address. */
    header.has_client = upstream->has_client && client->server_port != 0 &&
                        ip_parse(client->address, &header.client) == 0;
    header.port = client->port;
    header.server = client->server;
    header.server_port = client->server_port;
    size_t n = proxy_header_write(&header, octets);
    if (stream_write(upstream->stream, str_span(octets, n)) != 0)
        upstream_fail(upstream, FAULT_MEMORY, "no room to write");
}

bool upstream_tell_client(struct upstream *upstream,
                          const struct client_identity *client)
{
    if (!wants_xclient(upstream) || was_told(upstream, client))
        return false;
    if (keep_client(upstream, client) != 0)
        upstream_fail(upstream, FAULT_MEMORY, "no memory for XCLIENT");
    else
        upstream_enter(upstream, UPSTREAM_XCLIENT);
    return true;
}

struct str upstream_greeting_name(const struct upstream *upstream)
{
    struct str helo = STR("");
    /* Behind a PROXY header it is still Postern that speaks. */
    if (upstream->has_client && wants_xclient(upstream))
        helo = client_identity_helo(&upstream->client);
    return helo.n > 0 ? helo : upstream->target.settings->hostname;
}

static void compose(struct upstream *upstream)
{
    char commands[XCLIENT_COMMANDS_MAX];
    size_t length;
    if (upstream->capabilities.xclient == 0) {
        upstream_fail(upstream, FAULT_SET_UP, "not offered: " HINT);
        upstream->fault.code = 250;
        return;
    }
    if (xclient_write(&upstream->client, upstream->capabilities.xclient,
                      commands, &length) != 0) {
        upstream_fail(upstream, FAULT_CONTENT,
                      "the client's login cannot be told");
        return;
    }
    upstream->xclient =
        arena_str(&upstream->telling, str_span(commands, length));
    if (upstream->xclient.p == NULL)
        upstream_fail(upstream, FAULT_MEMORY, "no memory");
}

void upstream_send_xclient(struct upstream *upstream)
{
    if (upstream->xclient.n == 0)
        compose(upstream);
    if (upstream->state != UPSTREAM_XCLIENT)
        return;
    size_t end = (size_t)str_index(upstream->xclient, '\n') + 1;
    struct str command = str_head(upstream->xclient, end);
    upstream->xclient = str_skip(upstream->xclient, end);
    upstream_send(upstream, command, 1);
}

static bool told_login(const struct upstream *upstream)
{
    return (upstream->capabilities.xclient & XCLIENT_LOGIN) != 0 &&
           upstream->client.login.n > 0;
}

void upstream_answer_xclient(struct upstream *upstream,
                             const struct reply *reply)
{
    int length = (int)reply->text.n;
    if (reply->code == 220 && upstream->xclient.n > 0) {
        upstream_enter(upstream, UPSTREAM_XCLIENT);
    } else if (reply->code == 220) {
        /* It starts over, and with it its idea of who logged in, but for a
         * login that it was told of. */
        upstream->is_logged_in = told_login(upstream);
        upstream_enter(upstream, UPSTREAM_EHLO);
    } else if (reply->code / 100 == 4) {
        /* It can't now, for whatever reason: another one may. */
        upstream_fail(upstream, FAULT_GREETING, "%d %.*s", reply->code, length,
                      reply->text.p);
    } else {
        upstream_fail(upstream, FAULT_SET_UP, "refused with %d %.*s: " HINT,
                      reply->code, length < 160 ? length : 160, reply->text.p);
        upstream->fault.code = reply->code;
    }
}
