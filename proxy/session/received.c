#include "proxy/session/received.h"

#include "config/time_facts.h"
#include "proxy/session/transaction.h"

/* RFC 3848: ESMTP, S for TLS, A for a login; RFC 6531 4.3: UTF8SMTP where MAIL
 * asked for SMTPUTF8. */
static struct str protocol(const struct session *s, struct arena *arena)
{
    const struct facts *facts = &s->facts;
    bool is_extended =
        str_equals(facts_text(facts, FACT_HELO_VERB), STR("EHLO"));
    bool is_utf8 =
        str_equals(facts_text(facts, FACT_MAIL_SMTPUTF8), STR("true"));
    if (!is_extended)
        return STR("SMTP");
    return ARENA_JOIN(arena, is_utf8 ? STR("UTF8SMTP") : STR("ESMTP"),
                      facts_know(facts, FACT_TLS_VERSION) ? STR("S") : STR(""),
                      s->user.n > 0 ? STR("A") : STR(""));
}

/* "from laptop ([198.51.100.7])", or nothing where the client is hidden. */
static struct str from_clause(const struct session *s, struct arena *arena)
{
    struct str helo = facts_text(&s->facts, FACT_HELO_NAME);
    struct str ip = facts_text(&s->facts, FACT_CLIENT_IP);
    if (session_settings(s)->received.hides_client)
        return STR("");
    return ARENA_JOIN(arena, STR("from "), helo, STR(" (["),
                      s->client_ip.is_v6 ? STR("IPv6:") : STR(""), ip,
                      STR("])\r\n\t"));
}

static struct str user_comment(const struct session *s, struct arena *arena)
{
    if (session_settings(s)->received.hides_user || s->user.n == 0)
        return STR("");
    struct str quoted = arena_lower(arena, s->user);
    for (size_t i = 0; i < quoted.n; i++) {
        char c = quoted.p[i];
        if (c < ' ' || c > '~' || c == '(' || c == ')' || c == '\\')
            return STR("");
    }
    return ARENA_JOIN(arena, STR("\r\n\t(login "), quoted, STR(")"));
}

/* RFC 8314 4.3: the clause names the cipher suite. */
static struct str tls_clause(const struct session *s, struct arena *arena)
{
    struct str version = facts_text(&s->facts, FACT_TLS_VERSION);
    struct str cipher = facts_text(&s->facts, FACT_TLS_CIPHER);
    if (version.n == 0)
        return STR("");
    return ARENA_JOIN(arena, STR("\r\n\ttls "), cipher, STR(" (version "),
                      version, STR(")"));
}

struct str received_field(const struct session *s)
{
    struct arena *arena = &s->transaction->arena;
    struct str hostname = session_settings(s)->hostname;
    struct str from = from_clause(s, arena);
    struct str with = protocol(s, arena);
    struct str user = user_comment(s, arena);
    struct str tls = tls_clause(s, arena);
    char now[FACTS_DATE_ROOM];
    if (!time_date_write(now, loop_wall_us(s->host->loop) / 1000000))
        return (struct str){NULL, 0};
    return ARENA_JOIN(arena, STR("Received: "), from, STR("by "), hostname,
                      STR(" with "), with, STR(" id "),
                      str_from(s->transaction->id), tls, user, STR(";\r\n\t"),
                      str_from(now), STR("\r\n"));
}
