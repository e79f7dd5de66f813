/* Rewrites: the new value is validated as if the client had sent it, and
 * every later rule sees it. Of header addresses only the addresses change:
 * display names, groups and folds stay as they are. */
#include "rules/act.h"
#include "rules/address.h"
#include "rules/address_list.h"
#include "rules/encoded_word.h"

#include <string.h>

#define LINE_MAX_OCTETS 998 /* without CRLF: RFC 5322 2.1.1 */

static int fault(const struct acting *acting, const char *what)
{
    acting->view->fault = what;
    return -1;
}

static int out_of_memory(const struct acting *acting)
{
    return fault(acting, "out of memory");
}

static bool is_mailbox(struct str text)
{
    struct address parsed;
    return address_parse(text, &parsed) == ADDRESS_OK;
}

/* Whether it may stand where a rule puts it: beyond ASCII in mail alone whose
 * client has said that it is prepared for that (RFC 6531 3.6). */
static bool may_be_written(const struct acting *acting, struct str text)
{
    return is_mailbox(text) &&
           (!str_has_8bit(text) ||
            str_equals(facts_text(acting->facts, FACT_MAIL_SMTPUTF8),
                       STR("true")));
}

static int not_an_address(const struct acting *acting)
{
    return fault(acting, "a rewrite made what is no mail address, or one "
                         "beyond ASCII in a mail without SMTPUTF8");
}

static int rewrite_envelope(const struct acting *acting, enum fact fact,
                            struct str text)
{
    bool is_null_path = fact == FACT_MAIL_FROM && text.n == 0;
    if (!is_null_path && !may_be_written(acting, text))
        return not_an_address(acting);
    facts_set_text(acting->facts, fact, text);
    return 0;
}

/* What becomes of one value: the text for all, or by a guard the text filled
 * in with this value's own captures, if a pattern matches it. */
static int new_value(const struct acting *acting,
                     const struct rewrite_action *rewrite, struct str old,
                     struct str text, struct str *out)
{
    struct view *view = acting->view;
    *out = rewrite->guard == NULL ? text : old;
    if (rewrite->guard == NULL)
        return 0;
    struct captures before = view->captures;
    enum truth truth = matcher_matches_pattern(rewrite->guard, view, old);
    enum template_result rc = TEMPLATE_ABSENT;
    if (truth == TRUTH_YES)
        rc = template_render(&rewrite->text, view, acting->figures,
                             acting->effects->arena, out);
    view->captures = before;
    if (truth == TRUTH_FAULT)
        return -1;
    if (rc == TEMPLATE_ABSENT)
        *out = old;
    return rc == TEMPLATE_FULL ? out_of_memory(acting) : 0;
}

/* The field anew with this body, whose folds stand if no line is too long. */
static int set_body(const struct acting *acting, struct header_field *field,
                    struct str body)
{
    struct arena *arena = acting->effects->arena;
    struct header_fields one;
    size_t line = field->name.n + 1, longest = 0;
    for (size_t i = 0; i < body.n; i++) {
        line = body.p[i] == '\n' ? 0 : line + 1;
        longest = line > longest ? line : longest;
    }
    if (longest <= LINE_MAX_OCTETS) {
        struct str raw =
            arena_printf(arena, "%.*s:%.*s\r\n", (int)field->name.n,
                         field->name.p, (int)body.n, body.p);
        if (raw.p == NULL)
            return out_of_memory(acting);
        field->raw = raw;
        field->name = str_head(raw, field->name.n);
        field->body = str_span(raw.p + field->name.n + 1, body.n);
        return 0;
    }
    header_fields_init(&one, arena);
    struct header_edit edit = {HEADER_EDIT_ADD, field->name,
                               header_text_unfold(arena, body)};
    if (edit.value.p == NULL || header_fields_edit(&one, &edit) != 0)
        return fault(acting, "a rewrite made a header line too long");
    *field = one.items[0];
    return 0;
}

/* Text in the arena of the effects that grows. */
struct text {
    struct arena *arena;
    char *p;
    size_t n, capacity;
    bool is_full;
};

static void append(struct text *text, struct str more)
{
    if (text->n + more.n > text->capacity) {
        size_t wanted = (text->n + more.n) * 2 + 64;
        char *moved = arena_alloc(text->arena, wanted);
        if (moved == NULL) {
            text->is_full = true;
            return;
        }
        if (text->n > 0)
            memcpy(moved, text->p, text->n);
        text->p = moved;
        text->capacity = wanted;
    }
    if (more.n > 0)
        memcpy(text->p + text->n, more.p, more.n);
    text->n += more.n;
}

/* A field that readers disagree about is written anew: the new addresses in a
 * row and nothing else. */
