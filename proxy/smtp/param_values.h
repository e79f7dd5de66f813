/* The grammar of each parameter's value; see params.h. Pure. */
#ifndef PROXY_SMTP_PARAM_VALUES_H
#define PROXY_SMTP_PARAM_VALUES_H

#include "rules/base/str.h"

bool ret_is_valid(struct str value);        /* RFC 3461 4.3 */
bool envid_is_valid(struct str value);      /* RFC 3461 4.4 */
bool notify_is_valid(struct str value);     /* RFC 3461 4.1 */
bool orcpt_is_valid(struct str value);      /* RFC 3461 4.2, 6533 3 */
bool hold_for_is_valid(struct str value);   /* RFC 4865 5 */
bool hold_until_is_valid(struct str value); /* RFC 4865 5 */
bool priority_is_valid(struct str value);   /* RFC 6710 4.1 */
bool deliver_by_is_valid(struct str value); /* RFC 2852 4 */
bool auth_is_valid(struct str value);       /* RFC 4954 5 */

/* The seconds of BY's value, which is valid; it may be negative. */
int64_t deliver_by_seconds(struct str value);

#endif
