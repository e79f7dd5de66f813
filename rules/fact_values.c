#include "rules/fact_values.h"

#include "rules/address.h"
#include "rules/address_list.h"
#include "rules/base/digits.h"
#include "rules/domain_name.h"
#include "rules/encoded_word.h"

#include <string.h>

static void forget_all(struct fact_reader *reader)
{
    reader->changes = reader->facts->changes;
    reader->losses++;
    reader->kept_count = 0;
    memset(reader->first, 0, sizeof reader->first);
}

void fact_reader_init(struct fact_reader *reader, const struct facts *facts,
                      struct arena *arena)
{
    reader->facts = facts;
    reader->arena = arena;
    reader->losses = 0;
    forget_all(reader);
}

void fact_reader_forget_header(struct fact_reader *reader)
{
    forget_all(reader);
}

uint64_t fact_reader_losses(struct fact_reader *reader)
{
    if (reader->changes != reader->facts->changes)
        forget_all(reader);
    return reader->losses;
}

bool fact_ref_equals(const struct fact_ref *a, const struct fact_ref *b)
{
    return a->fact == b->fact && a->part == b->part &&
           str_equals_nocase(a->header, b->header);
}

static bool is_from(const struct fact_ref *ref)
{
    return str_equals_nocase(ref->header, STR("from"));
}

static bool has_field(const struct header_fields *fields, struct str name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (str_equals_nocase(fields->items[i].name, name))
            return true;
    return false;
}

static bool is_of_header(enum fact fact)
{
    return fact == FACT_HEADERS_COUNT || fact == FACT_HEADERS_BYTES ||
           fact == FACT_HEADERS_HOPS;
}

bool fact_is_known(const struct facts *facts, const struct fact_ref *ref)
{
    if (ref->fact == FACT_HEADER)
        return facts->header != NULL &&
               (is_from(ref) || has_field(facts->header, ref->header));
    return facts_know(facts, ref->fact) ||
           (is_of_header(ref->fact) && facts->header != NULL);
}

struct str address_part(struct arena *arena, struct str address,
                        enum fact_part part)
{
    struct address parsed;
    if (part != FACT_PART_LOCAL && part != FACT_PART_DOMAIN)
        return address;
    enum address_error error = address_parse(address, &parsed);
    if (error != ADDRESS_OK && error != ADDRESS_UNQUALIFIED)
        return address;
    if (part == FACT_PART_DOMAIN)
        return error != ADDRESS_OK ? STR("")
               : str_has_8bit(parsed.domain)
                   ? domain_canonical(arena, parsed.domain)
                   : parsed.domain;
    if (parsed.local.p[0] != '"' || error != ADDRESS_OK)
        return parsed.local;
    /* "bob"@example.com is bob@example.com. */
    struct str canonical = address_canonical(arena, address);
    if (canonical.p == NULL || address_parse(canonical, &parsed) != ADDRESS_OK)
        return canonical;
    return parsed.local;
}

/* Entries of auth.addresses may be globs, which no parser takes. */
static struct str glob_part(struct str glob, enum fact_part part)
{
    ptrdiff_t at = str_last_index(glob, '@');
    if (at < 0)
        return glob;
    return part == FACT_PART_LOCAL ? str_head(glob, (size_t)at)
                                   : str_skip(glob, (size_t)at + 1);
}

static int read_parts(struct fact_reader *reader, const struct fact_ref *ref,
                      struct fact_values *out)
{
    struct str *parts =
        arena_array(reader->arena, out->count + 1, sizeof *parts);
    if (parts == NULL)
        return -1;
    for (size_t i = 0; i < out->count; i++) {
        parts[i] = ref->fact == FACT_AUTH_ADDRESSES
                       ? glob_part(out->items[i], ref->part)
                       : address_part(reader->arena, out->items[i], ref->part);
        if (parts[i].p == NULL && out->items[i].n > 0)
            return -1;
    }
    out->items = parts;
    return 0;
}

static int read_number(struct fact_reader *reader, uint64_t number,
                       struct fact_values *out)
{
    struct {
        struct str text;
        char digits[DIGITS_MAX];
    } *room = arena_alloc(reader->arena, sizeof *room);
    if (room == NULL)
        return -1;
    room->text = str_span(room->digits, digits_write(room->digits, number, 1));
    out->number = number;
    out->items = &room->text;
    out->count = 1;
    return 0;
}

static uint64_t number_of(const struct facts *facts, enum fact fact)
{
    if (facts_know(facts, fact))
        return facts->values[fact].number;
    switch (fact) {
    case FACT_HEADERS_COUNT:
        return facts->header->count;
    case FACT_HEADERS_BYTES:
        return header_fields_bytes(facts->header);
    default:
        return header_fields_hops(facts->header);
    }
}

/* A From field without an address is as good as none: to those who read that
 * one of several, the message has no author. */
static int read_field(struct fact_reader *reader, const struct fact_ref *ref,
                      struct str body, struct address_list *list)
{
    size_t before = list->count;
    if (address_list_read(reader->arena, body, list) != 0)
        return -1;
    if (list->count > before || !is_from(ref))
        return 0;
    struct mailbox *items = arena_grow(reader->arena, list->items, list->count,
                                       &list->capacity, sizeof *items);
    if (items == NULL)
        return -1;
    list->items = items;
    items[list->count++] =
        (struct mailbox){.address = STR(""), .name = STR("")};
    return 0;
}

