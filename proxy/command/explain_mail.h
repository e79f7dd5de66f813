/* The mail that the options of `postern explain` describe. */
#ifndef PROXY_COMMAND_EXPLAIN_MAIL_H
#define PROXY_COMMAND_EXPLAIN_MAIL_H

#include "proxy/command/explain_options.h"
#include "proxy/explain/message_file.h"
#include "proxy/explain/rehearsal.h"

struct explain_mail {
    struct rehearsal_mail mail;
    struct message_file message;
    bool has_message;
};

/* Notes go to the story, whose arena keeps the texts. The timezone must be
 * set before. An exit code, after saying what is wrong; release it in any
 * case. */
int explain_mail_read(struct explain_mail *read,
                      const struct explain_options *options,
                      const struct settings *settings, struct story *story);
void explain_mail_release(struct explain_mail *read);

/* The header block, fresh: a rehearsal edits it. -1: out of memory. */
int explain_mail_begin(struct explain_mail *read, struct header_fields *fields,
                       struct arena *arena);

#endif
