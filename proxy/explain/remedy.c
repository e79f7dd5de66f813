/* The condition's tree is walked with the wish that it be false: of `all` any
 * part may fail, of `any` each must, of `not` its part must hold. */
#include "proxy/explain/remedy.h"

#include "proxy/explain/wording.h"

struct search {
    struct story *story;
    const struct story_rule *rule;
    const struct facts *facts;
};

/* What a test must come to, whatever word it is written with. */
enum wish {
    WISH_NONE_IN,
    WISH_ALL_IN,
    WISH_SOME_IN,
    WISH_SOME_OUT,
    WISH_THERE,
    WISH_ABSENT
};

static enum wish wish_of(enum quantifier quantifier, bool is_wanted)
{
    static const enum wish wishes[][2] = {
        [QUANTIFIER_ANY_IN] = {WISH_NONE_IN, WISH_SOME_IN},
        [QUANTIFIER_ANY_OUT] = {WISH_ALL_IN, WISH_SOME_OUT},
        [QUANTIFIER_EVERY_IN] = {WISH_SOME_OUT, WISH_ALL_IN},
        [QUANTIFIER_NONE_IN] = {WISH_SOME_IN, WISH_NONE_IN},
        [QUANTIFIER_EXISTS] = {WISH_ABSENT, WISH_THERE},
        [QUANTIFIER_MISSING] = {WISH_THERE, WISH_ABSENT},
    };
    return wishes[quantifier][is_wanted ? 1 : 0];
}

static struct str or_empty(struct search *search, struct str text)
{
    if (text.p != NULL)
        return text;
    search->story->is_full = true;
    return STR("");
}

/* `> 10M`, `below: 3`: the bound that the number would have to keep. p is
 * NULL: the test is no bound. */
static struct str bound(struct search *search, const struct test *test,
                        bool is_inside)
{
    static const struct {
        struct str sign;
        const char *inside, *outside;
    } signs[] = {
        {STR_INIT(">="), "at least", "below"},
        {STR_INIT("<="), "at most", "above"},
        {STR_INIT(">"), "above", "at most"},
        {STR_INIT("<"), "below", "at least"},
    };
    struct str text = test->written[0];
    if (test->matcher.type != FACT_TYPE_NUMBER || test->value_count != 1)
        return (struct str){0};
    if (str_equals(test->word, STR("above")))
        return or_empty(search, arena_printf(&search->story->arena, "%s %.*s",
                                             is_inside ? "above" : "at most",
                                             (int)text.n, text.p));
    if (str_equals(test->word, STR("below")))
        return or_empty(search, arena_printf(&search->story->arena, "%s %.*s",
                                             is_inside ? "below" : "at least",
                                             (int)text.n, text.p));
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (!str_starts_with(text, signs[i].sign))
            continue;
        struct str number = str_trim(str_skip(text, signs[i].sign.n));
        return or_empty(
            search, arena_printf(&search->story->arena, "%s %.*s",
                                 is_inside ? signs[i].inside : signs[i].outside,
                                 (int)number.n, number.p));
    }
    return (struct str){0};
}

static bool is_pattern(const struct test *test)
{
    return test->value_count == 1 && test->matcher.regex_count == 1 &&
           test->matcher.glob_count == 0;
}

/* `mail.from would have to be one of …`. */
static struct str say_set(struct search *search, const struct test *test,
                          enum wish wish)
{
    struct arena *arena = &search->story->arena;
    struct str fact = wording_fact(arena, &test->fact);
    bool is_inside = wish == WISH_ALL_IN || wish == WISH_SOME_IN;
    bool is_list = fact_is_list(&test->fact);
    struct str set = bound(search, test, is_inside);
    bool is_bound = set.p != NULL;
    if (!is_bound)
        set = wording_set(arena, test, search->facts);
    const char *who = "";
    if (is_list && wish == WISH_ALL_IN)
        who = "every value of ";
    else if (is_list && wish == WISH_NONE_IN)
        who = "no value of ";
    else if (is_list)
        who = "a value of ";
    const char *verb = is_pattern(test) ? "match " : "be ";
    const char *negation = "";
    if (!is_inside && !is_bound && !(is_list && wish == WISH_NONE_IN))
        negation = "not ";
    bool is_may = is_list && wish == WISH_NONE_IN;
    return or_empty(search,
                    arena_printf(arena, "%s%.*s %s%s%s%.*s", who, (int)fact.n,
                                 fact.p, is_may ? "may " : "would have to ",
                                 negation, verb, (int)set.n, set.p));
}

