#include "proxy/session/received.h"

#include <time.h>

#include "proxy/session/transaction.h"

/* RFC 3848: ESMTP, S for TLS, A for a login. */
static const char *protocol(const struct session *s)
{
    bool is_extended =
        str_equals(facts_text(&s->facts, FACT_HELO_VERB), STR("EHLO"));
    if (!is_extended)
        return "SMTP";
    if (facts_know(&s->facts, FACT_TLS_VERSION))
        return s->user.n > 0 ? "ESMTPSA" : "ESMTPS";
    return s->user.n > 0 ? "ESMTPA" : "ESMTP";
}

/* "from laptop ([198.51.100.7])", or nothing where the client is hidden. */
static struct str from_clause(const struct session *s, struct arena *arena)
{
    struct str helo = facts_text(&s->facts, FACT_HELO_NAME);
    struct str ip = facts_text(&s->facts, FACT_CLIENT_IP);
    if (session_settings(s)->received.hides_client)
        return STR("");
    return arena_printf(arena, "from %.*s ([%s%.*s])\r\n\t", (int)helo.n,
                        helo.p, s->client_ip.is_v6 ? "IPv6:" : "", (int)ip.n,
                        ip.p);
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
    return arena_printf(arena, "\r\n\t(login %.*s)", (int)quoted.n, quoted.p);
}

/* RFC 8314 4.3: the clause names the cipher suite. */
static struct str tls_clause(const struct session *s, struct arena *arena)
{
    struct str version = facts_text(&s->facts, FACT_TLS_VERSION);
    struct str cipher = facts_text(&s->facts, FACT_TLS_CIPHER);
    if (version.n == 0)
        return STR("");
    return arena_printf(arena, "\r\n\ttls %.*s (version %.*s)", (int)cipher.n,
                        cipher.p, (int)version.n, version.p);
}

/* RFC 5322 3.3, in English whatever the locale. */
static struct str date(const struct session *s, struct arena *arena)
{
    static const char DAYS[7][4] = {"Sun", "Mon", "Tue", "Wed",
                                    "Thu", "Fri", "Sat"};
    static const char MONTHS[12][4] = {"Jan", "Feb", "Mar", "Apr",
                                       "May", "Jun", "Jul", "Aug",
                                       "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(loop_wall_us(s->host->loop) / 1000000);
    struct tm utc;
    if (gmtime_r(&seconds, &utc) == NULL)
        return (struct str){NULL, 0};
    return arena_printf(arena, "%s, %02d %s %d %02d:%02d:%02d +0000",
                        DAYS[utc.tm_wday], utc.tm_mday, MONTHS[utc.tm_mon],
                        utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                        utc.tm_sec);
}

struct str received_field(const struct session *s)
{
    struct arena *arena = &s->transaction->arena;
    struct str hostname = session_settings(s)->hostname;
    struct str from = from_clause(s, arena);
    struct str user = user_comment(s, arena);
    struct str tls = tls_clause(s, arena);
    struct str now = date(s, arena);
    if (from.p == NULL || user.p == NULL || tls.p == NULL || now.p == NULL)
        return (struct str){NULL, 0};
    return arena_printf(
        arena, "Received: %.*sby %.*s with %s id %s%.*s%.*s;\r\n\t%.*s\r\n",
        (int)from.n, from.p, (int)hostname.n, hostname.p, protocol(s),
        s->transaction->id, (int)tls.n, tls.p, (int)user.n, user.p, (int)now.n,
        now.p);
}
