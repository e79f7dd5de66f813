/* What a policy server said behind `action=`, read as Postfix's access(5) has
 * it. Pure: the result borrows from the text, no octet of which is trusted:
 * whoever passes a part of it on bounds and cleans it. */
#ifndef RULES_POLICY_ACTION_H
#define RULES_POLICY_ACTION_H

#include "rules/base/str.h"

#define POLICY_ACTION_MAX_OCTETS 4096

enum policy_action_kind {
    POLICY_ACTION_UNKNOWN, /* or what a proxy does not do: HOLD, DISCARD, … */
    POLICY_ACTION_DUNNO,
    POLICY_ACTION_OK,
    POLICY_ACTION_REPLY,           /* REJECT, DEFER, 4yz, 5yz */
    POLICY_ACTION_DEFER_IF_REJECT, /* if a later rule of the stage rejects */
    POLICY_ACTION_DEFER_IF_PERMIT, /* if none refuses */
    POLICY_ACTION_PREPEND,
    POLICY_ACTION_WARN,
    POLICY_ACTION_INFO
};

struct policy_action {
    enum policy_action_kind kind;
    int code;            /* of REPLY and DEFER_IF_* */
    struct str enhanced; /* the same; of the code's class */
    struct str name;     /* PREPEND: a valid name of a header field */
    struct str text;     /* the reply's, the field's or the note's; of a reply
                            never empty */
};

void policy_action_parse(struct str text, struct policy_action *out);

#endif
