#include "tests/bench/load/sink_message.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void sink_message_begin(struct sink_message *message, bool is_verified)
{
    message->is_verified = message->is_in_header = is_verified;
    message->size = message->line_size = 0;
    message->id[0] = message->sum[0] = '\0';
    if (is_verified)
        SHA256_Init(&message->body);
}

/* Another's header may have any length; a value that is too long is none of
 * ours. */
static void take_field(const char *line, const char *name, char *value,
                       size_t size)
{
    size_t name_size = strlen(name);
    if (strncasecmp(line, name, name_size) == 0 &&
        strlen(line + name_size) == size)
        memcpy(value, line + name_size, size + 1);
}

static void end_header_line(struct sink_message *message)
{
    size_t size = message->line_size;
    if (size > 0 && message->line[size - 1] == '\r')
        size--;
    message->line[size] = '\0';
    message->line_size = 0;
    message->is_in_header = size > 0;
    take_field(message->line, MESSAGE_ID_FIELD, message->id, MESSAGE_ID_SIZE);
    take_field(message->line, MESSAGE_SUM_FIELD, message->sum,
               MESSAGE_SUM_SIZE);
}

/* Gives how much of it was header. */
static size_t take_header(struct sink_message *message, const char *octets,
                          size_t size)
{
    size_t i = 0;
    while (message->is_in_header && i < size) {
        char c = octets[i++];
        if (c == '\n')
            end_header_line(message);
        else if (message->line_size < sizeof message->line - 1)
            message->line[message->line_size++] = c;
    }
    return i;
}

void sink_message_take(struct sink_message *message, const char *octets,
                       size_t size)
{
    message->size += size;
    if (!message->is_verified)
        return;
    size_t header = take_header(message, octets, size);
    SHA256_Update(&message->body, octets + header, size - header);
}

enum sink_finding sink_message_end(struct sink_message *message)
{
    char sum[MESSAGE_SUM_SIZE + 1];
    if (!message->is_verified)
        return FINDING_NONE;
    message_sum_end(&message->body, message->id, sum);
    if (message->sum[0] == '\0' || message->id[0] == '\0')
        return FINDING_UNMARKED;
    return strcmp(sum, message->sum) == 0 ? FINDING_RIGHT : FINDING_WRONG;
}
