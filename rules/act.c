#include "rules/act.h"

#include "rules/address.h"
#include "rules/encoded_word.h"

#include <string.h>

#define REPLY_TEXT_MAX 400

static int fault(struct view *view, const char *what)
{
    view->fault = what;
    return -1;
}

static int out_of_memory(struct view *view)
{
    return fault(view, "out of memory");
}

/* Every text of one rule, in the order of its actions; the reply last. */
struct texts {
    struct str *items;
    size_t count;
};

static enum act_result add_text(const struct acting *acting,
                                const struct template *template,
                                struct texts *texts)
{
    switch (template_render(template, acting->view, acting->figures,
                            acting->effects->arena,
                            &texts->items[texts->count++])) {
    case TEMPLATE_OK:
        return ACT_GO_ON;
    case TEMPLATE_ABSENT:
        return ACT_NOTHING;
    default:
        out_of_memory(acting->view);
        return ACT_FAULT;
    }
}

static enum act_result fill_in(const struct acting *acting, struct texts *texts)
{
    const struct rule *rule = acting->rule;
    enum act_result result = ACT_GO_ON;
    size_t most = rule->rewrite_count + rule->header_count + rule->list_count +
                  rule->tag_count + rule->note_count + 1;
    texts->items =
        arena_array(acting->view->reader.arena, most, sizeof *texts->items);
    if (texts->items == NULL) {
        out_of_memory(acting->view);
        return ACT_FAULT;
    }
    for (size_t i = 0; result == ACT_GO_ON && i < rule->rewrite_count; i++) {
        if (rule->rewrites[i].guard != NULL &&
            rule->rewrites[i].fact.fact == FACT_HEADER)
            texts->items[texts->count++] = STR("");
        else
            result = add_text(acting, &rule->rewrites[i].text, texts);
    }
    for (size_t i = 0; result == ACT_GO_ON && i < rule->header_count; i++)
        result = add_text(acting, &rule->headers[i].text, texts);
    for (size_t i = 0; result == ACT_GO_ON && i < rule->list_count; i++)
        result = add_text(acting, &rule->lists[i].text, texts);
    for (size_t i = 0; result == ACT_GO_ON && i < rule->tag_count; i++)
        result = add_text(acting, &rule->tags[i], texts);
    for (size_t i = 0; result == ACT_GO_ON && i < rule->note_count; i++)
        result = add_text(acting, &rule->notes[i], texts);
    if (result == ACT_GO_ON && rule->decision > DECISION_ACCEPT)
        result = add_text(acting, &rule->reply.text, texts);
    return result;
}

/* --- doing it --- */

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
    struct header_edit *items =
        arena_grow(effects->arena, effects->edits, effects->edit_count,
                   &effects->edit_capacity, sizeof *items);
    if (items == NULL)
        return out_of_memory(acting->view);
    effects->edits = items;
    items[effects->edit_count++] = edit;
    return 0;
}

static int change_list(const struct acting *acting,
                       const struct list_action *action, struct str text)
{
    struct effects *effects = acting->effects;
    if (text.n == 0)
        return 0; /* nobody is meant */
    struct list_change change = {
        .list = action->list,
        .value = address_canonical(effects->arena, text),
        .for_ms = action->for_ms,
        .is_removal = action->is_removal,
    };
    struct list_change *items = arena_grow(
        effects->arena, effects->list_changes, effects->list_change_count,
        &effects->list_change_capacity, sizeof *items);
    if (items == NULL || change.value.p == NULL)
        return out_of_memory(acting->view);
    effects->list_changes = items;
    items[effects->list_change_count++] = change;
    return 0;
}

static int keep_text(const struct acting *acting, struct str text,
                     struct str **items, size_t *count, size_t *capacity)
{
    struct str *moved = arena_grow(acting->effects->arena, *items, *count,
                                   capacity, sizeof *moved);
    if (moved == NULL)
        return out_of_memory(acting->view);
    *items = moved;
    moved[(*count)++] = text;
    return 0;
}

static int keep_acted(const struct acting *acting)
{
    struct effects *effects = acting->effects;
    struct acted *items =
        arena_grow(effects->arena, effects->acted, effects->acted_count,
                   &effects->acted_capacity, sizeof *items);
    if (items == NULL)
        return out_of_memory(acting->view);
    effects->acted = items;
    items[effects->acted_count++] =
        (struct acted){acting->stage, acting->rule, rule_did(acting->rule),
                       acting->rule->mode == RULE_SHADOW};
    return 0;
}

/* In the order in which fill_in() filled the texts in. */
static int perform(const struct acting *acting, const struct str *text)
{
    const struct rule *rule = acting->rule;
    struct effects *effects = acting->effects;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < rule->rewrite_count; i++)
        rc = rewrite_apply(acting, &rule->rewrites[i], *text++);
    for (size_t i = 0; rc == 0 && i < rule->header_count; i++)
        rc = edit_header(acting, &rule->headers[i], *text++);
    for (size_t i = 0; rc == 0 && i < rule->list_count; i++)
        rc = change_list(acting, &rule->lists[i], *text++);
    for (size_t i = 0; rc == 0 && i < rule->tag_count; i++)
        rc = keep_text(acting, *text++, &effects->tags, &effects->tag_count,
                       &effects->tag_capacity);
    for (size_t i = 0; rc == 0 && i < rule->note_count; i++)
        rc = keep_text(acting, *text++, &effects->notes, &effects->note_count,
                       &effects->note_capacity);
    if (rule->route.n > 0)
        effects->route = rule->route;
    return rc != 0 ? rc : keep_acted(acting);
}

/* What strangers wrote may be in it: one line of printable ASCII, bounded. */
static struct str reply_text(struct arena *arena, struct str text)
{
    text = str_head(text, REPLY_TEXT_MAX);
    char *copy = arena_cstr(arena, text);
    for (size_t i = 0; copy != NULL && i < text.n; i++)
        if (copy[i] < ' ' || copy[i] > '~')
            copy[i] = '?';
    return str_span(copy, copy == NULL ? 0 : text.n);
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

enum act_result rule_act(const struct acting *acting, struct verdict *verdict)
{
    struct texts texts = {0};
    enum act_result result = fill_in(acting, &texts);
    if (result != ACT_GO_ON)
        return result;
    if (perform(acting, texts.items) != 0)
        return ACT_FAULT;
    if (acting->rule->decision == DECISION_NONE)
        return ACT_GO_ON;
    return decide(acting,
                  texts.count > 0 ? texts.items[texts.count - 1] : STR(""),
                  verdict);
}
