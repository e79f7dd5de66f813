/* A policy server's answer, as Postfix's policy delegation protocol has it:
 * lines "name=value", one of which is "action=…", and an empty line. Read as
 * it comes, in bounded memory; what is out of form is no answer. Pure. */
#ifndef PROXY_ASK_POLICY_REPLY_H
#define PROXY_ASK_POLICY_REPLY_H

#include "rules/base/str.h"

#define POLICY_REPLY_LINE_MAX 2048 /* octets of a line, without LF */
#define POLICY_REPLY_MAX 8192      /* octets of an answer */

enum policy_reply_next {
    POLICY_REPLY_MORE,  /* its end did not come yet */
    POLICY_REPLY_READY, /* policy_reply_action() has it */
    POLICY_REPLY_BAD    /* no answer; nothing more is to be read */
};

/* A value; init makes it ready for one answer. */
struct policy_reply {
    char line[POLICY_REPLY_LINE_MAX];
    size_t line_length;
    char action[POLICY_REPLY_LINE_MAX];
    size_t action_length;
    bool has_action;
    size_t total; /* octets taken */
};

void policy_reply_init(struct policy_reply *reply);
/* Takes octets off the front of *octets, never more than the answer has. */
enum policy_reply_next policy_reply_feed(struct policy_reply *reply,
                                         struct str *octets);
/* What stands behind "action=": one line without control characters, not
 * empty. Valid as long as the struct, until init. */
struct str policy_reply_action(const struct policy_reply *reply);

#endif
