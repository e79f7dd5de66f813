#include "tests/bench/load/message_maker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/load/fatal.h"

#define LINE_SIZE ((size_t)76)
#define LINE_END_SIZE ((size_t)2)
/* One line in so many begins with a dot. */
#define DOT_LINES 16
/* Characters of 6 bits from a random number of 64. */
#define CHARACTERS_A_NUMBER 10

static size_t make_head(const struct message_maker *maker, const char *id,
                        const char *sum, char *head)
{
    int size = snprintf(
        head, MESSAGE_HEAD_ROOM,
        "From: <%s>\r\n"
        "To: <rcpt0@%s>\r\n"
        "Subject: load %s\r\n"
        "Message-ID: <%s@load.test>\r\n"
        "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n" MESSAGE_ID_FIELD
        "%s\r\n" MESSAGE_SUM_FIELD "%s\r\n"
        "\r\n",
        maker->from, maker->recipient_domain, id, id, id, sum);
    if (size < 0 || size >= MESSAGE_HEAD_ROOM)
        fatal("--from and --rcpt-domain are too long");
    return (size_t)size;
}

static size_t make_end(const char *id, char *end)
{
    return (size_t)snprintf(end, MESSAGE_END_ROOM, "END %s\r\n", id);
}

static void fill_random(uint64_t *seed, char *to, size_t size)
{
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "abcdefghijklmnopqrstuvwxyz0123456789+/";
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        if (i % CHARACTERS_A_NUMBER == 0) {
            *seed ^= *seed << 13;
            *seed ^= *seed >> 7;
            *seed ^= *seed << 17;
            number = *seed;
        }
        to[i] = characters[number & 63];
        number >>= 6;
    }
}

/* Of what is left at least a line end fits behind the line. */
static size_t next_line_size(size_t left)
{
    size_t size = left - LINE_END_SIZE;
    if (size <= LINE_SIZE)
        return size;
    return size - LINE_SIZE < LINE_END_SIZE ? LINE_SIZE - 1 : LINE_SIZE;
}

/* At least LINE_END_SIZE octets, before dots are put in. */
static void make_body(struct message_body *body, uint64_t seed, size_t size,
                      bool is_stuffed)
{
    size_t dots = size / LINE_SIZE + 1;
    body->text = allocate(size + dots, 1);
    SHA256_Init(&body->sum);
    for (size_t left = size, line = 1; left > 0; line++) {
        size_t line_size = next_line_size(left);
        char *p = body->text + body->size;
        bool has_dot = line % DOT_LINES == 1 && line_size > 0;
        size_t stuffing = has_dot && is_stuffed;
        fill_random(&seed, p + stuffing, line_size);
        if (has_dot)
            p[0] = p[stuffing] = '.';
        memcpy(p + stuffing + line_size, "\r\n", LINE_END_SIZE);
        SHA256_Update(&body->sum, p + stuffing, line_size + LINE_END_SIZE);
        body->size += stuffing + line_size + LINE_END_SIZE;
        left -= line_size + LINE_END_SIZE;
    }
}

void message_maker_init(struct message_maker *maker, uint64_t size,
                        const char *from, const char *recipient_domain,
                        bool is_stuffed)
{
    *maker = (struct message_maker){.from = from,
                                    .recipient_domain = recipient_domain,
                                    .is_stuffed = is_stuffed};
    struct message empty;
    message_make(maker, 0, &empty);
    size_t around = empty.head_size + empty.end_size;
    size_t body_size =
        size > around + LINE_END_SIZE ? (size_t)size - around : LINE_END_SIZE;
    maker->message_size = around + body_size;
    for (unsigned i = 0; i < MESSAGE_BODIES; i++)
        make_body(&maker->bodies[i], UINT64_C(88172645463325252) + 7919 * i,
                  body_size, is_stuffed);
}

void message_maker_release(struct message_maker *maker)
{
    for (unsigned i = 0; i < MESSAGE_BODIES; i++)
        free(maker->bodies[i].text);
}

void message_make(const struct message_maker *maker, uint64_t id,
                  struct message *message)
{
    const struct message_body *body = &maker->bodies[id % MESSAGE_BODIES];
    char digits[MESSAGE_ID_SIZE + 1], text[MESSAGE_SUM_SIZE + 1];
    SHA256_CTX sum = body->sum;
    snprintf(digits, sizeof digits, "%016" PRIx64, id);
    message->end_size = make_end(digits, message->end);
    SHA256_Update(&sum, message->end, message->end_size);
    message_sum_end(&sum, digits, text);
    message->head_size = make_head(maker, digits, text, message->head);
    message->body = body->text;
    message->body_size = body->size;
}
