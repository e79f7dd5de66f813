/* Behind XCLIENT the upstream starts over as if that client had connected, so
 * the EHLO that follows carries the client's name: what Postfix was told by
 * HELO= goes as soon as it reads an EHLO. */
#include "proxy/upstream/upstream_internal.h"

#define HINT "is Postern's address in smtpd_authorized_xclient_hosts?"

static bool wants_client(const struct upstream *upstream)
{
    return upstream->target.upstream->is_xclient;
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
    /* Postfix takes the right to say XCLIENT from who used it to become
     * somebody without that right. */
    return !wants_client(upstream) || was_told(upstream, client) ||
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

bool upstream_tell_client(struct upstream *upstream,
                          const struct client_identity *client)
{
    if (!wants_client(upstream) || was_told(upstream, client))
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
    if (upstream->has_client)
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

void upstream_answer_xclient(struct upstream *upstream,
                             const struct reply *reply)
{
    int length = (int)reply->text.n;
    if (reply->code == 220 && upstream->xclient.n > 0) {
        upstream_enter(upstream, UPSTREAM_XCLIENT);
    } else if (reply->code == 220) {
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
