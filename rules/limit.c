#include "rules/limit.h"

#define AT(stage) (1u << STAGE_##stage)

static const struct unit_row UNITS[UNIT_COUNT] = {
    [UNIT_SIZE] = {"size", LIMIT_WITHOUT_PERIOD,
                   AT(MAIL) | AT(DATA) | AT(MESSAGE), "mail, data, message",
                   "octets of this message"},
    [UNIT_RECIPIENTS] = {"recipients", LIMIT_EITHER, AT(RCPT), "rcpt",
                         "recipients, each RCPT"},
    [UNIT_HEADERS] = {"headers", LIMIT_WITHOUT_PERIOD, AT(HEADER), "header",
                      "fields of this header block"},
    [UNIT_HEADER_BYTES] = {"header_bytes", LIMIT_WITHOUT_PERIOD, AT(HEADER),
                           "header", "octets of this header block"},
    [UNIT_HOPS] = {"hops", LIMIT_WITHOUT_PERIOD, AT(HEADER), "header",
                   "Received fields of this message"},
    [UNIT_LINE] = {"line", LIMIT_WITHOUT_PERIOD, AT(MESSAGE), "message",
                   "the longest line of this message"},
    [UNIT_CONNECTIONS] = {"connections", LIMIT_EITHER,
                          AT(CONNECT) | AT(HELO) | AT(AUTH),
                          "connect, helo, auth",
                          "sessions: at the same time, or in a period"},
    [UNIT_MESSAGES] = {"messages", LIMIT_WITH_PERIOD,
                       AT(MAIL) | AT(RCPT) | AT(DATA) | AT(HEADER),
                       "mail, rcpt, data, header", "messages"},
    [UNIT_BYTES] = {"bytes", LIMIT_WITH_PERIOD,
                    AT(MAIL) | AT(DATA) | AT(MESSAGE), "mail, data, message",
                    "octets of messages"},
    [UNIT_FAILURES] = {"failures", LIMIT_WITH_PERIOD, AT(AUTH), "auth",
                       "failed logins"},
    [UNIT_REJECTS] =
        {"rejects", LIMIT_WITH_PERIOD, AT(REPLY), "reply",
         "5yz answers of the upstream to MAIL, RCPT or the end of data"},
    [UNIT_NEW_RECIPIENTS] =
        {"new_recipients", LIMIT_WITH_PERIOD, AT(RCPT), "rcpt",
         "recipients that the key did not write to in 90 days"},
    [UNIT_NETWORKS] = {"networks", LIMIT_WITH_PERIOD,
                       AT(AUTH) | AT(MAIL) | AT(RCPT) | AT(DATA) | AT(HEADER),
                       "auth, mail, rcpt, data, header",
                       "distinct networks of clients (client.net)"},
    [UNIT_LOGINS] = {"logins", LIMIT_WITH_PERIOD, AT(AUTH), "auth",
                     "distinct claimed logins (auth.name)"},
};

const struct unit_row *unit_row(enum limit_unit unit)
{
    return &UNITS[unit];
}

int unit_from_name(struct str name, enum limit_unit *out)
{
    for (enum limit_unit u = 0; u < UNIT_COUNT; u++) {
        if (str_equals(name, str_from(UNITS[u].name))) {
            *out = u;
            return 0;
        }
    }
    return -1;
}

bool limit_fits(enum limit_unit unit, const struct rate *rate)
{
    switch (UNITS[unit].periods) {
    case LIMIT_WITHOUT_PERIOD:
        return rate->period_ms == 0;
    case LIMIT_WITH_PERIOD:
        return rate->period_ms != 0;
    default:
        return true;
    }
}

int limit_resolve(const struct limit *limit, struct view *view,
                  struct limit_now *out)
{
    out->text = limit->text;
    out->rate = limit->rate;
    if (limit->value != NULL) {
        int rc = template_render(limit->value, view, NULL, view->reader.arena,
                                 &out->text);
        if (rc != TEMPLATE_OK)
            return rc;
        if (quantity_rate(out->text, &out->rate) != 0 ||
            !limit_fits(limit->unit, &out->rate))
            return -3;
    }
    out->burst = limit->burst != 0 ? limit->burst : out->rate.amount;
    return 0;
}

bool limit_fact(enum limit_unit unit, enum stage stage, enum fact *out)
{
    static const enum fact FACTS[UNIT_COUNT] = {
        [UNIT_SIZE] = FACT_MAIL_SIZE,
        [UNIT_RECIPIENTS] = FACT_RCPT_COUNT,
        [UNIT_HEADERS] = FACT_HEADERS_COUNT,
        [UNIT_HEADER_BYTES] = FACT_HEADERS_BYTES,
        [UNIT_HOPS] = FACT_HEADERS_HOPS,
        [UNIT_LINE] = FACT_MESSAGE_LONGEST_LINE,
        [UNIT_BYTES] = FACT_MAIL_SIZE,
        [UNIT_FAILURES] = FACT_AUTH_RESULT,
        [UNIT_REJECTS] = FACT_REPLY_CODE,
        [UNIT_NEW_RECIPIENTS] = FACT_RCPT_TO,
        [UNIT_NETWORKS] = FACT_CLIENT_NET,
        [UNIT_LOGINS] = FACT_AUTH_NAME,
    };
    if (unit == UNIT_CONNECTIONS || unit == UNIT_MESSAGES)
        return false;
    *out = FACTS[unit];
    if (*out == FACT_MAIL_SIZE && stage == STAGE_MESSAGE)
        *out = FACT_MESSAGE_BYTES;
    return true;
}

/* Without memory, so that a limit never lets through what it can't read. */
bool limit_measured(enum limit_unit unit, enum stage stage, struct view *view,
                    uint64_t *out)
{
    enum fact fact;
    if (unit >= UNIT_MESSAGES && unit != UNIT_BYTES)
        return false;
    return limit_fact(unit, stage, &fact) &&
           fact_values_number(view->reader.facts, fact, out);
}
