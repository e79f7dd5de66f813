#include "rules/act.h"

#include "rules/address.h"
#include "rules/encoded_word.h"
#include "rules/reply_text.h"
#include "rules/rule_texts.h"

static int fault(struct view *view, const char *what)
{
    view->fault = what;
    return -1;
}

static int out_of_memory(struct view *view)
{
    return fault(view, "out of memory");
}

/* Numbers about the header block follow what was edited. */
static void header_changed(const struct acting *acting)
{
    struct facts *facts = acting->facts;
    fact_reader_forget_header(&acting->view->reader);
    if (facts_know(facts, FACT_HEADERS_COUNT))
        facts_set_number(facts, FACT_HEADERS_COUNT, facts->header->count);
    if (facts_know(facts, FACT_HEADERS_BYTES))
        facts_set_number(facts, FACT_HEADERS_BYTES,
                         header_fields_bytes(facts->header));
    if (facts_know(facts, FACT_HEADERS_HOPS))
        facts_set_number(facts, FACT_HEADERS_HOPS,
                         header_fields_hops(facts->header));
}

static int edit_header(const struct acting *acting,
                       const struct header_action *action, struct str text)
{
    struct effects *effects = acting->effects;
    struct header_edit edit = {
        .kind = action->kind,
        .name = action->name,
        .value = encoded_word_encode(effects->arena, text),
    };
    if (edit.value.p == NULL)
        return out_of_memory(acting->view);
    if (acting->stage == STAGE_HEADER && acting->facts->header != NULL) {
        int rc = header_fields_edit(acting->facts->header, &edit);
        header_changed(acting);
        if (rc == -2)
            return fault(acting->view,
                         "a header field that the rule writes is not valid");
        return rc == 0 ? 0 : out_of_memory(acting->view);
    }
    return effects_add_edit(effects, &edit) == 0 ? 0
                                                 : out_of_memory(acting->view);
}

static int change_list(const struct acting *acting, const void *of,
                       struct str text)
{
    const struct list_action *action = of;
    struct effects *effects = acting->effects;
    if (text.n == 0)
        return 0; /* nobody is meant */
    struct list_change change = {
        .list = action->list,
        .value = list_value(action->list, effects->arena, text),
        .for_ms = action->for_ms,
        .is_removal = action->is_removal,
    };
    if (change.value.p == NULL ||
        effects_add_list_change(effects, &change) != 0)
        return out_of_memory(acting->view);
    return 0;
}

static int add_recipient(const struct acting *acting, const void *of,
                         struct str text)
{
    const struct recipient_action *action = of;
    struct added_recipient added = {text, action->is_required};
    struct address parsed;
    if (address_parse(text, &parsed) != ADDRESS_OK)
        return fault(acting->view,
                     "add_recipient made what is no mail address");
    switch (effects_add_recipient(acting->effects, &added)) {
    case 0:
        return 0;
    case -2:
        return fault(acting->view,
                     "rules add too many recipients to one message");
    default:
        return out_of_memory(acting->view);
    }
}

static int keep_acted(const struct acting *acting)
{
    const struct rule *rule = acting->rule;
    struct acted acted = {
        .stage = acting->stage,
        .rule = rule,
        .did = acting->did != NULL ? acting->did : rule_did(rule),
        .is_shadow = rule->mode == RULE_SHADOW,
    };
    return effects_add_acted(acting->effects, &acted) == 0
               ? 0
               : out_of_memory(acting->view);
}

/* The same for each value that an action's text stands for. */
static int each(const struct acting *acting, const void *action,
                int (*act)(const struct acting *, const void *, struct str),
                const struct rule_text *text)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < text->count; i++)
        rc = act(acting, action, text->items[i]);
    return rc;
}

static int add_tag(const struct acting *acting, const void *action,
                   struct str text)
{
    (void)action;
    if (effects_add_tag(acting->effects, text) != 0)
        return out_of_memory(acting->view);
    return 0;
}

static int add_note(const struct acting *acting, struct str text)
{
    if (effects_add_note(acting->effects, text) != 0)
        return out_of_memory(acting->view);
    return 0;
}

/* In the order in which the texts were filled in. */
static int perform(const struct acting *acting, const struct rule_text *text)
{
    const struct rule *rule = acting->rule;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < rule->rewrite_count; i++)
        rc = rewrite_apply(acting, &rule->rewrites[i], (text++)->one);
    for (size_t i = 0; rc == 0 && i < rule->header_count; i++)
        rc = edit_header(acting, &rule->headers[i], (text++)->one);
    for (size_t i = 0; rc == 0 && i < rule->list_count; i++)
        rc = each(acting, &rule->lists[i], change_list, text++);
    for (size_t i = 0; rc == 0 && i < rule->recipient_count; i++)
        rc = each(acting, &rule->recipients[i], add_recipient, text++);
    for (size_t i = 0; rc == 0 && i < rule->tag_count; i++)
        rc = each(acting, NULL, add_tag, text++);
    for (size_t i = 0; rc == 0 && i < rule->note_count; i++)
        rc = add_note(acting, (text++)->one);
    if (rc != 0)
        return rc;
    effects_add_delay(acting->effects, rule->delay_ms);
    if (rule->route.n > 0)
        acting->effects->route = rule->route;
    if (rule->route.n > 0 && acting->stage == STAGE_RCPT)
        facts_set_text(acting->facts, FACT_UPSTREAM_NAME, rule->route);
    return keep_acted(acting);
}

static enum act_result decide(const struct acting *acting, struct str text,
                              struct verdict *verdict)
{
    static const enum verdict_kind KINDS[] = {
        [DECISION_ACCEPT] = VERDICT_PASS,
        [DECISION_REJECT] = VERDICT_REJECT,
        [DECISION_DEFER] = VERDICT_DEFER,
        [DECISION_CLOSE] = VERDICT_CLOSE,
    };
    const struct rule *rule = acting->rule;
    *verdict = (struct verdict){.kind = KINDS[rule->decision]};
    if (rule->decision == DECISION_ACCEPT)
        return ACT_DECIDED;
    verdict->code = rule->reply.code;
    verdict->enhanced = rule->reply.enhanced;
    verdict->rule = rule;
    verdict->text = reply_text(acting->effects->arena, text);
    if (verdict->text.p != NULL)
        return ACT_DECIDED;
    out_of_memory(acting->view);
    return ACT_FAULT;
}

static struct str last_of(const struct rule_texts *texts)
{
    return texts->count > 0 ? texts->items[texts->count - 1].one : STR("");
}

static enum act_result pretend(const struct acting *acting,
                               const struct rule_texts *texts,
                               struct verdict *verdict)
{
    if (keep_acted(acting) != 0)
        return ACT_FAULT;
    if (acting->rule->decision != DECISION_NONE &&
        decide(acting, last_of(texts), verdict) == ACT_FAULT)
        return ACT_FAULT;
    return ACT_PRETENDED;
}

enum act_result rule_can_act(const struct acting *acting)
{
    struct rule_texts texts = {0};
    return rule_texts_fill(acting, &texts);
}

enum act_result rule_act(const struct acting *acting, struct verdict *verdict)
{
    struct rule_texts texts = {0};
    enum act_result result = rule_texts_fill(acting, &texts);
    if (result != ACT_GO_ON)
        return result;
    if (acting->rule->mode == RULE_SHADOW)
        return pretend(acting, &texts, verdict);
    if (perform(acting, texts.items) != 0)
        return ACT_FAULT;
    if (acting->rule->decision == DECISION_NONE)
        return ACT_GO_ON;
    return decide(acting, last_of(&texts), verdict);
}
