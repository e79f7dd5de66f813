/* take_lines() runs over whole lines as long as they can be handed out as
 * they lie; what interrupts such a run (a dot at the start of a line, a CR at
 * the end of the input, a fault) goes through step(), an octet at a time. A
 * fault changes only what is handed out: the states go on over the raw
 * octets, so that the end is found where any strict reader finds it. */
#include "proxy/smtp/content_reader.h"

enum content_state {
    AT_START,  /* of the content, or of a line */
    IN_TEXT,   /* within a line */
    AT_CR,     /* behind a CR within a line: not handed out yet */
    AT_DOT,    /* behind a dot at the start of a line */
    AT_DOT_CR, /* behind such a dot and CR */
    ENDED
};

static const struct str CRLF = STR_INIT("\r\n");
static const struct str NOTHING = STR_INIT("");

void content_reader_init(struct content_reader *reader, uint64_t line_max,
                         bool repairs)
{
    *reader = (struct content_reader){
        .state = AT_START,
        .line_max = line_max,
        .repairs = repairs,
    };
}

void content_reader_chunk(struct content_reader *reader, uint64_t octets)
{
    reader->is_chunked = true;
    reader->chunk_left = octets;
}

static void set_fault(struct content_reader *reader, enum content_fault fault)
{
    if (reader->fault == CONTENT_FAULT_NONE)
        reader->fault = fault;
}

static void count_octet(struct content_reader *reader)
{
    struct line_scan *scan = &reader->scan;
    reader->bytes++;
    scan->line_octets++;
    if (scan->line_octets > scan->longest)
        scan->longest = scan->line_octets;
    if (scan->longest > reader->line_max)
        set_fault(reader, CONTENT_FAULT_LINE);
}

static struct str end_line(struct content_reader *reader)
{
    reader->bytes += 2;
    reader->scan.lines++;
    reader->scan.line_octets = 0;
    reader->state = AT_START;
    reader->is_soft = false;
    return CRLF;
}

/* Instead of a bare CR or LF. */
static struct str repair_line(struct content_reader *reader)
{
    end_line(reader);
    reader->is_soft = true;
    reader->has_repaired = true;
    return CRLF;
}

/* A dot alone on its line, which does not stand as the end of data does. */
static struct str keep_dot(struct content_reader *reader)
{
    count_octet(reader);
    return STR(".");
}

/* How many octets of `in` are content as they lie. */
static size_t take_lines(struct content_reader *reader, struct str in)
{
    if (reader->state == AT_START && in.p[0] == '.' && !reader->is_chunked)
        return 0;
    uint64_t lines = reader->scan.lines;
    size_t n = line_scan(&reader->scan, in, !reader->is_chunked);
    if (n == 0)
        return 0;
    reader->state = reader->scan.line_octets > 0 ? IN_TEXT : AT_START;
    reader->is_soft = reader->is_soft && reader->scan.lines == lines;
    reader->bytes += n;
    if (reader->scan.longest > reader->line_max)
        set_fault(reader, CONTENT_FAULT_LINE);
    return n;
}

/* Behind a CR that no LF followed. */
static struct str bare_cr(struct content_reader *reader)
{
    set_fault(reader, CONTENT_FAULT_BARE_CR);
    reader->state = IN_TEXT;
    count_octet(reader);
    return NOTHING;
}

/* An octet in the midst of a line that take_lines() stopped at. */
static struct str step_text(struct content_reader *reader, char c)
{
    if (c == '\r') {
        reader->state = AT_CR;
        reader->crs = 1;
        return NOTHING;
    }
    if (c == '\n' && reader->repairs)
        return repair_line(reader);
    set_fault(reader, c == '\0' ? CONTENT_FAULT_NUL : CONTENT_FAULT_BARE_LF);
    reader->state = IN_TEXT;
    count_octet(reader);
    return NOTHING;
}

