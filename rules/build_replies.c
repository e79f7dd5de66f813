/* The actions that decide: accept, and the replies of reject, defer, close. */
#include "rules/build_internal.h"
#include "rules/reply_text.h"

static int decide(struct ruleset_builder *builder, enum decision decision,
                  const char *action)
{
    if (build_check_stage(builder, action) != 0)
        return -1;
    if (builder->rule->decision != DECISION_NONE)
        return build_fail(builder, "a rule has one of accept, reject, defer "
                                   "and close");
    builder->rule->decision = decision;
    return 0;
}

int build_accept(struct ruleset_builder *builder, struct str text)
{
    if (decide(builder, DECISION_ACCEPT, "accept") != 0)
        return -1;
    if (!str_equals(text, STR("true")))
        return build_fail(builder, "accept takes true, nothing else");
    return 0;
}

static int check_code(struct ruleset_builder *builder, enum decision decision,
                      int code)
{
    enum stage stage = builder->rule->stage;
    if (decision == DECISION_CLOSE && code != 421)
        return build_fail(builder,
                          "close answers 421 and nothing else, not "
                          "%d",
                          code);
    if (decision == DECISION_REJECT && code / 100 != 5)
        return build_fail(builder, "reject answers 5yz, and %d is not%s", code,
                          code / 100 == 4 ? ": use defer" : "");
    if (decision == DECISION_DEFER && (code / 100 != 4 || code == 421))
        return build_fail(builder, "defer answers 4yz, and %d is not%s", code,
                          code == 421       ? " for it: use close"
                          : code / 100 == 5 ? ": use reject"
                                            : "");
    if (code / 10 % 10 > 5)
        return build_fail(builder, "%d is no reply code of SMTP", code);
    if (stage == STAGE_CONNECT && decision == DECISION_REJECT && code != 554)
        return build_fail(builder, "at connect reject answers 554, not %d",
                          code);
    if (reply_is_of_auth(code) && stage != STAGE_AUTH)
        return build_fail(builder,
                          "%d answers a login: it may be used at "
                          "auth, not at %s",
                          code, stage_name(stage));
    return 0;
}

static struct str default_enhanced(enum decision decision)
{
    switch (decision) {
    case DECISION_REJECT:
        return STR("5.7.1");
    case DECISION_DEFER:
        return STR("4.7.1");
    default:
        return STR("4.7.0");
    }
}

static int parse_reply(struct ruleset_builder *builder, enum decision decision,
                       struct str text)
{
    struct reply_action *reply = &builder->rule->reply;
    struct str code, rest, first, behind;
    uint64_t number;
    str_cut(str_trim(text), ' ', &code, &rest);
    if (code.n != 3 || str_to_u64(code, &number) != 0)
        return build_fail(builder, "a reply begins with its code, as in "
                                   "\"550 5.7.1 Not allowed\"");
    reply->code = (int)number;
    if (check_code(builder, decision, reply->code) != 0)
        return -1;
    rest = str_trim(rest);
    str_cut(rest, ' ', &first, &behind);
    reply->enhanced = default_enhanced(decision);
    if (reply_is_enhanced(first)) {
        if (first.p[0] != code.p[0])
            return build_fail(builder,
                              "%.*s is not of the class of %d: its first "
                              "digit must be the same",
                              PROBLEM_STR(first), reply->code);
        reply->enhanced = arena_str(build_arena(builder), first);
        rest = str_trim(behind);
    }
    if (rest.n == 0 || reply->enhanced.p == NULL)
        return build_fail(builder, "a reply needs a text behind its code");
    return build_template(
        builder, rest, TEMPLATE_MAY_CAPTURE | TEMPLATE_MAY_LIMIT, &reply->text);
}

int build_reject(struct ruleset_builder *builder, struct str text)
{
    return decide(builder, DECISION_REJECT, "reject") != 0
               ? -1
               : parse_reply(builder, DECISION_REJECT, text);
}

int build_defer(struct ruleset_builder *builder, struct str text)
{
    return decide(builder, DECISION_DEFER, "defer") != 0
               ? -1
               : parse_reply(builder, DECISION_DEFER, text);
}

int build_close(struct ruleset_builder *builder, struct str text)
{
    return decide(builder, DECISION_CLOSE, "close") != 0
               ? -1
               : parse_reply(builder, DECISION_CLOSE, text);
}
