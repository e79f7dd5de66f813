#include "tests/fuzz/session/messages.h"

#include <string.h>

#include "tests/dialogue/alloc_fault.h"

static bool is_canonical(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\0' || (c == '\n' && (i == 0 || text.p[i - 1] != '\r')) ||
            (c == '\r' && (i + 1 == text.n || text.p[i + 1] != '\n')))
            return false;
    }
    return true;
}

static struct str body_of(struct str content)
{
    if (str_starts_with(content, STR("\r\n")))
        return str_skip(content, 2);
    const char *at =
        content.n ? memmem(content.p, content.n, "\r\n\r\n", 4) : NULL;
    return at ? str_skip(content, (size_t)(at - content.p) + 4) : STR("");
}

struct message *messages_add(struct messages *messages, struct str content,
                             bool is_repaired)
{
    struct message *message = plain_alloc(sizeof *message);
    struct str body = body_of(content);
    message->is_repaired = is_repaired;
    message->is_canonical = is_canonical(content);
    octets_append(&message->body, body);
    /* The last line of the last chunk is ended. */
    if (body.n && body.p[body.n - 1] != '\n')
        octets_append(&message->body, STR("\r\n"));
    message->next = messages->first;
    messages->first = message;
    return message;
}

static bool is_it(const struct message *message, struct str content)
{
    struct str body = octets_view(&message->body);
    if (message->is_sent)
        return false;
    if (!message->is_canonical)
        return message->is_repaired;
    return content.n >= body.n &&
           str_equals(str_skip(content, content.n - body.n), body);
}

struct message *messages_send(struct messages *messages, struct str content)
{
    struct message *message = messages->first;
    while (message && !is_it(message, content))
        message = message->next;
    if (message)
        message->is_sent = true;
    return message;
}

void messages_release(struct messages *messages)
{
    while (messages->first) {
        struct message *message = messages->first;
        messages->first = message->next;
        octets_release(&message->body);
        plain_free(message);
    }
}