/* Each bare CR is an end of line, but those before the LF of a CRLF. */
static struct str step_cr(struct content_reader *reader, struct str *input)
{
    char c = input->p[0];
    bool is_counted = c == '\r' && reader->repairs;
    if (c == '\n' || is_counted)
        *input = str_skip(*input, 1);
    if (c == '\n') {
        reader->has_repaired = reader->has_repaired || reader->crs > 1;
        return end_line(reader);
    }
    if (!reader->repairs)
        return bare_cr(reader);
    if (is_counted) {
        if (reader->crs++ == reader->line_max)
            set_fault(reader, CONTENT_FAULT_LINE);
        return NOTHING;
    }
    repair_line(reader);
    if (--reader->crs > 0)
        reader->state = AT_CR;
    return CRLF;
}

/* RFC 5321 4.5.2: the dot goes, whatever stands behind it. */
static struct str step_dot(struct content_reader *reader, struct str *input)
{
    char c = input->p[0];
    reader->state = c == '\r' ? AT_DOT_CR : IN_TEXT;
    if (c == '\r')
        *input = str_skip(*input, 1);
    return c == '\n' && reader->repairs ? keep_dot(reader) : NOTHING;
}

static struct str step_dot_cr(struct content_reader *reader, struct str *input)
{
    if (input->p[0] == '\n' && !reader->is_soft) {
        *input = str_skip(*input, 1);
        reader->state = ENDED;
        return NOTHING;
    }
    if (!reader->repairs)
        return bare_cr(reader);
    reader->state = AT_CR; /* which that CR is, behind a dot of the content */
    reader->crs = 1;
    return keep_dot(reader);
}

/* One octet, or a change of state without one. Returns what is handed out in
 * their place. */
static struct str step(struct content_reader *reader, struct str *input)
{
    char c = input->p[0];
    switch ((enum content_state)reader->state) {
    case AT_START:
        *input = str_skip(*input, 1);
        if (c != '.')
            return step_text(reader, c);
        reader->state = AT_DOT;
        break;
    case IN_TEXT:
        *input = str_skip(*input, 1);
        return step_text(reader, c);
    case AT_CR:
        return step_cr(reader, input);
    case AT_DOT:
        return step_dot(reader, input);
    case AT_DOT_CR:
        return step_dot_cr(reader, input);
    case ENDED:
        break;
    }
    return NOTHING;
}

static enum content_next next(struct content_reader *reader, struct str *input,
                              struct str *bytes)
{
    while (reader->state != ENDED && input->n > 0) {
        *bytes = str_head(*input, 0);
        if (reader->state <= IN_TEXT) {
            *bytes = str_head(*input, take_lines(reader, *input));
            *input = str_skip(*input, bytes->n);
        }
        if (bytes->n == 0)
            *bytes = step(reader, input);
        if (bytes->n > 0 && reader->fault == CONTENT_FAULT_NONE)
            return CONTENT_BYTES;
    }
    *bytes = str_head(*input, 0);
    return reader->state == ENDED ? CONTENT_END : CONTENT_MORE;
}

enum content_next content_reader_next(struct content_reader *reader,
                                      struct str *input, struct str *bytes)
{
    if (!reader->is_chunked)
        return next(reader, input, bytes);
    struct str chunk = *input;
    if (chunk.n > reader->chunk_left)
        chunk.n = (size_t)reader->chunk_left;
    size_t before = chunk.n;
    enum content_next result = next(reader, &chunk, bytes);
    *input = str_skip(*input, before - chunk.n);
    reader->chunk_left -= before - chunk.n;
    if (result == CONTENT_MORE && reader->chunk_left == 0)
        return CONTENT_END;
    return result;
}

struct str content_reader_finish(struct content_reader *reader)
{
    struct str end = NOTHING;
    if (reader->state == AT_CR && reader->repairs)
        end = repair_line(reader);
    else if (reader->state == AT_CR)
        bare_cr(reader);
    else if (reader->state == IN_TEXT)
        end = end_line(reader);
    return reader->fault == CONTENT_FAULT_NONE ? end : NOTHING;
}

const char *content_fault_text(enum content_fault fault)
{
    switch (fault) {
    case CONTENT_FAULT_NONE:
        break;
    case CONTENT_FAULT_BARE_CR:
        return "a bare CR";
    case CONTENT_FAULT_BARE_LF:
        return "a bare LF";
    case CONTENT_FAULT_NUL:
        return "a NUL";
    case CONTENT_FAULT_LINE:
        return "a line that is too long";
    }
    return "nothing";
}
