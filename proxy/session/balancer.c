#include "proxy/session/balancer.h"

#include "proxy/net/proxy_header.h"
#include "proxy/session/session_open.h"
#include "proxy/session/session_reply.h"
#include "proxy/session/session_state.h"

bool listener_is_balanced(const struct listener_settings *listener,
                          const struct ip *peer)
{
    return cidr_list_contains(listener->balancers, listener->balancer_count,
                              peer);
}

void balancer_await_header(struct session *s)
{
    s->state = SESSION_PROXY;
    s->is_uncounted = true;
    /* Until then it is the balancer's session, in the log too. */
    if (session_learn_client(s))
        session_touch(s);
    else
        session_abort(s, SESSION_END_FAULT);
}

void balancer_refuse(struct session *s, enum session_end end, const char *why)
{
    server_log_write(s->host->log, SERVER_WARNING,
                     "listener %.*s: no PROXY header from %s, which "
                     "proxy_protocol names: %s; closed",
                     (int)s->listener->name.n, s->listener->name.p,
                     stream_peer_host(s->stream), why);
    session_abort(s, end);
}

/* False: the session is over. */
static bool name_client(struct session *s, const struct proxy_header *header)
{
    if (!header->has_client)
        return true;
    s->via = ip_text(&s->arena, &s->client_ip);
    s->client_ip = header->client;
    s->client_port = header->port;
    s->server_ip = header->server;
    s->server_port = header->server_port;
    if (s->via.p == NULL) {
        session_abort(s, SESSION_END_FAULT);
        return false;
    }
    if (s->host->on_client_named(s->host->owner, &s->client_ip)) {
        s->is_uncounted = false;
        return true;
    }
    (void)session_learn_client(s);
    session_note_cap(s, CAP_CONNECTIONS_PER_NET);
    if (s->listener->tls == LISTENER_IMPLICIT)
        session_abort(s, SESSION_END_CAP);
    else
        session_hang_up(s, SESSION_END_CAP, "4.3.2",
                        "Too many connections from your network, try again "
                        "later");
    return false;
}

bool balancer_take_header(struct session *s)
{
    struct proxy_header header;
    const char *why;
    switch (proxy_header_read(stream_input(s->stream), &header, &why)) {
    case PROXY_HEADER_MORE:
        return false;
    case PROXY_HEADER_BAD:
        balancer_refuse(s, SESSION_END_PROTOCOL, why);
        return false;
    case PROXY_HEADER_READY:
        break;
    }
    stream_consume(s->stream, header.octets);
    s->is_behind_header = true;
    if (!name_client(s, &header))
        return false;
    session_open(s);
    return s->stream != NULL;
}
