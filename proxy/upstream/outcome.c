#include "proxy/upstream/outcome.h"

#include <stdarg.h>

/* Texts and words of one copy: two replies at their caps, and a fault. */
#define OUTCOME_COPY_MAX (512 * 1024)

struct fault_answer {
    struct str enhanced;
    struct str text;
};

static const struct fault_answer fault_answers[FAULT_KIND_COUNT] = {
    [FAULT_CONNECT] = {STR_INIT("4.4.1"),
                       STR_INIT("The mail server behind this one cannot be "
                                "reached, try again later")},
    [FAULT_GREETING] = {STR_INIT("4.4.1"),
                        STR_INIT("The mail server behind this one is not "
                                 "ready, try again later")},
    [FAULT_TLS] = {STR_INIT("4.4.1"),
                   STR_INIT("The mail server behind this one cannot be reached "
                            "safely, try again later")},
    [FAULT_SILENT] = {STR_INIT("4.4.2"),
                      STR_INIT("The mail server behind this one did not "
                               "answer in time, try again later")},
    [FAULT_LOST] = {STR_INIT("4.4.2"),
                    STR_INIT("The connection to the mail server behind this "
                             "one was lost, try again later")},
    [FAULT_PROTOCOL] = {STR_INIT("4.4.2"),
                        STR_INIT("The mail server behind this one answered out "
                                 "of order, try again later")},
    [FAULT_SET_UP] = {STR_INIT("4.3.5"),
                      STR_INIT("The mail server behind this one is not set up "
                               "for this, try again later")},
    [FAULT_BUSY] = {STR_INIT("4.4.5"),
                    STR_INIT("The mail server behind this one is busy, try "
                             "again later")},
    [FAULT_CONTENT] = {STR_INIT("4.3.0"),
                       STR_INIT("The message could not be passed on, try again "
                                "later")},
    [FAULT_STORAGE] = {STR_INIT("4.3.0"),
                       STR_INIT("The message could not be stored, try again "
                                "later")},
    [FAULT_MEMORY] = {STR_INIT("4.3.0"),
                      STR_INIT("Out of resources, try again later")},
};

static const struct reply lacking_answers[EXTENSION_COUNT] = {
    [EXTENSION_8BITMIME] = {554, STR_INIT("5.6.3"),
                            STR_INIT("The next mail server does not take "
                                     "8-bit messages")},
    [EXTENSION_SMTPUTF8] = {553, STR_INIT("5.6.7"),
                            STR_INIT("The next mail server does not take "
                                     "addresses and headers in UTF-8")},
    [EXTENSION_DSN] = {555, STR_INIT("5.5.4"),
                       STR_INIT("The next mail server does not take the "
                                "parameters of DSN")},
    [EXTENSION_REQUIRETLS] = {550, STR_INIT("5.7.30"),
                              STR_INIT("The next mail server can't promise "
                                       "TLS all the way")},
    [EXTENSION_FUTURERELEASE] = {555, STR_INIT("5.5.4"),
                                 STR_INIT("The next mail server does not hold "
                                          "mail for later")},
    [EXTENSION_MT_PRIORITY] = {555, STR_INIT("5.5.4"),
                               STR_INIT("The next mail server knows no "
                                        "priorities")},
    [EXTENSION_DELIVERBY] = {555, STR_INIT("5.5.4"),
                             STR_INIT("The next mail server does not deliver "
                                      "by a time")},
};

/* Codes by which an upstream says that this proxy, not its client, is at
 * fault: unknown or misplaced commands, and authentication that only the
 * set-up can give. */
static const int set_up_codes[] = {500, 502, 503, 530, 534, 535, 538};

static const char *const asked_names[] = {
    [ASKED_MAIL] = "MAIL",           [ASKED_RCPT] = "RCPT",
    [ASKED_DATA] = "DATA",           [ASKED_CHUNK] = "BDAT",
    [ASKED_END] = "the end of data",
};

static const struct str accepted_codes[] = {
    [ASKED_MAIL] = STR_INIT("2.1.0"), [ASKED_RCPT] = STR_INIT("2.1.5"),
    [ASKED_DATA] = STR_INIT("2.0.0"), [ASKED_CHUNK] = STR_INIT("2.0.0"),
    [ASKED_END] = STR_INIT("2.0.0"),
};

void fault_set(struct fault *fault, enum fault_kind kind, const char *format,
               ...)
{
    va_list arguments;
    va_start(arguments, format);
    fault->kind = kind;
    fault->code = 0;
    if (vsnprintf(fault->words, sizeof(fault->words), format, arguments) < 0)
        fault->words[0] = '\0';
    va_end(arguments);
}

