#include "rules/rule_texts.h"

static enum act_result out_of_memory(const struct acting *acting)
{
    acting->view->fault = "out of memory";
    return ACT_FAULT;
}

static enum act_result add_text(const struct acting *acting,
                                const struct template *template,
                                struct rule_texts *texts)
{
    struct rule_text *text = &texts->items[texts->count++];
    text->items = &text->one;
    text->count = 1;
    switch (template_render(template, acting->view, acting->figures,
                            acting->effects->arena, &text->one)) {
    case TEMPLATE_OK:
        return ACT_GO_ON;
    case TEMPLATE_ABSENT:
        return ACT_NOTHING;
    default:
        return out_of_memory(acting);
    }
}

static enum act_result add_values(const struct acting *acting,
                                  const struct fact_ref *ref,
                                  struct rule_texts *texts)
{
    struct arena *arena = acting->effects->arena;
    struct rule_text *text = &texts->items[texts->count++];
    struct fact_values values;
    if (fact_values_read(&acting->view->reader, ref, &values) != 0)
        return out_of_memory(acting);
    if (!values.is_known)
        return ACT_NOTHING;
    struct str *copies = arena_array(arena, values.count + 1, sizeof *copies);
    if (copies == NULL)
        return out_of_memory(acting);
    for (size_t i = 0; i < values.count; i++) {
        copies[i] = arena_str(arena, values.items[i]);
        if (copies[i].p == NULL)
            return out_of_memory(acting);
    }
    text->items = copies;
    text->count = values.count;
    return ACT_GO_ON;
}

/* Of an action that takes one text or several. */
static enum act_result add_texts(const struct acting *acting,
                                 const struct template *template,
                                 struct rule_texts *texts)
{
    if (template_is_fact(template) && fact_is_list(&template->segments[0].ref))
        return add_values(acting, &template->segments[0].ref, texts);
    return add_text(acting, template, texts);
}

static bool is_filled_by_value(const struct rewrite_action *rewrite)
{
    return rewrite->guard != NULL && rewrite->fact.fact == FACT_HEADER;
}

enum act_result rule_texts_fill(const struct acting *acting,
                                struct rule_texts *out)
{
    const struct rule *rule = acting->rule;
    enum act_result result = ACT_GO_ON;
    size_t most = rule->rewrite_count + rule->header_count + rule->list_count +
                  rule->recipient_count + rule->tag_count + rule->note_count +
                  1;
    out->count = 0;
    out->items =
        arena_array(acting->view->reader.arena, most, sizeof *out->items);
    if (out->items == NULL)
        return out_of_memory(acting);
    for (size_t i = 0; result == ACT_GO_ON && i < rule->rewrite_count; i++) {
        if (is_filled_by_value(&rule->rewrites[i]))
            out->count++;
        else
            result = add_text(acting, &rule->rewrites[i].text, out);
    }
    for (size_t i = 0; result == ACT_GO_ON && i < rule->header_count; i++)
        result = add_text(acting, &rule->headers[i].text, out);
    for (size_t i = 0; result == ACT_GO_ON && i < rule->list_count; i++)
        result = add_texts(acting, &rule->lists[i].text, out);
    for (size_t i = 0; result == ACT_GO_ON && i < rule->recipient_count; i++)
        result = add_texts(acting, &rule->recipients[i].text, out);
    for (size_t i = 0; result == ACT_GO_ON && i < rule->tag_count; i++)
        result = add_texts(acting, &rule->tags[i], out);
    for (size_t i = 0; result == ACT_GO_ON && i < rule->note_count; i++)
        result = add_text(acting, &rule->notes[i], out);
    if (result == ACT_GO_ON && rule->decision > DECISION_ACCEPT)
        result = add_text(acting, &rule->reply.text, out);
    return result;
}
