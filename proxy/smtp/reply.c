#include "proxy/smtp/reply.h"

#include <assert.h>
#include <string.h>

#define CODE_OCTETS 3

struct writer {
    char *to;
    size_t room;
    size_t length;
    bool is_full;
};

/* Nothing that a log, a terminal or a reply parser could trip over. */
static void put(struct writer *writer, struct str text)
{
    if (writer->room - writer->length < text.n) {
        writer->is_full = true;
        return;
    }
    char *to = writer->to + writer->length;
    for (size_t i = 0; i < text.n; i++)
        to[i] = text.p[i] >= ' ' && text.p[i] <= '~' ? text.p[i] : '?';
    writer->length += text.n;
}

static void put_crlf(struct writer *writer)
{
    if (writer->room - writer->length < 2) {
        writer->is_full = true;
        return;
    }
    memcpy(writer->to + writer->length, "\r\n", 2);
    writer->length += 2;
}

static void put_line(struct writer *writer, const struct reply *reply,
                     struct str text, bool is_last)
{
    char head[CODE_OCTETS + 1] = {
        (char)('0' + reply->code / 100),
        (char)('0' + reply->code / 10 % 10),
        (char)('0' + reply->code % 10),
        is_last ? ' ' : '-',
    };
    put(writer, str_span(head, sizeof head));
    put(writer, reply->enhanced);
    if (reply->enhanced.n > 0 && text.n > 0)
        put(writer, STR(" "));
    put(writer, text);
    put_crlf(writer);
}

/* How much of `text` goes on one line: up to the last space that fits, or as
 * much as fits when there is none. */
static size_t line_length(struct str text, size_t room)
{
    if (text.n <= room)
        return text.n;
    ptrdiff_t space = str_last_index(str_head(text, room + 1), ' ');
    return space > 0 ? (size_t)space : room;
}

static void put_wrapped(struct writer *writer, const struct reply *reply,
                        struct str text, bool is_last)
{
    /* Code and separator, the enhanced code and its space, CRLF. */
    size_t room =
        REPLY_LINE_MAX - (CODE_OCTETS + 1) - (reply->enhanced.n + 1) - 2;
    for (;;) {
        struct str piece = str_head(text, line_length(text, room));
        text = str_skip(text, piece.n);
        if (text.n > 0 && text.p[0] == ' ')
            text = str_skip(text, 1);
        put_line(writer, reply, piece, is_last && text.n == 0);
        if (text.n == 0)
            return;
    }
}

size_t reply_format(const struct reply *reply, char *to, size_t room)
{
    assert(reply->code >= 200 && reply->code <= 599);
    assert(reply->enhanced.n < 16);
    struct writer writer = {.to = to, .room = room};
    struct str rest = reply->text;
    struct str line;
    bool has_more = true;
    while (has_more && !writer.is_full) {
        has_more = str_cut(rest, '\n', &line, &rest);
        put_wrapped(&writer, reply, line, !has_more);
    }
    return writer.is_full ? 0 : writer.length;
}

static bool is_subcode(struct str digits)
{
    uint64_t value;
    return digits.n <= 3 && str_to_u64(digits, &value) == 0;
}

/* digit "." 1*3digit "." 1*3digit */
static bool has_enhanced_form(struct str text)
{
    struct str class_digit;
    struct str subject;
    struct str detail;
    if (!str_cut(text, '.', &class_digit, &detail) ||
        !str_cut(detail, '.', &subject, &detail))
        return false;
    return class_digit.n == 1 && is_subcode(class_digit) &&
           is_subcode(subject) && is_subcode(detail);
}

bool enhanced_code_fits(struct str enhanced, int code)
{
    if (!has_enhanced_form(enhanced))
        return false;
    int class = enhanced.p[0] - '0';
    return (class == 2 || class == 4 || class == 5) && class == code / 100;
}

/* "553" to 553; -1 when not three digits of 200 … 599. */
static int parse_code(struct str text)
{
    uint64_t code;
    if (text.n != CODE_OCTETS || str_to_u64(text, &code) < 0)
        return -1;
    return code >= 200 && code <= 599 ? (int)code : -1;
}

int reply_parse(struct str line, struct reply *out)
{
    struct str word;
    struct str rest;
    *out = (struct reply){.code = parse_code(str_head(line, CODE_OCTETS))};
    if (out->code < 0)
        return -1;
    if (line.n > CODE_OCTETS && line.p[CODE_OCTETS] != ' ')
        return -1;
    out->text = str_skip(line, CODE_OCTETS + 1);
    str_cut(out->text, ' ', &word, &rest);
    if (!has_enhanced_form(word))
        return 0;
    if (!enhanced_code_fits(word, out->code))
        return -1;
    out->enhanced = word;
    out->text = rest;
    return 0;
}
