#include "tests/fuzz/session/obliging.h"

static const struct str ANSWERS[ASKED_COUNT] = {
    [ASKED_BANNER] = STR_INIT("220 mx.example.com ESMTP\r\n"),
    [ASKED_EHLO] = STR_INIT("250-mx.example.com\r\n250-STARTTLS\r\n"
                            "250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN\r\n"
                            "250 8BITMIME\r\n"),
    [ASKED_HELO] = STR_INIT("250 mx.example.com\r\n"),
    [ASKED_STARTTLS] = STR_INIT("220 2.0.0 Ready\r\n"),
    [ASKED_XCLIENT] = STR_INIT("220 mx.example.com ESMTP\r\n"),
    [ASKED_MAIL] = STR_INIT("250 2.1.0 Ok\r\n"),
    [ASKED_RCPT] = STR_INIT("250 2.1.5 Ok\r\n"),
    [ASKED_DATA] = STR_INIT("354 Go ahead\r\n"),
    [ASKED_CHUNK] = STR_INIT("250 2.0.0 Continue\r\n"),
    [ASKED_LAST_CHUNK] = STR_INIT("250 2.0.0 Ok: queued as 4XyZ\r\n"),
    [ASKED_END] = STR_INIT("250 2.0.0 Ok: queued as 4XyZ\r\n"),
    [ASKED_RSET] = STR_INIT("250 2.0.0 Ok\r\n"),
    [ASKED_QUIT] = STR_INIT("221 2.0.0 Bye\r\n"),
    [ASKED_ACTION] = STR_INIT("action=DUNNO\n\n"),
};

static const struct str ALL =
    STR_INIT("250-mx.example.com\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n"
             "250-STARTTLS\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
             "250-CHUNKING\r\n250-REQUIRETLS\r\n"
             "250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN\r\n"
             "250 ENHANCEDSTATUSCODES\r\n");

void obliging_answer(struct far_end *far, enum asked asked, bool offers_all)
{
    bool is_all = asked == ASKED_EHLO && offers_all;
    far_end_say(far, is_all ? ALL : ANSWERS[asked]);
}
