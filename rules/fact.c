#include "rules/fact.h"

#include "rules/nearest.h"

struct row {
    const char *name;
    enum fact_type type;
    enum stage stage;
    bool is_list;
    const char *help;
};

static const struct row ROWS[FACT_COUNT] = {
    [FACT_CLIENT_IP] = {"client.ip", FACT_TYPE_IP, STAGE_CONNECT, false,
                        "the client's address"},
    [FACT_CLIENT_NET] = {"client.net", FACT_TYPE_IP, STAGE_CONNECT, false,
                         "its network: the /32, or the /64 of IPv6"},
    [FACT_CLIENT_PORT] = {"client.port", FACT_TYPE_NUMBER, STAGE_CONNECT, false,
                          "the client's port"},
    [FACT_LISTENER] = {"listener", FACT_TYPE_NAME, STAGE_CONNECT, false,
                       "the name of the listener where it came in"},
    [FACT_TIME_HOUR] = {"time.hour", FACT_TYPE_NUMBER, STAGE_CONNECT, false,
                        "0 to 23, in `timezone`, read when the rule runs"},
    [FACT_TIME_WEEKDAY] = {"time.weekday", FACT_TYPE_TEXT, STAGE_CONNECT, false,
                           "monday to sunday, in `timezone`"},
    [FACT_TIME_DATE] = {"time.date", FACT_TYPE_TEXT, STAGE_CONNECT, false,
                        "now, as a Date field has it, in UTC"},
    [FACT_HELO_NAME] = {"helo.name", FACT_TYPE_NAME, STAGE_HELO, false,
                        "the name in EHLO or HELO"},
    [FACT_HELO_VERB] = {"helo.verb", FACT_TYPE_TEXT, STAGE_HELO, false,
                        "EHLO or HELO"},
    [FACT_TLS_VERSION] = {"tls.version", FACT_TYPE_TEXT, STAGE_CONNECT, false,
                          "1.2 or 1.3; absent without TLS"},
    [FACT_TLS_CIPHER] = {"tls.cipher", FACT_TYPE_TEXT, STAGE_CONNECT, false,
                         "the cipher suite; absent without TLS"},
    [FACT_TLS_SNI] = {"tls.sni", FACT_TYPE_NAME, STAGE_CONNECT, false,
                      "the host name that the client asked for"},
    [FACT_TLS_CLIENT_FINGERPRINT] = {"tls.client.fingerprint", FACT_TYPE_TEXT,
                                     STAGE_CONNECT, false,
                                     "SHA-256 of the client's certificate"},
    [FACT_TLS_CLIENT_NAMES] = {"tls.client.names", FACT_TYPE_NAME,
                               STAGE_CONNECT, true,
                               "the names in the client's certificate"},
    [FACT_AUTH_NAME] = {"auth.name", FACT_TYPE_NAME, STAGE_AUTH, false,
                        "the login as claimed, proven or not"},
    [FACT_AUTH_RESULT] = {"auth.result", FACT_TYPE_TEXT, STAGE_AUTH, false,
                          "ok, failed or unavailable"},
    [FACT_AUTH_MECHANISM] = {"auth.mechanism", FACT_TYPE_TEXT, STAGE_AUTH,
                             false, "how the client logged in, such as PLAIN"},
    [FACT_AUTH_USER] = {"auth.user", FACT_TYPE_NAME, STAGE_AUTH, false,
                        "the login, once proven"},
    [FACT_AUTH_ADDRESSES] = {"auth.addresses", FACT_TYPE_ADDRESS, STAGE_AUTH,
                             true,
                             "the addresses that the login owns, globs too"},
    [FACT_AUTH_GROUPS] = {"auth.groups", FACT_TYPE_NAME, STAGE_AUTH, true,
                          "the groups of the login"},
    [FACT_CLIENT_KNOWN] =
        {"client.known", FACT_TYPE_FLAG, STAGE_AUTH, false,
         "whether this login succeeded from this net within 30 days"},
    [FACT_MAIL_ID] = {"mail.id", FACT_TYPE_TEXT, STAGE_MAIL, false,
                      "the transaction's id, as the log has it"},
    [FACT_MAIL_FROM] = {"mail.from", FACT_TYPE_ADDRESS, STAGE_MAIL, false,
                        "the sender's address, empty for <>"},
    [FACT_MAIL_SIZE] = {"mail.size", FACT_TYPE_NUMBER, STAGE_MAIL, false,
                        "the size that MAIL declares"},
    [FACT_MAIL_BODY] = {"mail.body", FACT_TYPE_TEXT, STAGE_MAIL, false,
                        "BODY of MAIL: 7BIT or 8BITMIME"},
    [FACT_MAIL_SMTPUTF8] = {"mail.smtputf8", FACT_TYPE_FLAG, STAGE_MAIL, false,
                            "whether MAIL asks for SMTPUTF8"},
    [FACT_MAIL_REQUIRETLS] = {"mail.requiretls", FACT_TYPE_FLAG, STAGE_MAIL,
                              false, "whether MAIL asks for REQUIRETLS"},
    [FACT_MAIL_ENVID] = {"mail.envid", FACT_TYPE_TEXT, STAGE_MAIL, false,
                         "ENVID of MAIL"},
    [FACT_MAIL_ORIGINAL] = {"mail.original", FACT_TYPE_ADDRESS, STAGE_MAIL,
                            false, "the sender's address before rewriting"},
    [FACT_RCPT_TO] = {"rcpt.to", FACT_TYPE_ADDRESS, STAGE_RCPT, false,
                      "the recipient's address"},
    [FACT_RCPT_COUNT] = {"rcpt.count", FACT_TYPE_NUMBER, STAGE_RCPT, false,
                         "recipients so far, this one included"},
    [FACT_RCPT_DOMAINS] = {"rcpt.domains", FACT_TYPE_NUMBER, STAGE_RCPT, false,
                           "distinct domains of recipients so far"},
    [FACT_RCPT_ORIGINAL] = {"rcpt.original", FACT_TYPE_ADDRESS, STAGE_RCPT,
                            false, "the recipient's address before rewriting"},
    [FACT_DATA_RECIPIENTS] = {"data.recipients", FACT_TYPE_ADDRESS, STAGE_DATA,
                              true, "the accepted recipients"},
    [FACT_DATA_DOMAINS] = {"data.domains", FACT_TYPE_NAME, STAGE_DATA, true,
                           "their domains"},
    [FACT_HEADER] = {"header", FACT_TYPE_TEXT, STAGE_HEADER, true,
                     "a header field by its name, each occurrence; of From, "
                     "Sender, Reply-To, To and Cc the addresses"},
    [FACT_HEADERS_COUNT] = {"headers.count", FACT_TYPE_NUMBER, STAGE_HEADER,
                            false, "how many header fields"},
    [FACT_HEADERS_BYTES] = {"headers.bytes", FACT_TYPE_NUMBER, STAGE_HEADER,
                            false, "octets of the header block"},
    [FACT_HEADERS_HOPS] = {"headers.hops", FACT_TYPE_NUMBER, STAGE_HEADER,
                           false, "how many Received fields"},
    [FACT_MESSAGE_BYTES] = {"message.bytes", FACT_TYPE_NUMBER, STAGE_MESSAGE,
                            false, "octets of the whole message"},
    [FACT_MESSAGE_LINES] = {"message.lines", FACT_TYPE_NUMBER, STAGE_MESSAGE,
                            false, "lines of the whole message"},
    [FACT_MESSAGE_LONGEST_LINE] = {"message.longest_line", FACT_TYPE_NUMBER,
                                   STAGE_MESSAGE, false,
                                   "octets of its longest line"},
    [FACT_REPLY_COMMAND] = {"reply.command", FACT_TYPE_TEXT, STAGE_REPLY, false,
                            "what the upstream answered: MAIL, RCPT or DATA"},
    [FACT_REPLY_TO] = {"reply.to", FACT_TYPE_ADDRESS, STAGE_REPLY, false,
                       "the recipient, in the answer to RCPT"},
    [FACT_REPLY_CODE] = {"reply.code", FACT_TYPE_NUMBER, STAGE_REPLY, false,
                         "the upstream's code, such as 550"},
    [FACT_REPLY_ENHANCED] = {"reply.enhanced", FACT_TYPE_TEXT, STAGE_REPLY,
                             false, "its enhanced code, such as 5.1.1"},
    [FACT_REPLY_TEXT] = {"reply.text", FACT_TYPE_TEXT, STAGE_REPLY, false,
                         "its text"},
    [FACT_UPSTREAM_NAME] =
        {"upstream.name", FACT_TYPE_NAME, STAGE_RCPT, false,
         "the upstream to which the mail goes, by the route so far"},
    [FACT_UPSTREAM_SERVER] = {"upstream.server", FACT_TYPE_TEXT, STAGE_REPLY,
                              false, "the server of it that answered"},
};

