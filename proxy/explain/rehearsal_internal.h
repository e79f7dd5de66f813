/* The inside of a rehearsal: rehearsal.c runs the stages, rehearsal_facts.c
 * states what each of them learns. */
#ifndef PROXY_EXPLAIN_REHEARSAL_INTERNAL_H
#define PROXY_EXPLAIN_REHEARSAL_INTERNAL_H

#include "proxy/explain/rehearsal.h"
#include "proxy/explain/tracer.h"

struct rehearsal {
    const struct settings *settings;
    const struct rehearsal_mail *mail;
    struct story *story;
    struct arena arena;
    struct facts facts;
    struct effects effects;
    struct tracer tracer;
    struct dry_run run;
    struct verdict verdict;                   /* of the last stage */
    struct str route;                         /* of connect … mail */
    const struct upstream_settings *upstream; /* of the first recipient */
    struct str *accepted;                     /* recipients, as they go on */
    size_t accepted_count;
};

/* Those that give an int: -1 when the arena is full. */
int rehearsal_learn_client(struct rehearsal *r);
void rehearsal_learn_login(struct rehearsal *r);
void rehearsal_learn_helo(struct rehearsal *r);
void rehearsal_learn_mail(struct rehearsal *r);
void rehearsal_learn_recipient(struct rehearsal *r, size_t index);
/* Unless it was stated by name. */
void rehearsal_learn_upstream(struct rehearsal *r, struct str name);
int rehearsal_learn_recipients(struct rehearsal *r);
void rehearsal_learn_header(struct rehearsal *r);
void rehearsal_learn_message(struct rehearsal *r);
void rehearsal_learn_reply(struct rehearsal *r, struct str to);

#endif
