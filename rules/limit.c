#include "rules/limit.h"

#define AT(stage) (1u << STAGE_##stage)

static const struct unit_row UNITS[UNIT_COUNT] = {
    [UNIT_SIZE] = {"size", LIMIT_WITHOUT_PERIOD,
                   AT(MAIL) | AT(DATA) | AT(MESSAGE), "mail, data, message"},
    [UNIT_RECIPIENTS] = {"recipients", LIMIT_EITHER, AT(RCPT), "rcpt"},
    [UNIT_HEADERS] = {"headers", LIMIT_WITHOUT_PERIOD, AT(HEADER), "header"},
    [UNIT_HEADER_BYTES] = {"header_bytes", LIMIT_WITHOUT_PERIOD, AT(HEADER),
                           "header"},
    [UNIT_HOPS] = {"hops", LIMIT_WITHOUT_PERIOD, AT(HEADER), "header"},
    [UNIT_LINE] = {"line", LIMIT_WITHOUT_PERIOD, AT(MESSAGE), "message"},
    [UNIT_CONNECTIONS] = {"connections", LIMIT_EITHER,
                          AT(CONNECT) | AT(HELO) | AT(AUTH),
                          "connect, helo, auth"},
    [UNIT_MESSAGES] = {"messages", LIMIT_WITH_PERIOD,
                       AT(MAIL) | AT(RCPT) | AT(DATA) | AT(HEADER),
                       "mail, rcpt, data, header"},
    [UNIT_BYTES] = {"bytes", LIMIT_WITH_PERIOD,
                    AT(MAIL) | AT(DATA) | AT(MESSAGE), "mail, data, message"},
    [UNIT_FAILURES] = {"failures", LIMIT_WITH_PERIOD, AT(AUTH), "auth"},
    [UNIT_REJECTS] = {"rejects", LIMIT_WITH_PERIOD, AT(REPLY), "reply"},
    [UNIT_NEW_RECIPIENTS] = {"new_recipients", LIMIT_WITH_PERIOD, AT(RCPT),
                             "rcpt"},
    [UNIT_NETWORKS] = {"networks", LIMIT_WITH_PERIOD,
                       AT(MAIL) | AT(RCPT) | AT(DATA) | AT(HEADER),
                       "mail, rcpt, data, header"},
    [UNIT_LOGINS] = {"logins", LIMIT_WITH_PERIOD, AT(AUTH), "auth"},
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

/* Without memory, so that a limit never lets through what it can't read. */
static bool read_number(const struct view *view, enum fact fact, uint64_t *out)
{
    return fact_values_number(view->reader.facts, fact, out);
}

bool limit_measured(enum limit_unit unit, enum stage stage, struct view *view,
                    uint64_t *out)
{
    switch (unit) {
    case UNIT_SIZE:
    case UNIT_BYTES:
        return read_number(
            view, stage == STAGE_MESSAGE ? FACT_MESSAGE_BYTES : FACT_MAIL_SIZE,
            out);
    case UNIT_RECIPIENTS:
        return read_number(view, FACT_RCPT_COUNT, out);
    case UNIT_HEADERS:
        return read_number(view, FACT_HEADERS_COUNT, out);
    case UNIT_HEADER_BYTES:
        return read_number(view, FACT_HEADERS_BYTES, out);
    case UNIT_HOPS:
        return read_number(view, FACT_HEADERS_HOPS, out);
    case UNIT_LINE:
        return read_number(view, FACT_MESSAGE_LONGEST_LINE, out);
    default:
        return false;
    }
}
