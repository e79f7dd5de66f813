/* Octets of the head: a letter, the version, the algorithm or 0, the id, the
 * length of what follows, 0. A question has its key's name before its input.
 * Numbers are big-endian. */
#include "proxy/keys/key_wire.h"

#include <assert.h>
#include <string.h>

#define QUESTION 'Q'
#define ANSWER 'A'
#define VERSION 1

struct head {
    char letter;
    uint16_t algorithm;
    uint32_t id;
    uint16_t length;
};

static void put_number(char *to, size_t octets, uint32_t number)
{
    for (size_t i = octets; i > 0; i--) {
        to[i - 1] = (char)(number & 0xff);
        number >>= 8;
    }
}

static uint32_t get_number(const char *from, size_t octets)
{
    uint32_t number = 0;
    for (size_t i = 0; i < octets; i++)
        number = number << 8 | (unsigned char)from[i];
    return number;
}

static void put_head(char *to, const struct head *head)
{
    to[0] = head->letter;
    to[1] = VERSION;
    put_number(to + 2, 2, head->algorithm);
    put_number(to + 4, 4, head->id);
    put_number(to + 8, 2, head->length);
    put_number(to + 10, 2, 0);
}

/* Takes it off the message, of which exactly what it says must be left. */
static int get_head(struct str *message, char letter, struct head *out)
{
    const char *p = message->p;
    if (message->n < KEY_WIRE_HEAD || p[0] != letter || p[1] != VERSION ||
        get_number(p + 10, 2) != 0)
        return -1;
    *out = (struct head){.letter = letter,
                         .algorithm = (uint16_t)get_number(p + 2, 2),
                         .id = get_number(p + 4, 4),
                         .length = (uint16_t)get_number(p + 8, 2)};
    *message = str_skip(*message, KEY_WIRE_HEAD);
    return message->n == out->length ? 0 : -1;
}

size_t key_wire_put_question(char to[KEY_WIRE_ROOM], uint32_t id,
                             const struct key_question *question)
{
    size_t length = KEY_NAME_OCTETS + question->input.n;
    const struct head head = {.letter = QUESTION,
                              .algorithm = question->algorithm,
                              .id = id,
                              .length = (uint16_t)length};
    assert(question->input.n <= KEY_INPUT_MAX);
    put_head(to, &head);
    memcpy(to + KEY_WIRE_HEAD, question->name, KEY_NAME_OCTETS);
    if (question->input.n > 0)
        memcpy(to + KEY_WIRE_HEAD + KEY_NAME_OCTETS, question->input.p,
               question->input.n);
    return KEY_WIRE_HEAD + length;
}

int key_wire_get_question(struct str message, uint32_t *id,
                          struct key_question *out)
{
    struct head head;
    if (get_head(&message, QUESTION, &head) != 0 ||
        message.n < KEY_NAME_OCTETS ||
        message.n > KEY_NAME_OCTETS + KEY_INPUT_MAX)
        return -1;
    *id = head.id;
    out->algorithm = head.algorithm;
    memcpy(out->name, message.p, KEY_NAME_OCTETS);
    out->input = str_skip(message, KEY_NAME_OCTETS);
    return 0;
}

size_t key_wire_put_answer(char to[KEY_WIRE_ROOM], uint32_t id,
                           struct str signature)
{
    const struct head head = {
        .letter = ANSWER, .id = id, .length = (uint16_t)signature.n};
    assert(signature.n <= KEY_SIGNATURE_MAX);
    put_head(to, &head);
    if (signature.n > 0)
        memcpy(to + KEY_WIRE_HEAD, signature.p, signature.n);
    return KEY_WIRE_HEAD + signature.n;
}

int key_wire_get_answer(struct str message, uint32_t *id, struct str *signature)
{
    struct head head;
    if (get_head(&message, ANSWER, &head) != 0 || head.algorithm != 0 ||
        message.n > KEY_SIGNATURE_MAX)
        return -1;
    *id = head.id;
    *signature = message;
    return 0;
}
