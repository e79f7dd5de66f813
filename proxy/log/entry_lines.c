#include "proxy/log/entry_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "proxy/log/entry_view.h"

struct entry_lines {
    bool is_coloured;
    char *text; /* of the last call */
    size_t length;
};

struct entry_lines *entry_lines_new(bool is_coloured)
{
    struct entry_lines *shown = calloc(1, sizeof *shown);
    if (shown != NULL)
        shown->is_coloured = is_coloured;
    return shown;
}

static void show_line(const struct entry_lines *shown, FILE *to,
                      struct str line)
{
    json_error_t error;
    json_t *entry = json_loadb(line.p, line.n, 0, &error);
    if (json_is_object(entry))
        entry_view_print(to, entry, shown->is_coloured);
    else
        fwrite(line.p, 1, line.n, to);
    json_decref(entry);
}

static void show_lines(const struct entry_lines *shown, FILE *to,
                       struct str lines)
{
    while (lines.n > 0) {
        const char *end = memchr(lines.p, '\n', lines.n);
        size_t length = end == NULL ? lines.n : (size_t)(end + 1 - lines.p);
        show_line(shown, to, str_head(lines, length));
        lines = str_skip(lines, length);
    }
}

struct str entry_lines_shown(struct entry_lines *shown, struct str lines)
{
    free(shown->text);
    shown->text = NULL;
    FILE *to = open_memstream(&shown->text, &shown->length);
    if (to == NULL)
        return (struct str){NULL, 0};
    show_lines(shown, to, lines);
    bool is_whole = ferror(to) == 0;
    if (fclose(to) != 0 || !is_whole || shown->text == NULL)
        return (struct str){NULL, 0};
    return str_span(shown->text, shown->length);
}

void entry_lines_free(struct entry_lines *shown)
{
    if (shown == NULL)
        return;
    free(shown->text);
    free(shown);
}
