#include "config/environment.h"

#include <stdlib.h>

/* The octets of ${NAME} at the start of the text, 0 if there is none. */
static size_t match_reference(struct str text)
{
    if (!str_starts_with(text, STR("${")))
        return 0;
    size_t end = 2;
    while (end < text.n && (ascii_is_alpha(text.p[end]) || text.p[end] == '_' ||
                            (end > 2 && ascii_is_digit(text.p[end]))))
        end++;
    return end > 2 && end < text.n && text.p[end] == '}' ? end + 1 : 0;
}

static void refuse(struct reader *reader, struct node *node, const char *text)
{
    node->is_refused = true;
    diags_error(reader->diags, node->mark, "%s", text);
}

static void insert(struct reader *reader, struct node *node, struct str name)
{
    const char *terminated = arena_cstr(reader->scratch, name);
    const char *value = terminated == NULL ? NULL : getenv(terminated);
    node->is_environment = true;
    if (terminated != NULL && value == NULL) {
        node->is_refused = true;
        diags_error(reader->diags, node->mark,
                    "the environment has no %s: set it, or write the value "
                    "here",
                    terminated);
        return;
    }
    struct str text = {NULL, 0};
    if (value != NULL)
        text = arena_str(reader->scratch, str_from(value));
    if (text.p == NULL) {
        node->is_refused = true;
        reader_full(reader, node->mark);
        return;
    }
    node->text = text;
    node->is_plain = false;
}

static void expand_scalar(struct reader *reader, struct node *node)
{
    size_t length = match_reference(node->text);
    if (length != 0 && length == node->text.n) {
        insert(reader, node, str_span(node->text.p + 2, length - 3));
        return;
    }
    for (size_t i = 0; i < node->text.n && !node->is_refused; i++)
        if (match_reference(str_skip(node->text, i)) != 0)
            refuse(reader, node,
                   "${...} stands for a whole value, not for a part of one");
}

/* An alias leads to one node several times; what came from the environment is
 * not looked at again. The caps of the tree bound depth and count. */
static void expand(struct reader *reader, struct node *node)
{
    if (node->kind == NODE_SCALAR && !node->is_environment)
        expand_scalar(reader, node);
    for (size_t i = 0; i < node->count; i++)
        expand(reader, node->values[i]);
}

void environment_expand(struct reader *reader, struct node *root)
{
    for (size_t i = 0; root->kind == NODE_MAP && i < root->count; i++) {
        struct str key = root->keys[i]->text;
        if (!str_equals(key, STR("policy")) && !str_equals(key, STR("tests")))
            expand(reader, root->values[i]);
    }
}