/* Every reading of every field of that name. No From is one empty value. */
static int read_addresses(struct fact_reader *reader,
                          const struct fact_ref *ref, struct fact_values *out)
{
    const struct header_fields *fields = reader->facts->header;
    struct address_list list = {0};
    for (size_t i = 0; i < fields->count; i++)
        if (str_equals_nocase(fields->items[i].name, ref->header) &&
            read_field(reader, ref, fields->items[i].body, &list) != 0)
            return -1;
    struct str *items =
        arena_array(reader->arena, list.count + 1, sizeof *items);
    if (items == NULL)
        return -1;
    for (size_t i = 0; i < list.count; i++)
        items[i] = ref->part == FACT_PART_NAME ? list.items[i].name
                                               : list.items[i].address;
    out->items = items;
    out->count = list.count;
    if (list.count == 0 && is_from(ref)) {
        items[0] = STR("");
        out->count = 1;
    }
    if (ref->part == FACT_PART_LOCAL || ref->part == FACT_PART_DOMAIN)
        return read_parts(reader, ref, out);
    return 0;
}

static int read_texts(struct fact_reader *reader, const struct fact_ref *ref,
                      struct fact_values *out)
{
    const struct header_fields *fields = reader->facts->header;
    struct str *items =
        arena_array(reader->arena, fields->count + 1, sizeof *items);
    if (items == NULL)
        return -1;
    for (size_t i = 0; i < fields->count; i++) {
        if (!str_equals_nocase(fields->items[i].name, ref->header))
            continue;
        struct str text =
            header_text_decode(reader->arena, fields->items[i].body);
        if (text.p == NULL)
            return -1;
        items[out->count++] = text;
    }
    out->items = items;
    return 0;
}

static int read_values(struct fact_reader *reader, const struct fact_ref *ref,
                       struct fact_values *out)
{
    *out = (struct fact_values){.is_known = true};
    if (ref->fact == FACT_HEADER)
        return fact_is_address_header(ref->header)
                   ? read_addresses(reader, ref, out)
                   : read_texts(reader, ref, out);
    if (fact_type(ref) == FACT_TYPE_NUMBER)
        return read_number(reader, number_of(reader->facts, ref->fact), out);
    const struct fact_value *value = &reader->facts->values[ref->fact];
    out->items = value->items;
    out->count = value->count;
    return ref->part == FACT_PART_ALL ? 0 : read_parts(reader, ref, out);
}

/* Most texts: in lower case, in ASCII, with no quotes that an address could do
 * without. */
static bool is_canonical(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x80 || c == '"' || (c >= 'A' && c <= 'Z'))
            return false;
    }
    return text.n > 0;
}

struct str fact_canonical(struct arena *arena, const struct fact_ref *ref,
                          struct str text)
{
    if (is_canonical(text))
        return text;
    if (ref->part == FACT_PART_LOCAL)
        return address_local_canonical(arena, text);
    /* A certificate's names may be addresses. */
    return fact_is_domain(ref) && str_index(text, '@') < 0
               ? domain_canonical(arena, text)
               : address_canonical(arena, text);
}

static int read_canonical(struct fact_reader *reader,
                          const struct fact_ref *ref, struct fact_values *out)
{
    struct str *items =
        arena_array(reader->arena, out->count + 1, sizeof *items);
    if (items == NULL)
        return -1;
    for (size_t i = 0; i < out->count; i++) {
        items[i] = fact_canonical(reader->arena, ref, out->items[i]);
        if (items[i].p == NULL)
            return -1;
    }
    out->canonical = items;
    return 0;
}

static const struct fact_values *find_kept(const struct fact_reader *reader,
                                           const struct fact_ref *ref)
{
    for (uint8_t i = reader->first[ref->fact]; i > 0;
         i = reader->kept[i - 1].next)
        if (fact_ref_equals(&reader->kept[i - 1].ref, ref))
            return &reader->kept[i - 1].values;
    return NULL;
}

static void keep(struct fact_reader *reader, const struct fact_ref *ref,
                 const struct fact_values *values)
{
    if (reader->kept_count == FACT_READER_KEEPS)
        return;
    reader->kept[reader->kept_count++] = (struct kept_fact){
        .ref = *ref, .values = *values, .next = reader->first[ref->fact]};
    reader->first[ref->fact] = reader->kept_count;
}

int fact_values_read(struct fact_reader *reader, const struct fact_ref *ref,
                     struct fact_values *out)
{
    *out = (struct fact_values){0};
    if (!fact_is_known(reader->facts, ref))
        return 0;
    (void)fact_reader_losses(reader);
    const struct fact_values *kept = find_kept(reader, ref);
    if (kept != NULL) {
        *out = *kept;
        return 0;
    }
    if (read_values(reader, ref, out) != 0 ||
        read_canonical(reader, ref, out) != 0)
        return -1;
    keep(reader, ref, out);
    return 0;
}

bool fact_values_number(const struct facts *facts, enum fact fact,
                        uint64_t *out)
{
    struct fact_ref ref = {.fact = fact};
    if (!fact_is_known(facts, &ref))
        return false;
    *out = number_of(facts, fact);
    return true;
}
