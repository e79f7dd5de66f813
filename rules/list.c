#include "rules/list.h"

#include "rules/address.h"
#include "rules/domain_name.h"
#include "rules/regex.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Without a comment, which begins the line or follows a blank, and without
 * what a Windows editor leaves. */
static struct str line_text(struct str line)
{
    for (size_t i = 0; i < line.n; i++) {
        if (line.p[i] == '#' && (i == 0 || is_blank(line.p[i - 1]))) {
            line.n = i;
            break;
        }
    }
    while (line.n > 0 && is_blank(line.p[line.n - 1]))
        line.n--;
    return str_trim(line);
}

/* "key value": the first word and what stands behind it, trimmed. A pattern
 * may hold blanks, so it is one word. */
static void split_entry(struct str text, struct list_entry *out)
{
    size_t n = 0;
    if (regex_is_literal(text))
        n = text.n;
    while (n < text.n && !is_blank(text.p[n]))
        n++;
    out->text = str_head(text, n);
    out->value = str_trim(str_skip(text, n));
}

static bool next_item(struct list_cursor *cursor, struct list_entry *out)
{
    if (cursor->index == cursor->list->item_count)
        return false;
    *out = (struct list_entry){.index = cursor->index};
    split_entry(cursor->list->items[cursor->index++], out);
    return true;
}

bool list_next(struct list_cursor *cursor, struct list_entry *out)
{
    struct str line, rest = str_skip(cursor->list->octets, cursor->at);
    if (cursor->list->octets.n == 0)
        return next_item(cursor, out);
    while (rest.n > 0) {
        str_cut(rest, '\n', &line, &rest);
        cursor->at = cursor->list->octets.n - rest.n;
        cursor->line++;
        line = line_text(line);
        if (line.n == 0)
            continue;
        *out = (struct list_entry){.line = cursor->line};
        split_entry(line, out);
        return true;
    }
    return false;
}

struct str list_value(const struct list *list, struct arena *arena,
                      struct str text)
{
    return list->holds_domains && str_index(text, '@') < 0
               ? domain_canonical(arena, text)
               : address_canonical(arena, text);
}

bool list_map(const struct list *list, struct arena *arena, struct str key,
              struct str *out)
{
    struct str folded = address_canonical(arena, key);
    if (folded.p == NULL)
        return false;
    const struct string_map_slot *slot = string_map_get(&list->values, folded);
    if (slot == NULL)
        return false;
    *out = list->mapped[slot->number - 1];
    return true;
}
