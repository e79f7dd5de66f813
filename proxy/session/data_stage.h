/* What DATA and the first BDAT have in common: whether there is anybody to send
 * the message to, and what the rules of stage data learn. */
#ifndef PROXY_SESSION_DATA_STAGE_H
#define PROXY_SESSION_DATA_STAGE_H

#include "proxy/session/session_internal.h"

enum data_stage {
    DATA_STAGE_READY,   /* the rules may be asked */
    DATA_STAGE_REFUSED, /* answered; the transaction goes on */
    DATA_STAGE_OVER     /* answered; the transaction must end */
};

enum data_stage data_stage_begin(struct session *s);

#endif
