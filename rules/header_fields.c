#include "rules/header_fields.h"

#include "rules/glob.h"

#include <string.h>

#define LINE_MAX_OCTETS 998 /* without CRLF: RFC 5322 2.1.1 */

void header_fields_init(struct header_fields *fields, struct arena *arena)
{
    *fields = (struct header_fields){.arena = arena};
}

int header_fields_append(struct header_fields *fields,
                         const struct header_field *field)
{
    struct header_field *items =
        arena_grow(fields->arena, fields->items, fields->count,
                   &fields->capacity, sizeof *items);
    if (items == NULL)
        return -1;
    fields->items = items;
    items[fields->count++] = *field;
    return 0;
}

/* Printable ASCII without the colon (RFC 5322 3.6.8). */
static bool is_field_name(struct str name)
{
    if (name.n == 0 || name.n > LINE_MAX_OCTETS)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] < '!' || name.p[i] > '~' || name.p[i] == ':')
            return false;
    return true;
}

static bool is_field_value(struct str value)
{
    return str_index(value, '\r') < 0 && str_index(value, '\n') < 0 &&
           str_index(value, '\0') < 0;
}

static void remove_fields(struct header_fields *fields, struct str name,
                          bool is_glob)
{
    size_t kept = 0;
    for (size_t i = 0; i < fields->count; i++) {
        struct str candidate = fields->items[i].name;
        if (is_glob ? glob_matches(name, candidate)
                    : str_equals_nocase(name, candidate))
            continue;
        fields->items[kept++] = fields->items[i];
    }
    fields->count = kept;
}

static bool has_field(const struct header_fields *fields, struct str name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (str_equals_nocase(name, fields->items[i].name))
            return true;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* How much of `value` goes on a line with `room` octets left: all, or up to
 * the last run of white space that begins within it. Folding only where a run
 * begins never makes a line of white space alone, which some readers take for
 * the end of the header. 0: there is no such place. */
static size_t line_length(struct str value, size_t room)
{
    if (value.n <= room)
        return value.n;
    for (size_t i = room; i > 0; i--)
        if (is_blank(value.p[i]) && !is_blank(value.p[i - 1]))
            return i;
    return 0;
}

/* The folded value into `to`, or only counted when `to` is NULL. Returns the
 * octets, or SIZE_MAX when a word is too long for a line. */
static size_t fold(struct str value, size_t taken, char *to)
{
    size_t total = 0;
    while (value.n > 0) {
        size_t n = line_length(value, LINE_MAX_OCTETS - taken);
        if (n == 0)
            return SIZE_MAX;
        if (to != NULL)
            memcpy(to + total, value.p, n);
        total += n;
        value = str_skip(value, n);
        taken = 0;
        if (value.n == 0)
            break;
        if (to != NULL)
            memcpy(to + total, "\r\n", 2);
        total += 2;
    }
    return total;
}

/* "Name: value CRLF" in the arena. */
static int build(struct arena *arena, struct str name, struct str value,
                 struct header_field *out)
{
    value = str_trim(value);
    size_t head = name.n + 2;
    size_t folded = SIZE_MAX;
    if (head < LINE_MAX_OCTETS)
        folded = fold(value, head, NULL);
    if (folded == SIZE_MAX)
        return -2;
    char *raw = arena_alloc(arena, head + folded + 2);
    if (raw == NULL)
        return -1;
    memcpy(raw, name.p, name.n);
    memcpy(raw + name.n, ": ", 2);
    fold(value, head, raw + head);
    memcpy(raw + head + folded, "\r\n", 2);
    *out = (struct header_field){
        .name = str_span(raw, name.n),
        .body = str_span(raw + name.n + 1, 1 + folded),
        .raw = str_span(raw, head + folded + 2),
    };
    return 0;
}

int header_fields_edit(struct header_fields *fields,
                       const struct header_edit *edit)
{
    struct header_field field;
    if (!is_field_name(edit->name))
        return -2;
    if (edit->kind == HEADER_EDIT_REMOVE) {
        remove_fields(fields, edit->name, true);
        return 0;
    }
    if (!is_field_value(edit->value))
        return -2;
    if (edit->kind == HEADER_EDIT_ADD_MISSING && has_field(fields, edit->name))
        return 0;
    int built = build(fields->arena, edit->name, edit->value, &field);
    if (built < 0)
        return built;
    if (edit->kind == HEADER_EDIT_SET)
        remove_fields(fields, edit->name, false);
    return header_fields_append(fields, &field);
}

size_t header_fields_bytes(const struct header_fields *fields)
{
    size_t bytes = 0;
    for (size_t i = 0; i < fields->count; i++)
        bytes += fields->items[i].raw.n;
    return bytes;
}

size_t header_fields_hops(const struct header_fields *fields)
{
    size_t hops = 0;
    for (size_t i = 0; i < fields->count; i++)
        hops += str_equals_nocase(fields->items[i].name, STR("Received"));
    return hops;
}
