/* The table of facts: what a rule may name, its type, and the stage that
 * learns it. Adding a fact is adding a row in fact.c. */
#ifndef RULES_FACT_H
#define RULES_FACT_H

#include "rules/stage.h"

enum fact {
    FACT_CLIENT_IP,
    FACT_CLIENT_NET,
    FACT_CLIENT_PORT,
    FACT_LISTENER,
    FACT_TIME_HOUR,
    FACT_TIME_WEEKDAY, /* monday … sunday */
    FACT_TIME_DATE,    /* RFC 5322 3.3 */
    FACT_HELO_NAME,
    FACT_HELO_VERB,
    FACT_TLS_VERSION,
    FACT_TLS_CIPHER,
    FACT_TLS_SNI,
    FACT_TLS_CLIENT_FINGERPRINT,
    FACT_TLS_CLIENT_NAMES,
    FACT_AUTH_NAME,
    FACT_AUTH_RESULT,
    FACT_AUTH_MECHANISM,
    FACT_AUTH_USER,
    FACT_AUTH_ADDRESSES,
    FACT_AUTH_GROUPS,
    FACT_CLIENT_KNOWN,
    FACT_MAIL_ID,
    FACT_MAIL_FROM,
    FACT_MAIL_SIZE,
    FACT_MAIL_BODY,
    FACT_MAIL_SMTPUTF8,
    FACT_MAIL_REQUIRETLS,
    FACT_MAIL_ENVID,
    FACT_MAIL_ORIGINAL,
    FACT_RCPT_TO,
    FACT_RCPT_COUNT,
    FACT_RCPT_DOMAINS, /* a number: how many distinct ones so far */
    FACT_RCPT_ORIGINAL,
    FACT_DATA_RECIPIENTS,
    FACT_DATA_DOMAINS,
    FACT_HEADER, /* header.NAME: the name is in the struct fact_ref */
    FACT_HEADERS_COUNT,
    FACT_HEADERS_BYTES,
    FACT_HEADERS_HOPS,
    FACT_MESSAGE_BYTES,
    FACT_MESSAGE_LINES,
    FACT_MESSAGE_LONGEST_LINE,
    FACT_REPLY_COMMAND,
    FACT_REPLY_TO,
    FACT_REPLY_CODE,
    FACT_REPLY_ENHANCED,
    FACT_REPLY_TEXT,
    FACT_UPSTREAM_NAME,
    FACT_UPSTREAM_SERVER,
    FACT_COUNT
};

enum fact_type {
    FACT_TYPE_TEXT,    /* compared octet by octet, without ASCII case */
    FACT_TYPE_NAME,    /* a host or user name: globs, no ASCII case */
    FACT_TYPE_ADDRESS, /* a mail address: globs, no ASCII case, canonical */
    FACT_TYPE_IP,      /* an address of a host: CIDR */
    FACT_TYPE_NUMBER,  /* unsigned; sizes in octets */
    FACT_TYPE_FLAG     /* "true" or "false" */
};

/* Which part of an address a reference names. */
enum fact_part {
    FACT_PART_ALL,
    FACT_PART_LOCAL,
    FACT_PART_DOMAIN,
    FACT_PART_NAME /* the display name, of header addresses only */
};

struct fact_ref {
    enum fact fact;
    enum fact_part part;
    struct str header; /* FACT_HEADER: the field's name, lower case */
};

const char *fact_name(enum fact fact);
/* What it is, in one line. */
const char *fact_help(enum fact fact);
enum fact_type fact_type(const struct fact_ref *ref);
/* Whether it holds domains and nothing else; names of users, groups and people
 * may be written in any script. */
bool fact_is_domain(const struct fact_ref *ref);
/* The only words that it ever holds, up to NULL; NULL: it holds any. */
const char *const *fact_words(enum fact fact);
/* The first stage that may use it. */
enum stage fact_stage(const struct fact_ref *ref);
/* Whether it may hold several values. */
bool fact_is_list(const struct fact_ref *ref);
/* Whether a header field's fact is its addresses: From and its kin. */
bool fact_is_address_header(struct str lower_name);

/* Reads `mail.from.domain`, `header.x-mailer`. The header name borrows from
 * `name`. 0, or -1 when there is no such fact; *nearest is then the closest
 * known name, or NULL. */
int fact_ref_parse(struct str name, struct fact_ref *out, const char **nearest);

#endif
