/* A rule that asks a policy server, and what becomes of its answer. */
#include "rules/encoded_word.h"
#include "rules/evaluate_internal.h"
#include "rules/policy_action.h"
#include "rules/reply_text.h"

/* What it would act with must be there, and outlive the question. */
enum step evaluate_ask_server(struct evaluation *e,
                              const struct limit_figures *figures,
                              enum phase then)
{
    struct arena *arena = e->effects->arena;
    struct acting acting = evaluate_acting(e, figures);
    enum act_result result = rule_can_act(&acting);
    e->figures = NULL;
    e->phase_after_ask = (int)then;
    if (result != ACT_GO_ON)
        return evaluate_conclude(e, result, then, NULL);
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
    struct acting acting = evaluate_acting(e, e->figures);
    acting.did = did_of(&action);
    enum act_result result = rule_act(&acting, verdict);
    if (result != ACT_GO_ON)
        return evaluate_conclude(e, result, then, verdict);
    int rc = obey(e, &action, verdict);
    if (rc < 0)
        return evaluate_full(e);
    return evaluate_conclude(e, rc > 0 ? ACT_DECIDED : ACT_GO_ON, then,
                             verdict);
}
