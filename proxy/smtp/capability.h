/* What EHLO offers: read from an upstream's answer, and written into ours.
 * Pure. */
#ifndef PROXY_SMTP_CAPABILITY_H
#define PROXY_SMTP_CAPABILITY_H

#include "proxy/smtp/reply.h"

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
    unsigned xclient; /* bits of enum xclient_attribute; 0: not offered */
};

/* From the text of a 250 to EHLO: first line the greeting, then a keyword a
 * line. Unknown keywords are passed over. */
void capabilities_parse(struct str text, struct capabilities *out);

/* What both offer; sizes: the smaller. */
void capabilities_intersect(struct capabilities *into,
                            const struct capabilities *other);

#endif
