#include "proxy/session/log_capture.h"

#include "rules/address_list.h"
#include "rules/base/utf8.h"
#include "rules/fact.h"
#include "rules/ruleset.h"

/* Of all fields together, and of the addresses of From. */
#define BYTES_MAX ((size_t)64 * 1024)
#define FROM_MAX 100
#define FROM_SCRATCH ((size_t)1024 * 1024)

static bool is_captured(const struct log_capture *capture, struct str name)
{
    for (size_t i = 0; i < capture->header_count; i++)
        if (str_equals_nocase(capture->headers[i].name, name))
            return true;
    return false;
}

static void take_body(struct log_capture *capture, struct arena *arena,
                      struct captured_header *header, struct str body)
{
    if (header->is_cut)
        return;
    /* The log can hold no other octets without changing them. */
    header->is_cut =
        !utf8_is_valid(body) || capture->bytes + body.n > BYTES_MAX;
    if (header->is_cut)
        return;
    /* Edits replace fields, not their octets: these stay. */
    struct str *grown = arena_grow(arena, header->bodies, header->count,
                                   &header->capacity, sizeof *grown);
    if (grown == NULL) {
        header->is_cut = true;
        return;
    }
    header->bodies = grown;
    header->bodies[header->count++] = body;
    capture->bytes += body.n;
}

static void take_field(struct log_capture *capture, struct arena *arena,
                       struct str name, const struct header_fields *fields)
{
    struct captured_header *grown =
        arena_grow(arena, capture->headers, capture->header_count,
                   &capture->header_capacity, sizeof *grown);
    if (grown == NULL)
        return;
    capture->headers = grown;
    struct captured_header *header = &grown[capture->header_count++];
    *header = (struct captured_header){.name = name};
    for (size_t i = 0; i < fields->count; i++)
        if (str_equals_nocase(fields->items[i].name, name))
            take_body(capture, arena, header, fields->items[i].body);
}

static void take_named(struct log_capture *capture, struct arena *arena,
                       const struct ruleset *rules,
                       const struct header_fields *fields)
{
    for (size_t i = 0; rules != NULL && i < ruleset_fact_count(rules); i++) {
        const struct fact_ref *ref = ruleset_fact(rules, i);
        if (ref->fact == FACT_HEADER && !is_captured(capture, ref->header))
            take_field(capture, arena, ref->header, fields);
    }
}

/* As the rules see them: every reading. */
static void take_from(struct log_capture *capture, struct arena *arena,
                      const struct header_fields *fields)
{
    struct address_list list = {0};
    struct arena scratch;
    arena_init(&scratch, FROM_SCRATCH);
    for (size_t i = 0; i < fields->count; i++)
        if (str_equals_nocase(fields->items[i].name, STR("from")) &&
            address_list_read(&scratch, fields->items[i].body, &list) != 0)
            capture->from_is_cut = true;
    size_t count = list.count < FROM_MAX ? list.count : FROM_MAX;
    capture->from_is_cut = capture->from_is_cut || list.count > FROM_MAX;
    capture->from =
        arena_array(arena, count == 0 ? 1 : count, sizeof *capture->from);
    for (size_t i = 0; capture->from != NULL && i < count; i++) {
        struct str copy = arena_str(arena, list.items[i].address);
        if (copy.p == NULL)
            break;
        capture->from[capture->from_count++] = copy;
    }
    arena_release(&scratch);
}

void log_capture_header(struct log_capture *capture, struct arena *arena,
                        const struct settings *settings,
                        const struct header_fields *fields)
{
    capture->hops = header_fields_hops(fields);
    take_from(capture, arena, fields);
    take_named(capture, arena, settings->rules, fields);
    take_named(capture, arena, settings->shadow, fields);
}