static const struct str ADDRESS_HEADERS[] = {
    STR_INIT("from"), STR_INIT("sender"), STR_INIT("reply-to"),
    STR_INIT("to"),   STR_INIT("cc"),
};

static const struct {
    struct str suffix;
    enum fact_part part;
} PARTS[] = {
    {STR_INIT(".local"), FACT_PART_LOCAL},
    {STR_INIT(".domain"), FACT_PART_DOMAIN},
    {STR_INIT(".name"), FACT_PART_NAME},
};

const char *fact_name(enum fact fact)
{
    return ROWS[fact].name;
}

const char *const *fact_words(enum fact fact)
{
    static const char *const results[] = {"ok", "failed", "unavailable", NULL};
    static const char *const verbs[] = {"EHLO", "HELO", NULL};
    static const char *const bodies[] = {"7BIT", "8BITMIME", "BINARYMIME",
                                         NULL};
    static const char *const days[] = {"monday",   "tuesday", "wednesday",
                                       "thursday", "friday",  "saturday",
                                       "sunday",   NULL};
    switch (fact) {
    case FACT_AUTH_RESULT:
        return results;
    case FACT_HELO_VERB:
        return verbs;
    case FACT_MAIL_BODY:
        return bodies;
    case FACT_TIME_WEEKDAY:
        return days;
    default:
        return NULL;
    }
}

