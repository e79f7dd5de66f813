/* What EHLO offers: read from an upstream's answer, and written into ours.
 * Pure. */
#ifndef PROXY_SMTP_CAPABILITY_H
#define PROXY_SMTP_CAPABILITY_H

#include "proxy/smtp/reply.h"

/* What MAIL and RCPT may ask for and an upstream may lack. */
enum extension {
    EXTENSION_8BITMIME,
    EXTENSION_SMTPUTF8,
    EXTENSION_DSN,
    EXTENSION_REQUIRETLS,
    EXTENSION_FUTURERELEASE,
    EXTENSION_MT_PRIORITY,
    EXTENSION_DELIVERBY,
    EXTENSION_COUNT
};

/* "2026-01-05T09:30:01Z", RFC 4865 6. */
#define HOLD_UNTIL_OCTETS 20

#define POLICY_NAME_MAX 20

struct capabilities {
    bool has_starttls;
    bool has_pipelining;
    bool has_8bitmime;
    bool has_enhanced_codes;
    bool has_size;
    uint64_t size; /* 0: no maximum told */
    bool has_chunking;
    bool has_smtputf8;
    bool has_dsn;
    bool has_requiretls;
    bool has_futurerelease;
    uint64_t hold_seconds;                  /* RFC 4865: how long at most */
    char hold_until[HOLD_UNTIL_OCTETS + 1]; /* and until when; "": not told */
    bool has_mt_priority;
    char priority_policy[POLICY_NAME_MAX + 1]; /* RFC 6710; "": not told */
    bool has_deliverby;
    uint64_t deliverby_seconds; /* RFC 2852: no less may be asked; 0: any */
    bool has_limits;
    /* RFC 9422; 0: not told. */
    uint64_t mail_max, rcpt_max, rcpt_domain_max;
    bool has_xclient;
    unsigned xclient; /* bits of enum xclient_attribute; 0: not offered */
    bool has_auth;
    unsigned mechanisms; /* see capabilities_offer_mechanism() */
};

/* From the text of a 250 to EHLO: first line the greeting, then a keyword a
 * line. Unknown keywords are passed over. */
void capabilities_parse(struct str text, struct capabilities *out);

bool capabilities_have(const struct capabilities *of, enum extension extension);
/* Whether AUTH offers a mechanism, one of those that Postern can use. */
bool capabilities_offer_mechanism(const struct capabilities *of,
                                  struct str name);
/* Its keyword, as EHLO has it. */
struct str extension_keyword(enum extension extension);
/* Takes away what a keyword stands for. False: it is none that Postern would
 * use towards an upstream. */
bool capabilities_disable(struct capabilities *of, struct str keyword);

/* What both offer; maxima: the smaller. */
void capabilities_intersect(struct capabilities *into,
                            const struct capabilities *other);

#endif
