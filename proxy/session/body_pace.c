#include "proxy/session/body_pace.h"

#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"

/* What caps.data_rate is measured over. */
#define MINUTE_MS UINT64_C(60000)

void body_pace_touch(struct session *s)
{
    struct transaction *t = s->transaction;
    t->heard_ms = t->minute_ms = loop_now_ms(s->host->loop);
}

uint64_t body_pace_wait_ms(const struct session *s)
{
    const struct transaction *t = s->transaction;
    uint64_t now = loop_now_ms(s->host->loop);
    uint64_t silent_at = t->heard_ms + session_settings(s)->timeouts.data;
    uint64_t minute_at = t->minute_ms + MINUTE_MS;
    uint64_t next = silent_at < minute_at ? silent_at : minute_at;
    return next > now ? next - now : 1;
}

/* What a client that is too slow has crossed. */
static enum session_cap crossed_by(const struct session *s, uint64_t now)
{
    const struct transaction *t = s->transaction;
    const struct settings *settings = session_settings(s);
    uint64_t fresh = t->octets_in - t->octets_at_minute;
    uint64_t floor = settings->caps.data_rate * (MINUTE_MS / 1000);
    if (now - t->heard_ms >= settings->timeouts.data)
        return CAP_DATA;
    if (now - t->minute_ms >= MINUTE_MS && !t->was_held_back && fresh > 0 &&
        fresh < floor)
        return CAP_DATA_RATE;
    return CAP_NONE;
}

void body_pace_tick(struct session *s)
{
    struct transaction *t = s->transaction;
    uint64_t now = loop_now_ms(s->host->loop);
    bool is_held_back = t->unsent_at < t->unsent_length;
    if (is_held_back)
        t->heard_ms = now;
    enum session_cap crossed = crossed_by(s, now);
    if (crossed != CAP_NONE) {
        session_note_cap(s, crossed);
        session_hang_up(s, SESSION_END_TIMEOUT, "4.4.2",
                        "The message comes too slowly, closing");
        return;
    }
    if (now - t->minute_ms >= MINUTE_MS) {
        t->minute_ms = now;
        t->octets_at_minute = t->octets_in;
        t->was_held_back = is_held_back;
    }
    timer_start(s->deadline, body_pace_wait_ms(s));
}