const char *fact_help(enum fact fact)
{
    return ROWS[fact].help;
}

bool fact_is_address_header(struct str lower_name)
{
    for (size_t i = 0; i < sizeof ADDRESS_HEADERS / sizeof ADDRESS_HEADERS[0];
         i++)
        if (str_equals_nocase(lower_name, ADDRESS_HEADERS[i]))
            return true;
    return false;
}

enum fact_type fact_type(const struct fact_ref *ref)
{
    if (ref->part != FACT_PART_ALL)
        return FACT_TYPE_NAME;
    if (ref->fact == FACT_HEADER && fact_is_address_header(ref->header))
        return FACT_TYPE_ADDRESS;
    return ROWS[ref->fact].type;
}

bool fact_is_domain(const struct fact_ref *ref)
{
    return ref->part == FACT_PART_DOMAIN || ref->fact == FACT_HELO_NAME ||
           ref->fact == FACT_TLS_SNI || ref->fact == FACT_TLS_CLIENT_NAMES ||
           ref->fact == FACT_DATA_DOMAINS;
}

enum stage fact_stage(const struct fact_ref *ref)
{
    return ROWS[ref->fact].stage;
}

bool fact_is_list(const struct fact_ref *ref)
{
    return ROWS[ref->fact].is_list;
}

/* Takes a part off the end of `name`. */
static enum fact_part cut_part(struct str *name)
{
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        if (str_ends_with_nocase(*name, PARTS[i].suffix) &&
            name->n > PARTS[i].suffix.n) {
            name->n -= PARTS[i].suffix.n;
            return PARTS[i].part;
        }
    }
    return FACT_PART_ALL;
}

/* A field name: printable ASCII without the colon (RFC 5322 3.6.8). */
static bool is_field_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] < '!' || name.p[i] > '~' || name.p[i] == ':')
            return false;
    return name.n > 0;
}

/* Field names may hold dots, so `.domain` is a part of address fields only. */
static int parse_header(struct str name, struct fact_ref *out)
{
    struct str address = name;
    enum fact_part part = cut_part(&address);
    *out = (struct fact_ref){.fact = FACT_HEADER, .header = name};
    if (part != FACT_PART_ALL && fact_is_address_header(address)) {
        out->part = part;
        out->header = address;
    }
    return is_field_name(name) ? 0 : -1;
}

static int find(struct str name, enum fact *out)
{
    for (enum fact f = 0; f < FACT_COUNT; f++) {
        if (f != FACT_HEADER && str_equals(name, str_from(ROWS[f].name))) {
            *out = f;
            return 0;
        }
    }
    return -1;
}

static const char *nearest_fact(struct str name)
{
    const char *names[FACT_COUNT];
    for (enum fact f = 0; f < FACT_COUNT; f++)
        names[f] = f == FACT_HEADER ? "header.NAME" : ROWS[f].name;
    return nearest_word(name, names, FACT_COUNT);
}

int fact_ref_parse(struct str name, struct fact_ref *out, const char **nearest)
{
    static const struct str HEADER = STR_INIT("header.");
    *nearest = NULL;
    *out = (struct fact_ref){0};
    if (str_starts_with(name, HEADER)) {
        if (parse_header(str_skip(name, HEADER.n), out) == 0)
            return 0;
        *nearest = "header.NAME";
        return -1;
    } else if (find(name, &out->fact) == 0) {
        return 0;
    } else {
        struct str whole = name;
        out->part = cut_part(&whole);
        if (out->part != FACT_PART_ALL && out->part != FACT_PART_NAME &&
            find(whole, &out->fact) == 0 &&
            ROWS[out->fact].type == FACT_TYPE_ADDRESS)
            return 0;
    }
    *nearest = nearest_fact(name);
    return -1;
}
