/* A pattern, a template and the text they meet, a line each: what compiles
 * can be matched and filled in, within its bounds, and ends in a verdict. */
#include "rules/build.h"
#include "rules/evaluate.h"
#include "rules/template.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool holds(struct str text, struct str needs)
{
    for (size_t i = 0; i + needs.n <= text.n; i++)
        if (str_equals_nocase(str_span(text.p + i, needs.n), needs))
            return true;
    return false;
}

/* Groups lie within the subject, and names lead to groups; what a match needs
 * is there. */
static void match_alone(struct str literal, struct str subject)
{
    struct problem problem;
    struct regex_match match;
    struct regex *regex = regex_new(literal, &problem);
    struct regex_scratch *scratch = regex_scratch_new();
    assert(scratch != NULL);
    assert(regex == NULL || regex_is_literal(literal));
    if (regex != NULL &&
        regex_match(regex, scratch, subject, &match) == REGEX_MATCH) {
        assert(match.count == regex_group_count(regex) + 1);
        assert(holds(subject, regex_needs(regex)));
        for (size_t i = 0; i < match.count; i++)
            assert(match.groups[i].n == 0 ||
                   (match.groups[i].p >= subject.p &&
                    match.groups[i].p + match.groups[i].n <=
                        subject.p + subject.n));
        assert(regex_group_named(regex, STR("a")) <= (int)match.count);
    }
    regex_free(regex);
    regex_scratch_free(scratch);
}

static int build_one(struct ruleset_builder *builder, struct str literal,
                     struct str text)
{
    struct fact_ref fact;
    struct condition *condition;
    struct str map = STR("bob 10");
    if (build_list(builder, STR("l"), &map, 1, NULL) != 0 ||
        build_rule_start(builder, STAGE_RCPT, STR("r"), NULL) != 0 ||
        build_fact(builder, STR("rcpt.to"), &fact) != 0 ||
        build_test(builder, &fact, STR(""), &literal, 1, &condition) != 0 ||
        build_when(builder, condition) != 0 || build_note(builder, text) != 0 ||
        build_tag(builder, text) != 0)
        return -1;
    char reply[4096] = "550 ";
    size_t n = text.n < sizeof reply - 4 ? text.n : sizeof reply - 4;
    if (n > 0)
        memcpy(reply + 4, text.p, n);
    if (build_reject(builder, str_span(reply, n + 4)) != 0)
        return -1;
    return build_rule_end(builder);
}

static void evaluate_one(struct ruleset *ruleset, struct str subject)
{
    struct evaluate_scratch *scratch = evaluate_scratch_new();
    struct evaluation e;
    struct facts facts;
    struct effects effects;
    struct arena arena;
    struct question question;
    struct verdict verdict;
    const struct str groups[] = {STR_INIT("staff"), STR_INIT("{1}")};
    assert(scratch != NULL);
    arena_init(&arena, 8 << 20);
    effects_init(&effects, &arena);
    facts_init(&facts);
    facts_set_text(&facts, FACT_AUTH_USER, STR("bob"));
    facts_set_list(&facts, FACT_AUTH_GROUPS, groups, 2);
    facts_set_text(&facts, FACT_MAIL_FROM, STR("\"b\"+tag@example.com"));
    facts_set_number(&facts, FACT_MAIL_SIZE, UINT64_MAX);
    facts_set_text(&facts, FACT_RCPT_TO, subject);
    evaluate_start(&e, ruleset, STAGE_RCPT, &facts, &effects, scratch);
    assert(evaluate(&e, &question, &verdict) == EVALUATE_VERDICT);
    assert(verdict.kind != VERDICT_FAULT || verdict.fault != NULL);
    assert(verdict.kind != VERDICT_REJECT || verdict.code == 550);
    for (size_t i = 0; i < effects.note_count; i++)
        assert(effects.notes[i].n <= TEMPLATE_OUTPUT_MAX);
    for (size_t i = 0; verdict.code != 0 && i < verdict.text.n; i++)
        assert(strchr("\r\n", verdict.text.p[i]) == NULL ||
               verdict.text.p[i] == '\0' ||
               memchr(subject.p, verdict.text.p[i], subject.n) != NULL);
    arena_release(&arena);
    evaluate_scratch_free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size}, literal, text;
    str_cut(rest, '\n', &literal, &rest);
    str_cut(rest, '\n', &text, &rest);
    match_alone(literal, rest);
    struct ruleset_builder *builder = ruleset_builder_new();
    assert(builder != NULL);
    int rc = build_one(builder, literal, text);
    assert(rc == 0 || build_error(builder)[0] != '\0');
    struct ruleset *ruleset = ruleset_builder_finish(builder);
    assert((ruleset != NULL) == (rc == 0));
    if (ruleset != NULL)
        evaluate_one(ruleset, rest);
    ruleset_free(ruleset);
    return 0;
}
