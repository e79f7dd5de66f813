/* An upstream, or a policy server, that grants whatever it is asked. With it
 * a fuzzer that only speaks as a client gets far. */
#ifndef TESTS_FUZZ_SESSION_OBLIGING_H
#define TESTS_FUZZ_SESSION_OBLIGING_H

#include "tests/dialogue/fake_net.h"

/* What it has been asked. */
enum asked {
    ASKED_BANNER,
    ASKED_EHLO,
    ASKED_HELO,
    ASKED_STARTTLS,
    ASKED_XCLIENT,
    ASKED_MAIL,
    ASKED_RCPT,
    ASKED_DATA,
    ASKED_CHUNK,
    ASKED_LAST_CHUNK,
    ASKED_END, /* of data */
    ASKED_RSET,
    ASKED_QUIT,
    ASKED_ACTION, /* of a policy server */
    ASKED_COUNT
};

void obliging_answer(struct far_end *far, enum asked asked, bool offers_all);

#endif
