#include "proxy/explain/message_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What is read at most beyond the cap, so that a rule can still say more of
 * a message that is too large. */
#define BYTES_MAX ((uint64_t)4 * 1024 * 1024 * 1024)

struct reading {
    struct message_file *message;
    bool is_body;
    uint64_t line; /* octets of the line under way */
    bool has_cr;   /* the octet before was one */
    const char *fault;
    char held[4096];
    size_t held_count;
};

static void feed(struct reading *reading, struct str bytes)
{
    struct header_reader *header = &reading->message->header;
    if (reading->is_body || reading->fault != NULL)
        return;
    switch (header_reader_feed(header, &bytes)) {
    case HEADER_MORE:
        break;
    case HEADER_DONE:
        reading->is_body = true;
        break;
    case HEADER_TOO_LARGE:
        reading->fault = "its header is over caps.header_bytes";
        break;
    case HEADER_TOO_MANY:
        reading->fault = "it has more fields than caps.header_fields";
        break;
    case HEADER_MEMORY:
        reading->fault = "out of memory";
        break;
    }
}

static void flush(struct reading *reading)
{
    feed(reading, str_span(reading->held, reading->held_count));
    reading->held_count = 0;
}

static void take(struct reading *reading, char octet)
{
    if (reading->held_count == sizeof reading->held)
        flush(reading);
    reading->held[reading->held_count++] = octet;
    reading->message->bytes++;
}

static void take_text(struct reading *reading, char octet)
{
    struct message_file *message = reading->message;
    take(reading, octet);
    reading->line++;
    if (reading->line > message->longest_line)
        message->longest_line = reading->line;
}

static void end_line(struct reading *reading)
{
    take(reading, '\r');
    take(reading, '\n');
    reading->message->lines++;
    reading->line = 0;
}

/* LF, CRLF and a CR alone each end a line. */
static void step(struct reading *reading, char octet)
{
    bool is_lf_of_crlf = octet == '\n' && reading->has_cr;
    reading->has_cr = octet == '\r';
    if (is_lf_of_crlf)
        return;
    if (octet == '\n' || octet == '\r')
        end_line(reading);
    else
        take_text(reading, octet);
}

static void end(struct reading *reading)
{
    if (reading->line > 0)
        end_line(reading);
    flush(reading);
    if (reading->is_body || reading->fault != NULL)
        return;
    if (header_reader_end(&reading->message->header) != HEADER_DONE)
        reading->fault = "its header can't be read";
}

static void read_all(struct reading *reading, FILE *from)
{
    char octets[16384];
    size_t got;
    while (reading->fault == NULL &&
           (got = fread(octets, 1, sizeof octets, from)) > 0) {
        for (size_t i = 0; i < got; i++)
            step(reading, octets[i]);
        if (reading->message->bytes > BYTES_MAX)
            reading->fault = "it is over 4 GiB";
    }
    if (reading->fault == NULL && ferror(from))
        reading->fault = strerror(errno);
    if (reading->fault == NULL)
        end(reading);
}

int message_file_read(struct message_file *message, const char *path,
                      const struct caps_settings *caps, char *error,
                      size_t room)
{
    bool is_input = strcmp(path, "-") == 0;
    struct reading reading = {.message = message};
    *message = (struct message_file){0};
    header_reader_init(&message->header, (size_t)caps->header_bytes,
                       (size_t)caps->header_fields);
    FILE *from = is_input ? stdin : fopen(path, "re");
    if (from == NULL)
        reading.fault = strerror(errno);
    else
        read_all(&reading, from);
    if (from != NULL && !is_input)
        fclose(from);
    if (reading.fault != NULL)
        snprintf(error, room, "the message %s can't be used: %s", path,
                 reading.fault);
    return reading.fault == NULL ? 0 : -1;
}

void message_file_release(struct message_file *message)
{
    header_reader_release(&message->header);
}
