/* How a rule ends: it acts, pretends to, or asks its policy server and then
 * acts on what that says. */
#include "rules/encoded_word.h"
#include "rules/evaluate_internal.h"
#include "rules/policy_action.h"
#include "rules/reply_text.h"
#include "rules/ruleset.h"

enum step evaluate_pass_over(struct evaluation *e, enum rule_fate fate)
{
    evaluate_tell(e, fate, NULL, NULL);
    e->phase = PHASE_RULE;
    return STEP_ON;
}

static struct acting acting_of(const struct evaluation *e,
                               const struct limit_figures *figures)
{
    struct view *view = evaluate_view(e);
    if (e->captures != NULL)
        view->captures = *e->captures;
    return (struct acting){.rule = e->rule,
                           .view = view,
                           .facts = e->facts,
                           .effects = e->effects,
                           .figures = figures,
                           .stage = e->stage};
}

static enum step conclude(struct evaluation *e, enum act_result result,
                          enum phase then, const struct verdict *verdict)
{
    bool decides = e->rule->decision != DECISION_NONE;
    e->phase = (int)then;
    switch (result) {
    case ACT_DECIDED:
        evaluate_tell(e, FATE_ACTED, NULL, verdict);
        return STEP_VERDICT;
    case ACT_FAULT:
        return STEP_FAULT;
    case ACT_PRETENDED:
        evaluate_tell(e, FATE_PRETENDED, NULL, decides ? verdict : NULL);
        return STEP_ON;
    case ACT_NOTHING:
        evaluate_tell(e, FATE_ABSENT, NULL, NULL);
        return STEP_ON;
    default:
        evaluate_tell(e, FATE_ACTED, NULL, NULL);
        return STEP_ON;
    }
}

enum step evaluate_forgive(struct evaluation *e, struct verdict *verdict)
{
    if (e->rule == NULL || e->rule->mode != RULE_SHADOW)
        return STEP_FAULT;
    struct acted acted = {e->rule->stage, e->rule, "fault", true};
    evaluate_fault_verdict(e->rule, evaluate_view(e), verdict);
    evaluate_tell(e, FATE_PRETENDED, NULL, verdict);
    (void)effects_add_acted(e->effects, &acted);
    evaluate_begin_view(e->scratch, e->facts);
    e->phase = e->phase == PHASE_CORRECT || e->phase == PHASE_CORRECT_ANSWER
                   ? PHASE_CORRECT
                   : PHASE_RULE;
    return STEP_ON;
}

/* --- asking a policy server --- */

/* What it would act with must be there, and outlive the question. */
static enum step ask_server(struct evaluation *e,
                            const struct limit_figures *figures,
                            enum phase then)
{
    struct arena *arena = e->effects->arena;
    struct acting acting = acting_of(e, figures);
    enum act_result result = rule_can_act(&acting);
    e->figures = NULL;
    e->phase_after_ask = (int)then;
    if (result != ACT_GO_ON)
        return conclude(e, result, then, NULL);
    if (figures != NULL) {
        struct limit_figures *kept = arena_alloc(arena, sizeof *kept);
        if (kept == NULL)
            return evaluate_full(e);
        *kept = *figures;
        kept->max = arena_str(arena, figures->max);
        kept->rate = arena_str(arena, figures->rate);
        if (kept->max.p == NULL || kept->rate.p == NULL)
            return evaluate_full(e);
        e->figures = kept;
    }
    e->pending = (struct question){
        .kind = QUESTION_ASK, .rule = e->rule, .server = e->rule->ask};
    return evaluate_ask(e, PHASE_ASK_ANSWER);
}

enum step evaluate_act(struct evaluation *e,
                       const struct limit_figures *figures, enum phase then,
                       struct verdict *verdict)
{
    if (e->rule->ask.n > 0 && e->rule->mode == RULE_LIVE)
        return ask_server(e, figures, then);
    struct acting acting = acting_of(e, figures);
    return conclude(e, rule_act(&acting, verdict), then, verdict);
}

/* --- what it said --- */

static enum step refuse_action(struct evaluation *e, const char *why)
{
    struct arena *arena = e->effects->arena;
    struct str action = reply_text(arena, e->answer.action);
    struct str text = arena_printf(
        arena, "policy server %.*s answered \"%.*s\": %s", (int)e->rule->ask.n,
        e->rule->ask.p, (int)action.n, action.n == 0 ? "" : action.p, why);
    if (action.p == NULL || text.p == NULL)
        return evaluate_full(e);
    evaluate_view(e)->fault = text.p;
    return STEP_FAULT;
}

static int answered_verdict(const struct evaluation *e,
                            const struct policy_action *action,
                            struct verdict *out)
{
    struct arena *arena = e->effects->arena;
    *out = (struct verdict){
        .kind = action->code == 421   ? VERDICT_CLOSE
                : action->code >= 500 ? VERDICT_REJECT
                                      : VERDICT_DEFER,
        .code = action->code,
        .enhanced = arena_str(arena, action->enhanced),
        .text = reply_text(arena, action->text),
        .rule = e->rule,
    };
    return out->enhanced.p == NULL || out->text.p == NULL ? -1 : 0;
}

