#include "proxy/login/http_answer.h"

#include <stdlib.h>
#include <string.h>

#include <http_parser.h>

#define BODY_FIRST ((size_t)4 * 1024)

struct http_answer {
    http_parser parser;
    enum http_next next;
    size_t head_octets;
    unsigned status;
    char *body;
    size_t length, room;
    bool has_begun;
    bool keeps_connection;
    const char *error;
};

static int give_up(struct http_answer *answer, const char *error)
{
    answer->next = HTTP_BROKEN;
    answer->error = error;
    return -1;
}

/* The parser's own bound is larger, and the same for all who use it. */
static int count_head(http_parser *parser, const char *octets, size_t count)
{
    struct http_answer *answer = parser->data;
    (void)octets;
    answer->head_octets += count + 1;
    if (answer->head_octets <= HTTP_HEAD_MAX)
        return 0;
    return give_up(answer, "its header is too long");
}

static int on_message_begin(http_parser *parser)
{
    return count_head(parser, NULL, sizeof "HTTP/1.1 100");
}

/* 1: there is no body. A change of protocols was never asked for. */
static int on_headers_complete(http_parser *parser)
{
    struct http_answer *answer = parser->data;
    answer->status = parser->status_code;
    if (parser->upgrade || answer->status == HTTP_STATUS_SWITCHING_PROTOCOLS)
        return give_up(answer, "it changed to another protocol");
    return answer->status / 100 == 1 ? 1 : 0;
}

static int grow(struct http_answer *answer, size_t wanted)
{
    size_t room = answer->room == 0 ? BODY_FIRST : answer->room;
    while (room < wanted)
        room *= 2;
    char *moved = malloc(room);
    if (moved == NULL)
        return give_up(answer, "out of memory");
    if (answer->length > 0) {
        memcpy(moved, answer->body, answer->length);
        explicit_bzero(answer->body, answer->length);
    }
    free(answer->body);
    answer->body = moved;
    answer->room = room;
    return 0;
}

static int on_body(http_parser *parser, const char *octets, size_t count)
{
    struct http_answer *answer = parser->data;
    if (count > HTTP_BODY_MAX - answer->length)
        return give_up(answer, "its answer is too long");
    if (answer->length + count > answer->room &&
        grow(answer, answer->length + count) != 0)
        return -1;
    memcpy(answer->body + answer->length, octets, count);
    answer->length += count;
    return 0;
}

/* RFC 9110 15.2: the final answer comes behind an interim one. */
static int on_message_complete(http_parser *parser)
{
    struct http_answer *answer = parser->data;
    if (answer->status / 100 == 1)
        return 0;
    answer->next = HTTP_WHOLE;
    answer->keeps_connection = http_should_keep_alive(parser) != 0;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings callbacks = {
    .on_message_begin = on_message_begin,
    .on_status = count_head,
    .on_header_field = count_head,
    .on_header_value = count_head,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
    .on_chunk_header = NULL,
    .on_chunk_complete = NULL,
};

struct http_answer *http_answer_new(void)
{
    struct http_answer *answer = calloc(1, sizeof *answer);
    if (answer == NULL)
        return NULL;
    http_parser_init(&answer->parser, HTTP_RESPONSE);
    answer->parser.data = answer;
    return answer;
}

void http_answer_free(struct http_answer *answer)
{
    if (answer == NULL)
        return;
    if (answer->body != NULL)
        explicit_bzero(answer->body, answer->room);
    free(answer->body);
    free(answer);
}

enum http_next http_answer_feed(struct http_answer *answer, struct str octets)
{
    if (octets.n == 0)
        return answer->next;
    answer->has_begun = true;
    size_t taken =
        http_parser_execute(&answer->parser, &callbacks, octets.p, octets.n);
    if (answer->next == HTTP_WHOLE && taken < octets.n)
        answer->keeps_connection = false;
    if (answer->next == HTTP_MORE &&
        HTTP_PARSER_ERRNO(&answer->parser) != HPE_OK)
        give_up(answer, "its answer is no HTTP");
    return answer->next;
}

enum http_next http_answer_end(struct http_answer *answer)
{
    http_parser_execute(&answer->parser, &callbacks, NULL, 0);
    answer->keeps_connection = false;
    if (answer->next == HTTP_MORE)
        give_up(answer, "it closed the connection before its answer ended");
    return answer->next;
}

bool http_answer_has_begun(const struct http_answer *answer)
{
    return answer->has_begun;
}

unsigned http_answer_status(const struct http_answer *answer)
{
    return answer->status;
}

struct str http_answer_body(const struct http_answer *answer)
{
    return str_span(answer->body == NULL ? "" : answer->body, answer->length);
}

bool http_answer_keeps_connection(const struct http_answer *answer)
{
    return answer->keeps_connection;
}

const char *http_answer_error(const struct http_answer *answer)
{
    return answer->error;
}
