#include "config/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 512
#define ARENA_CAP (256 * 1024)

void diags_init(struct diags *diags)
{
    *diags = (struct diags){0};
    arena_init(&diags->arena, ARENA_CAP);
}

void diags_release(struct diags *diags)
{
    arena_release(&diags->arena);
    *diags = (struct diags){0};
}

/* The octets of the UTF-8 sequence that begins here; 0 if none does. What is
 * too long or a surrogate is left to whoever reads the text. */
static size_t sequence_length(const char *p)
{
    unsigned char lead = (unsigned char)*p;
    size_t length = lead < 0x80   ? 1
                    : lead < 0xc2 ? 0
                    : lead < 0xe0 ? 2
                    : lead < 0xf0 ? 3
                    : lead < 0xf5 ? 4
                                  : 0;
    for (size_t i = 1; i < length; i++)
        if (((unsigned char)p[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* What stands in a file may not drive the terminal that shows it, and a text
 * that was cut inside a character is still UTF-8. */
static void disarm(char *text)
{
    for (char *p = text; *p != '\0';) {
        size_t length = sequence_length(p);
        if (length == 0 || (unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
        p += length == 0 ? 1 : length;
    }
}

/* The place for one more: a free one, or that of the last warning if an error
 * needs it. NULL: neither. */
static struct diag *find_place(struct diags *diags, enum diag_level level)
{
    if (diags->count < DIAG_MAX)
        return &diags->items[diags->count++];
    diags->dropped++;
    for (size_t i = DIAG_MAX; level == DIAG_ERROR && i-- > 0;) {
        if (diags->items[i].level != DIAG_WARNING)
            continue;
        memmove(&diags->items[i], &diags->items[i + 1],
                (DIAG_MAX - 1 - i) * sizeof *diags->items);
        return &diags->items[DIAG_MAX - 1];
    }
    return NULL;
}

static const char *keep_text(struct diags *diags, const char *text)
{
    const char *kept = arena_cstr(&diags->arena, str_from(text));
    return kept == NULL ? "(no room for the text)" : kept;
}

/* Many messages are of one file, so its name is kept once. */
static const char *keep_file(struct diags *diags, const char *file)
{
    for (size_t i = 0; i < diags->count; i++) {
        const char *known = diags->items[i].mark.file;
        if (known != NULL && strcmp(known, file) == 0)
            return known;
    }
    return keep_text(diags, file);
}

__attribute__((format(printf, 4, 0))) static void
add(struct diags *diags, enum diag_level level, struct mark mark,
    const char *format, va_list args)
{
    if (level == DIAG_ERROR)
        diags->errors++;
    char text[TEXT_MAX];
    int length = vsnprintf(text, sizeof text, format, args);
    if (length < 0)
        text[0] = '\0';
    if ((size_t)length >= sizeof text)
        memcpy(text + sizeof text - 4, "...", 4);
    disarm(text);
    if (mark.file != NULL)
        mark.file = keep_file(diags, mark.file);
    struct diag made = {level, mark, keep_text(diags, text)};
    struct diag *place = find_place(diags, level);
    if (place != NULL)
        *place = made;
}

void diags_error(struct diags *diags, struct mark mark, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(diags, DIAG_ERROR, mark, format, args);
    va_end(args);
}

void diags_warn(struct diags *diags, struct mark mark, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(diags, DIAG_WARNING, mark, format, args);
    va_end(args);
}

static int compare_files(const struct diag *a, const struct diag *b,
                         const char *first)
{
    const char *left = a->mark.file == NULL ? "" : a->mark.file;
    const char *right = b->mark.file == NULL ? "" : b->mark.file;
    int order = strcmp(left, right);
    if (order == 0)
        return 0;
    if (strcmp(left, first) == 0)
        return -1;
    return strcmp(right, first) == 0 ? 1 : order;
}

static bool is_before(const struct diag *a, const struct diag *b,
                      const char *first)
{
    int order = compare_files(a, b, first);
    if (order != 0)
        return order < 0;
    if (a->mark.line != b->mark.line)
        return a->mark.line < b->mark.line;
    return a->mark.column < b->mark.column;
}

void diags_sort(struct diags *diags, const char *first)
{
    for (size_t i = 1; i < diags->count; i++) {
        struct diag moving = diags->items[i];
        size_t at = i;
        for (; at > 0 && is_before(&moving, &diags->items[at - 1], first); at--)
            diags->items[at] = diags->items[at - 1];
        diags->items[at] = moving;
    }
}

void diags_print(const struct diags *diags, FILE *to)
{
    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->items[i];
        if (diag->mark.file != NULL && diag->mark.line > 0)
            fprintf(to, "%s:%zu:%zu: ", diag->mark.file, diag->mark.line,
                    diag->mark.column);
        else if (diag->mark.file != NULL)
            fprintf(to, "%s: ", diag->mark.file);
        fprintf(to, "%s: %s\n", diag->level == DIAG_ERROR ? "error" : "warning",
                diag->text);
    }
    if (diags->dropped > 0)
        fprintf(to, "%zu more not shown: mend these first\n", diags->dropped);
}
