#include "proxy/upstream/token_source.h"

#include "config/secret_file.h"
#include "proxy/sasl/sasl_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define OUTPUT_MAX ((size_t)64 * 1024)
#define COMMAND_MS 30000
/* A token that does not say how long it lasts is kept so long. */
#define KEPT_MS 300000
/* It must outlive the login that begins with it. */
#define EARLY_MS 60000

struct token_source {
    struct loop *loop;
    const struct upstream_settings *upstream;
    struct program_runner runner;
    struct token_wait *waiting;
    struct credential_book *book; /* of token_file */
    struct program *program;
    char token[SASL_SECRET_MAX + 1];
    size_t length; /* 0: none is kept */
    bool is_used;  /* it was given out before */
    uint64_t until_ms;
    char error[200];
    bool is_freed;
    struct loop_later later;
};

static bool has_command(const struct token_source *source)
{
    return source->upstream->login.token_command != NULL;
}

static void forget_token(struct token_source *source)
{
    explicit_bzero(source->token, sizeof source->token);
    source->length = 0;
    source->is_used = false;
}

static bool has_token(const struct token_source *source)
{
    return source->length > 0 && loop_now_ms(source->loop) < source->until_ms;
}

static void tell_waiting(struct token_source *source)
{
    struct str token = {NULL, 0};
    if (source->length > 0)
        token = str_span(source->token, source->length);
    while (source->waiting != NULL) {
        struct token_wait *wait = source->waiting;
        source->waiting = wait->next;
        wait->is_waiting = false;
        wait->on_token(wait->owner, token, source->error);
    }
}

/* RFC 6750 2.1: b64token. Anything else could end its line. */
static bool is_token(struct str text)
{
    if (text.n == 0 || text.n > SASL_SECRET_MAX)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || (unsigned char)text.p[i] > 0x7e)
            return false;
    return true;
}

static void take_token(struct token_source *source, struct str token,
                       uint64_t kept_ms)
{
    if (!is_token(token)) {
        snprintf(source->error, sizeof source->error,
                 "what it gave is no token: one word in the first line, or "
                 "JSON with \"access_token\"");
        return;
    }
    memcpy(source->token, token.p, token.n);
    source->length = token.n;
    source->until_ms = loop_now_ms(source->loop) + kept_ms;
}

/* RFC 6749 5.1. */
static void take_json(struct token_source *source, struct str text)
{
    json_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    const char *token =
        json_string_value(json_object_get(root, "access_token"));
    json_int_t seconds =
        json_integer_value(json_object_get(root, "expires_in"));
    uint64_t kept_ms = KEPT_MS;
    if (seconds > 0 && seconds < INT32_MAX)
        kept_ms = (uint64_t)seconds * 1000;
    take_token(source, str_from(token == NULL ? "" : token),
               kept_ms > EARLY_MS ? kept_ms - EARLY_MS : 0);
    json_decref(root);
}

/* What a file held or a program printed; `error` NULL: it is there. */
static void take_text(struct token_source *source, struct str text,
                      const char *error)
{
    struct str line, rest;
    text = str_trim(text);
    forget_token(source);
    source->error[0] = '\0';
    str_cut_line(text, &line, &rest);
    if (error != NULL)
        snprintf(source->error, sizeof source->error, "%s", error);
    else if (text.n > 0 && text.p[0] == '{')
        take_json(source, text);
    else
        take_token(source, line, KEPT_MS);
    tell_waiting(source);
}

static void read_file(struct token_source *source)
{
    char *octets = malloc(CREDENTIALS_TOKEN_MAX);
    size_t length = 0;
    const char *wrong =
        octets == NULL ? "out of memory"
                       : credential_book_token(source->book, octets, &length);
    take_text(source, str_span(octets, length), wrong);
    secret_free(octets, length);
}

static void on_printed(void *owner, struct str output, const char *error)
{
    struct token_source *source = owner;
    source->program = NULL;
    take_text(source, output, error);
}

/* False: out of memory. */
static bool fetch(struct token_source *source)
{
    if (has_command(source)) {
        source->program =
            program_start(source->loop, &source->runner, source->upstream->name,
                          COMMAND_MS, OUTPUT_MAX, on_printed, source);
        return source->program != NULL;
    }
    read_file(source);
    return true;
}

static void run_later(struct loop_later *later)
{
    struct token_source *source =
        (struct token_source *)((char *)later -
                                offsetof(struct token_source, later));
    if (source->is_freed) {
        free(source);
        return;
    }
    if (source->waiting == NULL || source->program != NULL)
        return;
    /* What a file holds is looked up for each login, and may be another. */
    if (has_command(source) && has_token(source)) {
        source->is_used = true;
        tell_waiting(source);
    } else if (!fetch(source)) {
        take_text(source, STR(""), "out of memory");
    }
}

struct token_source *token_source_new(struct loop *loop,
                                      const struct upstream_settings *upstream,
                                      const struct program_runner *runner,
                                      struct credential_book *book)
{
    struct token_source *source = calloc(1, sizeof *source);
    if (source == NULL)
        return NULL;
    source->loop = loop;
    source->upstream = upstream;
    source->runner = *runner;
    source->book = book;
    source->later.run = run_later;
    return source;
}

void token_source_free(struct token_source *source)
{
    if (source == NULL)
        return;
    if (source->program != NULL)
        program_cancel(source->program);
    forget_token(source);
    source->is_freed = true;
    loop_later(source->loop, &source->later);
}

void token_source_ask(struct token_source *source, struct token_wait *wait)
{
    wait->next = source->waiting;
    source->waiting = wait;
    wait->is_waiting = true;
    loop_later(source->loop, &source->later);
}

void token_source_forget(struct token_source *source, struct token_wait *wait)
{
    struct token_wait **at = &source->waiting;
    if (!wait->is_waiting)
        return;
    while (*at != wait)
        at = &(*at)->next;
    *at = wait->next;
    wait->is_waiting = false;
}

bool token_source_refuse(struct token_source *source, struct str token)
{
    bool is_kept = has_command(source) &&
                   str_equals(token, str_span(source->token, source->length));
    bool was_used = is_kept && source->is_used;
    if (is_kept)
        forget_token(source);
    return was_used;
}
