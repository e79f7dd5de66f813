#include "proxy/budgets/redis_link_internal.h"

#include "proxy/budgets/redis_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- going away and coming back --- */

static void tell_away(struct redis_link *link, const char *why)
{
    snprintf(link->fault, sizeof link->fault, "%s", why);
    store_word_away(link->word, link->is_told, link->fault,
                    loop_now_ms(link->loop));
    link->is_told = true;
}

void redis_link_is_useful(struct redis_link *link)
{
    if (link->is_useful)
        return;
    link->is_useful = true;
    link->useful_ms = loop_now_ms(link->loop);
    if (link->is_told)
        store_word_back(link->word, link->useful_ms);
    link->is_told = false;
}

/* Takes all that is under way, so that a callback may send anew. */
static void tell_commands(struct redis_link *link)
{
    struct redis_command *command = link->first;
    link->first = link->last = link->waiting = NULL;
    link->count = 0;
    while (command != NULL) {
        struct redis_command *next = command->next;
        command->next = NULL;
        command->replied(command, NULL);
        command = next;
    }
}

static void disconnect(struct redis_link *link)
{
    if (link->stream != NULL)
        stream_abort(link->stream);
    link->stream = NULL;
    if (link->reader != NULL)
        redisReaderFree(link->reader);
    link->reader = NULL;
    timer_stop(link->watch);
    link->watch_at_ms = 0;
    link->is_silent = link->is_looked_at = false;
    link->number++;
}

/* With jitter, so that not all servers come at once. */
static void start_pause(struct redis_link *link)
{
    uint64_t half = link->pause_ms / 2;
    timer_start(link->pause, half + loop_clock_us(link->loop) % (half + 1));
    link->pause_ms = link->pause_ms * 2 > REDIS_PAUSE_MAX_MS
                         ? REDIS_PAUSE_MAX_MS
                         : link->pause_ms * 2;
}

void redis_link_drop(struct redis_link *link, const char *why)
{
    bool was_up = link->state == LINK_UP;
    if (link->state == LINK_PAUSED)
        return;
    uint64_t now_ms = loop_now_ms(link->loop);
    /* One that comes and goes is left alone for longer each time. */
    if (link->is_useful && now_ms - link->useful_ms >= REDIS_PAUSE_MAX_MS)
        link->pause_ms = REDIS_PAUSE_MIN_MS;
    if (link->state >= LINK_GREETING)
        store_meter_add(link->meter, STORE_LEFT, 1);
    tell_away(link, why);
    link->state = LINK_PAUSED;
    link->is_useful = false;
    disconnect(link);
    start_pause(link);
    if (was_up)
        link->events->on_down(link->owner);
    tell_commands(link);
}

/* What was never of any use may be no Redis. */
void redis_link_drop_mute(struct redis_link *link, const char *why)
{
    char words[REDIS_WORDS_MAX];
    snprintf(words, sizeof words, "%s%s", why,
             link->useful_ms == 0 ? ": is it a Redis, without TLS?" : "");
    redis_link_drop(link, words);
}

/* --- replies --- */

static void *create_array(const redisReadTask *task, int elements);

/* hiredis hands its own functions out with each reader. */
static redisReader *make_reader(struct redis_link *link)
{
    redisReader *reader = redisReaderCreate();
    if (reader == NULL)
        return NULL;
    link->functions = *reader->fn;
    link->functions.createArray = create_array;
    reader->privdata = reader->fn;
    reader->fn = &link->functions;
    return reader;
}

/* What is no Redis might announce a thousand million of them. */
static void *create_array(const redisReadTask *task, int elements)
{
    const redisReplyObjectFunctions *own = task->privdata;
    return elements > REDIS_ELEMENTS_MAX ? NULL
                                         : own->createArray(task, elements);
}

static struct redis_command *take_first(struct redis_link *link)
{
    struct redis_command *command = link->first;
    link->first = command->next;
    if (link->first == NULL)
        link->last = NULL;
    if (link->waiting == command)
        link->waiting = command->next;
    command->next = NULL;
    link->count--;
    return command;
}

static void on_reply(struct redis_link *link, const redisReply *reply)
{
    const char *words;
    if (link->first == NULL) {
        redis_link_drop(link, "it said something before it was asked: is it "
                              "a Redis?");
        return;
    }
    if (reply->type == REDIS_REPLY_ERROR &&
        redis_error_of(str_span(reply->str, reply->len), &words) ==
            REDIS_ERROR_AWAY) {
        redis_link_drop(link, words);
        return;
    }
    struct redis_command *command = take_first(link);
    bool was_silent = link->is_silent;
    unsigned number = link->number;
    link->is_silent = false;
    store_meter_answered(link->meter,
                         loop_clock_us(link->loop) - command->sent_us);
    command->replied(command, reply);
    if (was_silent && link->number == number && link->events->on_heard != NULL)
        link->events->on_heard(link->owner);
}

/* false: this connection is no more. */
static bool next_reply(struct redis_link *link)
{
    void *reply = NULL;
    unsigned number = link->number;
    char words[REDIS_WORDS_MAX];
    if (redisReaderGetReply(link->reader, &reply) != REDIS_OK) {
        snprintf(words, sizeof words, "it does not speak as a Redis does (%s)",
                 link->reader->errstr);
        redis_link_drop(link, words);
        return false;
    }
    if (reply == NULL) {
        if (link->reader->len - link->reader->pos <= REDIS_REPLY_OCTETS_MAX)
            return false;
        redis_link_drop(link, "its reply does not end");
        return false;
    }
    on_reply(link, reply);
    freeReplyObject(reply);
    return link->number == number;
}

