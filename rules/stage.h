/* The stages of a session and its transactions, in the order in which they
 * come. A rule belongs to one stage; a fact is learned at one. */
#ifndef RULES_STAGE_H
#define RULES_STAGE_H

#include "rules/base/str.h"

enum stage {
    STAGE_CONNECT, /* accepted, before the banner */
    STAGE_HELO,    /* EHLO or HELO, each time */
    STAGE_AUTH,    /* after the back-end's verdict; again before each MAIL */
    STAGE_MAIL,    /* MAIL */
    STAGE_RCPT,    /* each RCPT */
    STAGE_DATA,    /* DATA */
    STAGE_HEADER,  /* header block complete, nothing of it sent on */
    STAGE_MESSAGE, /* end of data, before the upstream is told so */
    STAGE_REPLY,   /* the upstream answered MAIL, a RCPT or end of data */
    STAGE_COUNT
};

/* Its word in postern.yaml and in the decision log. */
const char *stage_name(enum stage stage);
/* When it comes, in one line. */
const char *stage_help(enum stage stage);
/* 0, or -1 when no stage has that name. */
int stage_from_name(struct str name, enum stage *out);

#endif
