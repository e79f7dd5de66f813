/* take_lines() runs over whole lines as long as they can be handed out as
 * they lie; what interrupts such a run (a dot at the start of a line, a CR at
 * the end of the input, a fault) goes through step(), an octet at a time. A
 * fault changes only what is handed out: the states go on over the raw
 * octets, so that the end is found where any strict reader finds it. */
#include "proxy/smtp/dot_reader.h"

#include "proxy/smtp/plain_run.h"

enum dot_state {
    DOT_LINE_START, /* at the start, or behind CRLF */
    DOT_TEXT,       /* within a line */
    DOT_CR,         /* behind a CR within a line: not handed out yet */
    DOT_DOT,        /* behind a dot at the start of a line */
    DOT_DOT_CR,     /* behind such a dot and CR */
    DOT_ENDED
};

static const char CRLF[] = "\r\n";

void dot_reader_init(struct dot_reader *reader, uint64_t line_max)
{
    *reader = (struct dot_reader){
        .state = DOT_LINE_START,
        .line_max = line_max,
    };
}

static void set_fault(struct dot_reader *reader, enum dot_fault fault)
{
    if (reader->fault == DOT_FAULT_NONE)
        reader->fault = fault;
}

static void count_octets(struct dot_reader *reader, uint64_t octets)
{
    reader->bytes += octets;
    reader->line_octets += octets;
    if (reader->line_octets > reader->longest_line)
        reader->longest_line = reader->line_octets;
    if (reader->line_octets > reader->line_max)
        set_fault(reader, DOT_FAULT_LINE);
}

static void end_line(struct dot_reader *reader)
{
    reader->bytes += 2;
    reader->lines++;
    reader->line_octets = 0;
    reader->state = DOT_LINE_START;
}

/* How many octets of `in` are content as they lie. */
static size_t take_lines(struct dot_reader *reader, struct str in)
{
    size_t at = 0;
    while (at < in.n) {
        if (reader->state == DOT_LINE_START && in.p[at] == '.')
            break;
        size_t n = plain_run(str_skip(in, at), &reader->has_8bit);
        if (n > 0) {
            reader->state = DOT_TEXT;
            count_octets(reader, n);
            at += n;
        }
        if (in.n - at < 2 || in.p[at] != '\r' || in.p[at + 1] != '\n')
            break;
        end_line(reader);
        at += 2;
    }
    return at;
}

/* Behind a CR that no LF followed. */
static void bare_cr(struct dot_reader *reader)
{
    set_fault(reader, DOT_FAULT_BARE_CR);
    reader->state = DOT_TEXT;
    count_octets(reader, 1);
}

/* An octet in the midst of a line that take_lines() stopped at. */
static void step_text(struct dot_reader *reader, char c)
{
    if (c == '\r') {
        reader->state = DOT_CR;
        return;
    }
    set_fault(reader, c == '\0' ? DOT_FAULT_NUL : DOT_FAULT_BARE_LF);
    reader->state = DOT_TEXT;
    count_octets(reader, 1);
}

/* One octet, or a change of state without one. Returns whether a CRLF that
 * began in an earlier input is complete. */
static bool step(struct dot_reader *reader, struct str *input)
{
    char c = input->p[0];
    switch ((enum dot_state)reader->state) {
    case DOT_LINE_START:
        if (c != '.')
            step_text(reader, c);
        else
            reader->state = DOT_DOT;
        break;
    case DOT_TEXT:
        step_text(reader, c);
        break;
    case DOT_CR:
        if (c != '\n') {
            bare_cr(reader);
            return false;
        }
        end_line(reader);
        *input = str_skip(*input, 1);
        return true;
    case DOT_DOT:
        /* RFC 5321 4.5.2: the dot goes, whatever stands behind it. */
        reader->state = c == '\r' ? DOT_DOT_CR : DOT_TEXT;
        if (c != '\r')
            return false;
        break;
    case DOT_DOT_CR:
        if (c != '\n') {
            bare_cr(reader);
            return false;
        }
        reader->state = DOT_ENDED;
        break;
    case DOT_ENDED:
        return false;
    }
    *input = str_skip(*input, 1);
    return false;
}

enum dot_next dot_reader_next(struct dot_reader *reader, struct str *input,
                              struct str *bytes)
{
    while (reader->state != DOT_ENDED && input->n > 0) {
        *bytes = str_head(*input, 0);
        if (reader->state <= DOT_TEXT) {
            *bytes = str_head(*input, take_lines(reader, *input));
            *input = str_skip(*input, bytes->n);
        }
        if (bytes->n == 0 && step(reader, input))
            *bytes = STR(CRLF);
        if (bytes->n > 0 && reader->fault == DOT_FAULT_NONE)
            return DOT_BYTES;
    }
    *bytes = str_head(*input, 0);
    return reader->state == DOT_ENDED ? DOT_END : DOT_MORE;
}

const char *dot_fault_text(enum dot_fault fault)
{
    switch (fault) {
    case DOT_FAULT_NONE:
        break;
    case DOT_FAULT_BARE_CR:
        return "a bare CR";
    case DOT_FAULT_BARE_LF:
        return "a bare LF";
    case DOT_FAULT_NUL:
        return "a NUL";
    case DOT_FAULT_LINE:
        return "a line that is too long";
    }
    return "nothing";
}
