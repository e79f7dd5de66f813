#include "proxy/smtp/reply_reader.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256
#define CODE_OCTETS 3

void reply_reader_init(struct reply_reader *reader,
                       const struct reply_limits *limits)
{
    *reader = (struct reply_reader){.limits = *limits};
    line_reader_init(&reader->line);
}

void reply_reader_release(struct reply_reader *reader)
{
    line_reader_release(&reader->line);
    free(reader->text);
    reader->text = NULL;
    reader->length = 0;
    reader->capacity = 0;
}

static enum reply_next fail(struct reply_reader *reader, const char *error)
{
    reader->error = error;
    return REPLY_ERROR;
}

static void start_reply(struct reply_reader *reader)
{
    reader->length = 0;
    reader->lines = 0;
    reader->total = 0;
    reader->code = 0;
    reader->enhanced[0] = '\0';
    reader->is_ready = false;
}

static int append(struct reply_reader *reader, struct str text)
{
    size_t need = reader->length + text.n;
    size_t wanted = reader->capacity == 0 ? FIRST_CAPACITY : reader->capacity;
    while (wanted < need)
        wanted *= 2;
    if (wanted > reader->capacity) {
        char *moved = realloc(reader->text, wanted);
        if (moved == NULL)
            return -1;
        reader->text = moved;
        reader->capacity = wanted;
    }
    char *to = reader->text + reader->length;
    for (size_t i = 0; i < text.n; i++)
        to[i] = text.p[i] >= ' ' && text.p[i] <= '~' ? text.p[i] : '?';
    reader->length = need;
    return 0;
}

static int append_line(struct reply_reader *reader, struct str text)
{
    if (reader->lines > 1) {
        if (append(reader, STR(" ")) < 0)
            return -1;
        reader->text[reader->length - 1] = '\n';
    }
    return append(reader, text);
}

/* What stands behind the code and its separator, without an enhanced code.
 * One of the wrong class is cut off too: whoever passes the reply on supplies
 * a right one, and two would be read as one and some text. */
static struct str without_enhanced(struct reply_reader *reader, struct str text)
{
    struct str word;
    struct str rest;
    str_cut(text, ' ', &word, &rest);
    if (reader->lines > 1)
        return str_equals(word, str_from(reader->enhanced)) && word.n > 0
                   ? rest
                   : text;
    if (!enhanced_code_fits(word, 200) && !enhanced_code_fits(word, 400) &&
        !enhanced_code_fits(word, 500))
        return text;
    if (enhanced_code_fits(word, reader->code)) {
        memcpy(reader->enhanced, word.p, word.n);
        reader->enhanced[word.n] = '\0';
    }
    return rest;
}

/* One line of a reply, without CRLF. READY: it was the last. */
static enum reply_next take_line(struct reply_reader *reader, struct str line)
{
    uint64_t code;
    reader->total += line.n + 2;
    if (reader->lines++ == reader->limits.lines)
        return fail(reader, "caps.reply_lines: a reply of too many lines");
    if (reader->total > reader->limits.total)
        return fail(reader, "caps.reply_bytes: a reply that is too long");
    if (line.n < CODE_OCTETS ||
        str_to_u64(str_head(line, CODE_OCTETS), &code) < 0 || code < 200 ||
        code > 599)
        return fail(reader, "a reply without a code");
    if (reader->lines > 1 && (int)code != reader->code)
        return fail(reader, "a reply with two codes");
    reader->code = (int)code;
    char separator = line.n > CODE_OCTETS ? line.p[CODE_OCTETS] : ' ';
    if (separator != ' ' && separator != '-')
        return fail(reader, "a reply without a space behind its code");
    struct str text = str_skip(line, CODE_OCTETS + 1);
    if (append_line(reader, without_enhanced(reader, text)) < 0)
        return REPLY_MEMORY;
    return separator == '-' ? REPLY_MORE : REPLY_READY;
}

static enum reply_next next_line(struct reply_reader *reader, struct str *input,
                                 struct str *line)
{
    switch (line_reader_next(&reader->line, input, reader->limits.line, line)) {
    case LINE_READY:
        return REPLY_READY;
    case LINE_MORE:
        break;
    case LINE_TOO_LONG:
        return fail(reader, "caps.reply_line: a reply line that is too long");
    case LINE_BAD:
        return fail(reader, "a bare CR, a bare LF or a NUL in a reply");
    case LINE_MEMORY:
        return REPLY_MEMORY;
    }
    return REPLY_MORE;
}

enum reply_next reply_reader_next(struct reply_reader *reader,
                                  struct str *input, struct reply *out)
{
    if (reader->error != NULL)
        return REPLY_ERROR;
    if (reader->is_ready)
        start_reply(reader);
    enum reply_next next;
    do {
        struct str line;
        next = next_line(reader, input, &line);
        if (next != REPLY_READY)
            return next;
        next = take_line(reader, line);
    } while (next == REPLY_MORE);
    if (next != REPLY_READY)
        return next;
    reader->is_ready = true;
    *out = (struct reply){
        .code = reader->code,
        .enhanced = str_from(reader->enhanced),
        .text = str_span(reader->text, reader->length),
    };
    return REPLY_READY;
}
