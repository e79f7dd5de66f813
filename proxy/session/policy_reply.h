/* Runs of the reply rules that wait for the store of budgets. They hold up
 * nobody: the client has its answers, and the transaction goes on beside them.
 * One that ends before them leaves them what they point into. */
#ifndef PROXY_SESSION_POLICY_REPLY_H
#define PROXY_SESSION_POLICY_REPLY_H

#include "proxy/session/policy_run.h"

/* Takes the run, whose need is NEED_STORE, off the stack. Without memory the
 * rules are not followed any further. */
void policy_reply_await(const struct policy_run *run);

#endif