/* RFC 4954 6. 250 stands for an EHLO that does not offer what is needed. */
bool fault_is_of_login(const struct fault *fault)
{
    return fault->kind == FAULT_SET_UP && fault->code > 504 &&
           fault->code != 530 && fault->code != 538;
}

void outcome_of_fault(const struct fault *fault, struct str server,
                      struct outcome *out)
{
    const struct fault_answer *answer = &fault_answers[fault->kind];
    *out = (struct outcome){
        .reply = {451, answer->enhanced, answer->text},
        .fault = fault->words,
        .server = server,
    };
}

void outcome_of_lacking(enum extension extension, struct str server,
                        struct outcome *out)
{
    *out =
        (struct outcome){.reply = lacking_answers[extension], .server = server};
}

static bool is_set_up_code(int code)
{
    for (size_t i = 0; i < sizeof(set_up_codes) / sizeof(set_up_codes[0]); i++)
        if (set_up_codes[i] == code)
            return true;
    return false;
}

static struct str enhanced_or_supplied(enum question_asked asked,
                                       const struct reply *reply)
{
    if (enhanced_code_fits(reply->enhanced, reply->code))
        return reply->enhanced;
    if (reply->code / 100 == 2)
        return accepted_codes[asked];
    return reply->code / 100 == 4 ? STR("4.0.0") : STR("5.0.0");
}

/* Our words in place of the upstream's, which stay in `original`. */
static void replace(enum fault_kind kind, enum question_asked asked,
                    const struct reply *reply, struct str server,
                    struct fault *fault, struct outcome *out)
{
    fault_set(fault, kind, "answered %s with %d %.*s%s", asked_names[asked],
              reply->code, (int)(reply->text.n < 256 ? reply->text.n : 256),
              reply->text.n == 0 ? "" : reply->text.p,
              kind == FAULT_SET_UP ? ": is it set up for this proxy?" : "");
    outcome_of_fault(fault, server, out);
    out->original = *reply;
}

enum outcome_class outcome_of_reply(enum question_asked asked,
                                    const struct reply *reply,
                                    struct str server, struct fault *fault,
                                    struct outcome *out)
{
    /* Of the codes that accept, only 25z speak of mail (RFC 5321 4.2.1): a
     * 220 or a 235 here is the answer to another question. */
    bool is_acceptance =
        reply->code / 10 == 25 && asked != ASKED_DATA && asked != ASKED_CHUNK;
    bool is_refusal = reply->code >= 400 && reply->code <= 599;
    if (!is_acceptance && !is_refusal) {
        replace(FAULT_PROTOCOL, asked, reply, server, fault, out);
        return OUTCOME_BROKEN;
    }
    if (is_set_up_code(reply->code)) {
        replace(FAULT_SET_UP, asked, reply, server, fault, out);
        return OUTCOME_SET_UP;
    }
    *out = (struct outcome){
        .reply = {reply->code, enhanced_or_supplied(asked, reply), reply->text},
        .is_upstreams = true,
        .server = server,
        .original = *reply,
    };
    if (is_acceptance)
        return OUTCOME_ACCEPTED;
    if (reply->code != 421)
        return OUTCOME_REFUSED;
    /* It closes; we do not (design 1.3). */
    out->reply.code = 451;
    return OUTCOME_BROKEN;
}

void outcome_copy_init(struct outcome_copy *copy)
{
    copy->outcome = (struct outcome){0};
    arena_init(&copy->arena, OUTCOME_COPY_MAX);
}

void outcome_copy_release(struct outcome_copy *copy)
{
    arena_release(&copy->arena);
}

static struct str keep(struct arena *arena, struct str text)
{
    if (text.n == 0)
        return STR("");
    struct str kept = arena_str(arena, text);
    return kept.p == NULL ? STR("") : kept;
}

static void keep_reply(struct arena *arena, struct reply *reply)
{
    reply->enhanced = keep(arena, reply->enhanced);
    reply->text = keep(arena, reply->text);
}

void outcome_copy_set(struct outcome_copy *copy, const struct outcome *from)
{
    arena_reset(&copy->arena);
    copy->outcome = *from;
    keep_reply(&copy->arena, &copy->outcome.reply);
    keep_reply(&copy->arena, &copy->outcome.original);
    if (from->fault != NULL)
        copy->outcome.fault = keep(&copy->arena, str_from(from->fault)).p;
}
