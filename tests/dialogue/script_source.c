#include "tests/dialogue/script_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX_OCTETS (256 * 1024)
#define REPEAT_MAX 2000

static struct str read_file(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "r");
    char *octets = file ? arena_alloc(arena, FILE_MAX_OCTETS) : NULL;
    size_t n = octets ? fread(octets, 1, FILE_MAX_OCTETS, file) : 0;
    if (file)
        fclose(file);
    return str_span(octets, n);
}

struct str source_beside(struct arena *arena, const char *from, struct str name,
                         const char **path)
{
    ptrdiff_t slash = str_last_index(str_from(from), '/');
    *path = arena_printf(arena, "%.*s%.*s", (int)(slash + 1), from, (int)name.n,
                         name.p)
                .p;
    return read_file(arena, *path);
}

static int fail(const struct source_line *line, const char *text)
{
    fprintf(stderr, "%s:%zu: %s: %.*s\n", line->file, line->number, text,
            (int)line->text.n, line->text.p);
    return -1;
}

static void add(struct source *source, struct source_line line)
{
    source->lines = arena_grow(source->arena, source->lines, source->count,
                               &source->capacity, sizeof line);
    if (!source->lines)
        abort();
    source->lines[source->count++] = line;
}

/* The line with every {n} as a number. */
static struct str numbered(struct arena *arena, struct str text, size_t n)
{
    struct str done = STR("");
    for (;;) {
        const char *at = text.n ? memmem(text.p, text.n, "{n}", 3) : NULL;
        if (!at)
            return arena_printf(arena, "%.*s%.*s", (int)done.n, done.p,
                                (int)text.n, text.p);
        done = arena_printf(arena, "%.*s%.*s%zu", (int)done.n, done.p,
                            (int)(at - text.p), text.p, n);
        text = str_skip(text, (size_t)(at - text.p) + 3);
    }
}

static int add_lines(struct source *source, const struct source_line *lines,
                     size_t count, size_t n);

static int add_include(struct source *source, const struct source_line *line,
                       struct str name)
{
    const char *path;
    struct str octets =
        source_beside(source->arena, line->file, str_trim(name), &path);
    return octets.p ? source_read(source, path) : fail(line, "not found");
}

/* From a `repeat: N` to its `end`; *i is moved onto the latter. */
static int add_repeat(struct source *source, const struct source_line *lines,
                      size_t count, size_t *i, struct str times)
{
    const struct source_line *head = &lines[*i];
    size_t first = *i + 1, depth = 1;
    uint64_t n;
    if (str_to_u64(str_trim(times), &n) || n > REPEAT_MAX)
        return fail(head, "repeat wants a number");
    while (depth && ++*i < count) {
        depth += str_starts_with(lines[*i].text, STR("repeat:"));
        depth -= str_equals(str_trim(lines[*i].text), STR("end"));
    }
    if (depth)
        return fail(head, "repeat without end");
    for (size_t k = 1; k <= n; k++)
        if (add_lines(source, lines + first, *i - first, k))
            return -1;
    return 0;
}

static int add_lines(struct source *source, const struct source_line *lines,
                     size_t count, size_t n)
{
    struct str head, tail;
    for (size_t i = 0; i < count; i++) {
        struct source_line line = lines[i];
        if (n)
            line.text = numbered(source->arena, line.text, n);
        str_cut(line.text, ':', &head, &tail);
        int failed = 0;
        if (str_equals(head, STR("include")))
            failed = add_include(source, &line, tail);
        else if (str_equals(head, STR("repeat")))
            failed = add_repeat(source, lines, count, &i, tail);
        else
            add(source, line);
        if (failed)
            return -1;
    }
    return 0;
}

int source_read(struct source *source, const char *path)
{
    struct source raw = {.arena = source->arena};
    struct str text = read_file(source->arena, path), head;
    if (!text.p) {
        fprintf(stderr, "%s: can't be read\n", path);
        return -1;
    }
    for (size_t number = 1; text.n; number++) {
        str_cut(text, '\n', &head, &text);
        add(&raw, (struct source_line){path, number, head});
    }
    return add_lines(source, raw.lines, raw.count, 0);
}