static int rewrite_malformed(const struct acting *acting,
                             const struct rewrite_action *rewrite,
                             struct header_field *field,
                             const struct address_list *list, struct str text)
{
    struct text body = {.arena = acting->effects->arena};
    size_t written = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct str value;
        if (!is_mailbox(list->items[i].address))
            continue; /* what says that it is malformed */
        if (new_value(acting, rewrite, list->items[i].address, text, &value) !=
            0)
            return -1;
        if (!may_be_written(acting, value))
            return not_an_address(acting);
        if (written > 0 && rewrite->guard == NULL)
            break;
        append(&body, written++ == 0 ? STR(" ") : STR(",\r\n "));
        append(&body, value);
    }
    if (written == 0 && rewrite->guard == NULL && is_mailbox(text)) {
        append(&body, STR(" "));
        append(&body, text);
        written = 1;
    }
    if (written == 0)
        return not_an_address(acting);
    return body.is_full ? out_of_memory(acting)
                        : set_body(acting, field, str_span(body.p, body.n));
}

static int rewrite_mailboxes(const struct acting *acting,
                             const struct rewrite_action *rewrite,
                             struct header_field *field, struct str text)
{
    struct text body = {.arena = acting->effects->arena};
    struct address_list list = {0};
    size_t copied = 0;
    if (address_list_read(acting->view->reader.arena, field->body, &list) != 0)
        return out_of_memory(acting);
    if (list.is_malformed)
        return rewrite_malformed(acting, rewrite, field, &list, text);
    for (size_t i = 0; i < list.count; i++) {
        const struct mailbox *mailbox = &list.items[i];
        struct str value;
        /* What only a careless reader sees has no place of its own. */
        if (mailbox->end == 0 || mailbox->start < copied)
            continue;
        if (new_value(acting, rewrite, mailbox->address, text, &value) != 0)
            return -1;
        if (!may_be_written(acting, value))
            return not_an_address(acting);
        append(&body,
               str_span(field->body.p + copied, mailbox->start - copied));
        append(&body, value);
        copied = mailbox->end;
    }
    append(&body, str_skip(field->body, copied));
    /* New addresses may turn what stands around them into an encoded word. */
    struct str new_body = str_span(body.p, body.n);
    struct address_list again = {0};
    if (body.is_full ||
        address_list_read(acting->view->reader.arena, new_body, &again) != 0)
        return out_of_memory(acting);
    return again.is_malformed
               ? rewrite_malformed(acting, rewrite, field, &list, text)
               : set_body(acting, field, new_body);
}

static int rewrite_text(const struct acting *acting,
                        const struct rewrite_action *rewrite,
                        struct header_field *field, struct str text)
{
    struct arena *arena = acting->effects->arena;
    struct header_fields one;
    struct str value;
    struct str old =
        header_text_decode(acting->view->reader.arena, field->body);
    if (old.p == NULL)
        return out_of_memory(acting);
    if (new_value(acting, rewrite, old, text, &value) != 0)
        return -1;
    if (str_equals(value, old))
        return 0;
    struct header_edit edit = {HEADER_EDIT_ADD, field->name,
                               encoded_word_encode(arena, value)};
    header_fields_init(&one, arena);
    if (edit.value.p == NULL)
        return out_of_memory(acting);
    if (header_fields_edit(&one, &edit) != 0)
        return fault(acting, "a rewrite made a header field that is not valid");
    *field = one.items[0];
    return 0;
}

static int rewrite_header(const struct acting *acting,
                          const struct rewrite_action *rewrite, struct str text)
{
    struct header_fields *fields = acting->facts->header;
    bool is_addresses = fact_is_address_header(rewrite->fact.header);
    size_t seen = 0;
    for (size_t i = 0; i < fields->count; i++) {
        struct header_field *field = &fields->items[i];
        if (!str_equals_nocase(field->name, rewrite->fact.header))
            continue;
        seen++;
        int rc = is_addresses ? rewrite_mailboxes(acting, rewrite, field, text)
                              : rewrite_text(acting, rewrite, field, text);
        if (rc != 0)
            return rc;
    }
    fact_reader_forget_header(&acting->view->reader);
    /* Only From is known without a field: then it gets one. */
    if (seen > 0 || rewrite->guard != NULL ||
        !str_equals(rewrite->fact.header, STR("from")))
        return 0;
    struct header_edit edit = {HEADER_EDIT_ADD, STR("From"), text};
    if (!may_be_written(acting, text))
        return not_an_address(acting);
    return header_fields_edit(fields, &edit) == 0 ? 0 : out_of_memory(acting);
}

int rewrite_apply(const struct acting *acting,
                  const struct rewrite_action *rewrite, struct str text)
{
    if (rewrite->fact.fact != FACT_HEADER)
        return rewrite_envelope(acting, rewrite->fact.fact, text);
    return rewrite_header(acting, rewrite, text);
}