static struct str say_test(struct search *search, const struct test *test,
                           bool is_wanted)
{
    struct arena *arena = &search->story->arena;
    enum wish wish = wish_of(test->quantifier, is_wanted);
    if (wish != WISH_THERE && wish != WISH_ABSENT)
        return say_set(search, test, wish);
    struct str fact = wording_fact(arena, &test->fact);
    return or_empty(
        search, arena_printf(arena, "%.*s would have to be %s", (int)fact.n,
                             fact.p, wish == WISH_THERE ? "there" : "absent"));
}

/* Whether the part already is as it is wanted, as far as it was tried. */
static bool is_met(const struct search *search,
                   const struct condition *condition, bool is_wanted)
{
    if (condition->kind != CONDITION_TEST)
        return false;
    for (size_t i = 0; i < search->rule->test_count; i++)
        if (search->rule->tests[i].test == &condition->test)
            return search->rule->tests[i].holds == is_wanted;
    return false;
}

static struct str say(struct search *search, const struct condition *condition,
                      bool is_wanted)
{
    struct str out = STR("");
    if (condition->kind == CONDITION_TEST)
        return say_test(search, &condition->test, is_wanted);
    if (condition->kind == CONDITION_NOT)
        return say(search, condition->parts[0], !is_wanted);
    /* Both ways round: every part must be so, or one of them suffices. */
    bool needs_each = (condition->kind == CONDITION_ANY) != is_wanted;
    for (size_t i = 0; i < condition->part_count; i++) {
        if (needs_each && is_met(search, condition->parts[i], is_wanted))
            continue;
        struct str part = say(search, condition->parts[i], is_wanted);
        out = or_empty(search, arena_printf(&search->story->arena, "%.*s%s%.*s",
                                            (int)out.n, out.p,
                                            out.n == 0   ? ""
                                            : needs_each ? ", and "
                                                         : ", or ",
                                            (int)part.n, part.p));
    }
    return out;
}

static void add_condition(struct search *search, struct story_rule *rule)
{
    const struct condition *when = rule->rule->when;
    if (when == NULL)
        return;
    if (when->kind != CONDITION_ALL) {
        story_add_remedy(search->story, rule, say(search, when, false));
        return;
    }
    for (size_t i = 0; i < when->part_count; i++)
        story_add_remedy(search->story, rule,
                         say(search, when->parts[i], false));
}

static struct str say_wait(struct search *search,
                           const struct story_answer *answer)
{
    struct arena *arena = &search->story->arena;
    enum limit_unit unit = search->rule->rule->limit->unit;
    struct str cost = wording_amount(arena, unit, answer->cost);
    struct str max = wording_amount(arena, unit, answer->max);
    struct str wait = quantity_wait_text(arena, answer->retry_after_ms);
    wait = or_empty(search, wait);
    if (answer->cost > answer->max)
        return or_empty(
            search, arena_printf(arena,
                                 "it asks for %.*s, and at most %.*s may go at "
                                 "once: it never fits",
                                 (int)cost.n, cost.p, (int)max.n, max.p));
    if (answer->retry_after_ms == 0 && search->story->is_recorded)
        return or_empty(search,
                        arena_printf(arena,
                                     "later it would have passed; the log does "
                                     "not hold when"));
    if (answer->retry_after_ms == 0)
        return or_empty(search,
                        arena_printf(arena,
                                     "some of the %.*s that are held would "
                                     "have to be given back",
                                     (int)max.n, max.p));
    return or_empty(search,
                    arena_printf(arena, "in %.*s %.*s more would pass",
                                 (int)wait.n, wait.p, (int)cost.n, cost.p));
}

static void add_answers(struct search *search, struct story_rule *rule)
{
    struct arena *arena = &search->story->arena;
    for (size_t i = 0; i < rule->answer_count; i++) {
        const struct story_answer *answer = &rule->answers[i];
        if (answer->kind == STORY_LIMIT && !answer->is_yes)
            story_add_remedy(search->story, rule, say_wait(search, answer));
        if (answer->kind == STORY_MEASURED && !answer->is_yes) {
            struct str max =
                wording_amount(arena, rule->rule->limit->unit, answer->max);
            story_add_remedy(
                search->story, rule,
                or_empty(search,
                         arena_printf(arena,
                                      "%.*s would have to be at most %.*s",
                                      (int)answer->unit.n, answer->unit.p,
                                      (int)max.n, max.p)));
        }
        if (answer->kind == STORY_ASKED)
            story_add_remedy(
                search->story, rule,
                or_empty(search,
                         arena_printf(arena,
                                      "the policy server %.*s would have to "
                                      "answer otherwise",
                                      (int)answer->name.n, answer->name.p)));
    }
}

void remedy_find(struct story *story, struct story_rule *rule,
                 const struct facts *facts)
{
    struct search search = {story, rule, facts};
    add_condition(&search, rule);
    add_answers(&search, rule);
    if (rule->remedy_count == 0)
        story_add_remedy(story, rule,
                         STR("nothing: the rule refuses whatever comes"));
}
