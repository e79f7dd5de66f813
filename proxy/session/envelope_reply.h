/* What is wrong with a MAIL or a RCPT, as a reply. */
#ifndef PROXY_SESSION_ENVELOPE_REPLY_H
#define PROXY_SESSION_ENVELOPE_REPLY_H

#include "proxy/smtp/command.h"
#include "proxy/smtp/params.h"
#include "proxy/smtp/path.h"
#include "proxy/smtp/reply.h"

/* `verb` is VERB_MAIL or VERB_RCPT. The texts are literals. */
struct reply reply_of_path_error(enum verb verb, enum path_error error);
struct reply reply_of_params_error(enum verb verb, enum params_error error);
/* An extension that EHLO did not offer. */
struct reply reply_of_not_offered(enum extension extension);

#endif
