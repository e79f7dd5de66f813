/* log.redact: the facts that the decision log holds as a keyed hash only. A
 * value; its texts are the settings'. */
#ifndef CONFIG_REDACTION_H
#define CONFIG_REDACTION_H

#include "config/diag.h"
#include "config/files.h"
#include "rules/base/keyed_hash.h"
#include "rules/fact.h"

struct redaction {
    bool hides[FACT_COUNT];    /* those named, and what can be told from them */
    const struct str *headers; /* the NAME of each header.NAME, lower case */
    size_t header_count;
    const struct str *names; /* of all of them, sorted as the facts are */
    size_t name_count;       /* 0: nothing is hidden */
    struct mark mark;
    const char *key_file; /* NULL: none was named */
    struct mark key_mark;
    uint8_t secret[KEYED_HASH_SECRET]; /* of that, if redaction_check() is 0 */
};

bool redaction_hides_header(const struct redaction *redaction, struct str name);

/* Whether the key can be read, for whoever is to serve: 0, or -1 with a
 * diagnostic. */
int redaction_check(const struct redaction *redaction, struct files *files,
                    struct diags *diags);

#endif