static void on_bytes(void *owner)
{
    struct redis_link *link = owner;
    struct str input = stream_input(link->stream);
    if (redisReaderFeed(link->reader, input.p, input.n) != REDIS_OK) {
        redis_link_drop(link, "out of memory");
        return;
    }
    stream_consume(link->stream, input.n);
    while (next_reply(link))
        ;
}

/* --- sending --- */

static int write_words(struct redis_link *link, const struct str *words,
                       size_t count)
{
    const char *argv[24];
    size_t lengths[24];
    char *text = NULL;
    if (count > sizeof argv / sizeof *argv)
        return -1;
    for (size_t i = 0; i < count; i++) {
        argv[i] = words[i].p;
        lengths[i] = words[i].n;
    }
    int n = redisFormatCommandArgv(&text, (int)count, argv, lengths);
    if (n < 0)
        return -1;
    int result = stream_write(link->stream, str_span(text, (size_t)n));
    redisFreeCommand(text);
    return result;
}

int redis_link_send_now(struct redis_link *link, struct redis_command *command,
                        const struct str *words, size_t count)
{
    if (link->count >= REDIS_COMMANDS_MAX ||
        write_words(link, words, count) != 0)
        return -1;
    command->next = NULL;
    command->is_late = false;
    command->sent_us = loop_clock_us(link->loop);
    if (link->last == NULL)
        link->first = command;
    else
        link->last->next = command;
    link->last = command;
    if (link->waiting == NULL)
        link->waiting = command;
    link->count++;
    redis_link_watch_by(link, loop_now_ms(link->loop) +
                                  link->settings->store_timeout_ms + 1);
    return 0;
}

int redis_link_send(struct redis_link *link, struct redis_command *command,
                    const struct str *words, size_t count)
{
    return link->state == LINK_UP
               ? redis_link_send_now(link, command, words, count)
               : -1;
}

static void on_ended(void *owner, enum stream_end end)
{
    struct redis_link *link = owner;
    char words[REDIS_WORDS_MAX];
    if (end == STREAM_END_EOF) {
        redis_link_drop_mute(link, "it has closed the connection");
        return;
    }
    snprintf(words, sizeof words, "%s", stream_error(link->stream));
    redis_link_drop(link, words);
}

static const struct stream_events STREAM_EVENTS = {
    .on_ready = redis_link_on_ready,
    .on_bytes = on_bytes,
    .on_ended = on_ended,
};

static void begin(struct redis_link *link)
{
    const struct limits_settings *settings = link->settings;
    link->state = LINK_CONNECTING;
    link->reader = make_reader(link);
    link->stream =
        link->reader == NULL ? NULL
        : settings->store_socket != NULL
            ? stream_connect_unix(link->loop, settings->store_socket,
                                  REDIS_CONNECT_MS, &STREAM_EVENTS, link)
            : stream_connect(link->loop, settings->store_address.host,
                             settings->store_address.port, REDIS_CONNECT_MS,
                             &STREAM_EVENTS, link);
    if (link->stream == NULL)
        redis_link_drop(link, "out of memory");
}

static void on_pause(void *owner)
{
    begin(owner);
}

void redis_link_set_password(struct redis_link *link, struct str password)
{
    size_t length =
        password.n < STORE_PASSWORD_MAX ? password.n : STORE_PASSWORD_MAX;
    if (str_equals(str_span(link->password, link->password_length), password))
        return;
    explicit_bzero(link->password, sizeof link->password);
    if (length > 0)
        memcpy(link->password, password.p, length);
    link->password_length = length;
    if (link->state == LINK_PAUSED)
        timer_start(link->pause, 0);
}

/* --- life --- */

struct redis_link *
redis_link_new(struct loop *loop, const struct limits_settings *settings,
               struct store_word *word, struct store_meter *meter,
               const struct redis_link_events *events, void *owner)
{
    struct redis_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return NULL;
    *link = (struct redis_link){.loop = loop,
                                .settings = settings,
                                .word = word,
                                .meter = meter,
                                .events = events,
                                .owner = owner,
                                .pause_ms = REDIS_PAUSE_MIN_MS,
                                .fault = "it is not connected yet"};
    link->pause = timer_new(loop, on_pause, link);
    link->watch = timer_new(loop, redis_link_on_watch, link);
    if (link->pause == NULL || link->watch == NULL) {
        redis_link_free(link);
        return NULL;
    }
    redis_link_set_password(link, settings->store_password);
    timer_start(link->pause, 0);
    return link;
}

void redis_link_free(struct redis_link *link)
{
    if (link == NULL)
        return;
    /* What was told in this turn still leaves. */
    if (link->stream != NULL && link->state == LINK_UP) {
        stream_close(link->stream);
        link->stream = NULL;
    }
    if (link->watch != NULL)
        disconnect(link);
    if (link->is_told)
        store_word_leave(link->word);
    timer_free(link->pause);
    timer_free(link->watch);
    explicit_bzero(link->password, sizeof link->password);
    free(link);
}

bool redis_link_is_up(const struct redis_link *link)
{
    return link->state == LINK_UP;
}

bool redis_link_is_silent(const struct redis_link *link)
{
    return link->is_silent;
}

const char *redis_link_fault(const struct redis_link *link)
{
    return link->fault;
}