static int keep_verdict(const struct evaluation *e,
                        const struct policy_action *action,
                        const struct verdict **out)
{
    struct verdict *kept = arena_alloc(e->effects->arena, sizeof *kept);
    if (kept == NULL || answered_verdict(e, action, kept) != 0)
        return -1;
    *out = kept;
    return 0;
}

static int keep_note(const struct evaluation *e,
                     const struct policy_action *action)
{
    struct arena *arena = e->effects->arena;
    struct str text = reply_text(arena, action->text);
    struct str note =
        arena_printf(arena, "%.*s%s: %.*s", (int)e->rule->ask.n, e->rule->ask.p,
                     action->kind == POLICY_ACTION_WARN ? " warns" : "",
                     (int)text.n, text.n == 0 ? "" : text.p);
    if (text.p == NULL || note.p == NULL)
        return -1;
    return effects_add_note(e->effects, note);
}

static int keep_field(const struct evaluation *e,
                      const struct policy_action *action)
{
    struct arena *arena = e->effects->arena;
    struct header_edit edit = {.kind = HEADER_EDIT_ADD,
                               .name = arena_str(arena, action->name),
                               .value = arena_str(arena, action->text)};
    if (edit.name.p == NULL || edit.value.p == NULL)
        return -1;
    edit.value = encoded_word_encode(arena, edit.value);
    if (edit.value.p == NULL)
        return -1;
    return effects_add_edit(e->effects, &edit);
}

/* 1: *verdict is the stage's; 0: the rules go on; -1: an arena is full. */
static int obey(struct evaluation *e, const struct policy_action *action,
                struct verdict *verdict)
{
    switch (action->kind) {
    case POLICY_ACTION_OK:
        *verdict = (struct verdict){.kind = VERDICT_PASS};
        return 1;
    case POLICY_ACTION_REPLY:
        return answered_verdict(e, action, verdict) == 0 ? 1 : -1;
    case POLICY_ACTION_DEFER_IF_REJECT:
        return keep_verdict(e, action, &e->if_reject);
    case POLICY_ACTION_DEFER_IF_PERMIT:
        return keep_verdict(e, action, &e->if_permit);
    case POLICY_ACTION_PREPEND:
        return keep_field(e, action);
    case POLICY_ACTION_WARN:
    case POLICY_ACTION_INFO:
        return keep_note(e, action);
    default:
        return 0;
    }
}

/* Its word in the log. */
static const char *did_of(const struct policy_action *action)
{
    switch (action->kind) {
    case POLICY_ACTION_OK:
        return "accept";
    case POLICY_ACTION_REPLY:
        return action->code == 421   ? "close"
               : action->code >= 500 ? "reject"
                                     : "defer";
    default:
        return "ask";
    }
}

/* Nobody answered, and mail is not to go on without an answer. */
static const struct policy_action UNAVAILABLE = {
    .kind = POLICY_ACTION_REPLY,
    .code = 451,
    .enhanced = STR_INIT("4.3.5"),
    .text = STR_INIT("A policy server is not available, try again later"),
};

enum step evaluate_step_ask_answer(struct evaluation *e,
                                   struct verdict *verdict)
{
    struct policy_action action = UNAVAILABLE;
    enum phase then = (enum phase)e->phase_after_ask;
    if (e->answer.action.p != NULL)
        policy_action_parse(e->answer.action, &action);
    if (action.kind == POLICY_ACTION_UNKNOWN)
        return refuse_action(e, "this server can't do that");
    if (action.kind == POLICY_ACTION_PREPEND && e->stage == STAGE_MESSAGE)
        return refuse_action(e, "the header has gone on already");
    struct acting acting = acting_of(e, e->figures);
    acting.did = did_of(&action);
    enum act_result result = rule_act(&acting, verdict);
    if (result != ACT_GO_ON)
        return conclude(e, result, then, verdict);
    int rc = obey(e, &action, verdict);
    if (rc < 0)
        return evaluate_full(e);
    return conclude(e, rc > 0 ? ACT_DECIDED : ACT_GO_ON, then, verdict);
}

/* --- a size that the streamed octets passed --- */

/* The rule's own words may name what is gone by now. */
static void too_large(const struct rule *rule, struct verdict *verdict)
{
    *verdict = (struct verdict){
        .kind = VERDICT_REJECT,
        .code = 552,
        .enhanced = STR("5.3.4"),
        .text = STR("The message is larger than is allowed"),
        .rule = rule,
    };
}

void evaluate_exceeded(struct facts *facts, struct effects *effects,
                       struct evaluate_scratch *scratch, uint64_t octets,
                       struct verdict *verdict)
{
    const struct rule *rule = effects->size_rule;
    struct view *view = evaluate_begin_view(scratch, facts);
    struct limit_now now;
    if (effects->size_captures != NULL)
        view->captures = *effects->size_captures;
    if (limit_resolve(rule->limit, view, &now) != 0)
        now.text = rule->limit->text;
    struct limit_figures figures =
        limit_figures_of(now.text, effects->size_max, octets, 0);
    struct acting acting = {.rule = rule,
                            .view = view,
                            .facts = facts,
                            .effects = effects,
                            .figures = &figures,
                            .stage = rule->stage};
    switch (rule_act(&acting, verdict)) {
    case ACT_DECIDED:
        return;
    case ACT_FAULT:
        evaluate_fault_verdict(rule, view, verdict);
        return;
    default:
        too_large(rule, verdict);
    }
}
