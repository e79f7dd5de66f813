#include "proxy/upstream/server_health.h"

#include "proxy/log/json_line.h"
#include "rules/quantity.h"

#define LINE_CAP ((size_t)8 * 1024)
#define WORDS_MAX ((size_t)4 * 1024)

/* The event `upstream` of postern-log(5). `words` is NULL when it is up, after
 * it was down for down_ms. */
static void log_event(const struct server_health *health, const char *words,
                      uint64_t down_ms)
{
    struct json_line line;
    if (health->decisions == NULL)
        return;
    json_line_init(&line, LINE_CAP);
    json_open_object(&line, NULL);
    json_time(&line, "time", loop_wall_us(health->loop));
    json_text(&line, "event", STR("upstream"));
    json_open_object(&line, "upstream");
    json_text(&line, "name", health->upstream);
    json_text(&line, "server", health->server);
    json_text(&line, "state", words == NULL ? STR("up") : STR("down"));
    if (words != NULL)
        json_text(&line, "fault", str_from(words));
    else
        json_number(&line, "down_ms", down_ms);
    json_close_object(&line);
    json_close_object(&line);
    decision_log_write(health->decisions, json_line_end(&line));
    json_line_release(&line);
}

static void tell_return(const struct server_health *health, uint64_t down_ms)
{
    struct arena arena;
    arena_init(&arena, WORDS_MAX);
    struct str time = quantity_wait_text(&arena, down_ms);
    server_log_write(health->log, SERVER_INFO,
                     "upstream %.*s: server %.*s is up again%s%.*s",
                     (int)health->upstream.n, health->upstream.p,
                     (int)health->server.n, health->server.p,
                     time.n > 0 ? ", was down for " : "", (int)time.n, time.p);
    arena_release(&arena);
    log_event(health, NULL, down_ms);
}

static void set_state(struct server_health *health, enum server_state state,
                      const char *words)
{
    if (health->state != state)
        health->since_ms = loop_now_ms(health->loop);
    health->state = state;
    health_board_post(&health->place, state, health->since_ms, words);
}

void server_health_up(struct server_health *health,
                      const struct capabilities *capabilities)
{
    if (health->state == SERVER_DOWN)
        tell_return(health, loop_now_ms(health->loop) - health->since_ms);
    set_state(health, SERVER_UP, NULL);
    health->rest_ms = 0;
    health->ask_again_ms = loop_now_ms(health->loop) + SERVER_FRESH_MS;
    health->is_known = true;
    health->capabilities = *capabilities;
}

static uint64_t next_rest_ms(uint64_t last_ms)
{
    if (last_ms == 0)
        return SERVER_REST_MS;
    return 2 * last_ms < SERVER_REST_LONGEST_MS ? 2 * last_ms
                                                : SERVER_REST_LONGEST_MS;
}

void server_health_down(struct server_health *health, const struct fault *fault)
{
    /* What is wrong with the set-up does not mend itself. */
    bool is_set_up = fault->kind == FAULT_SET_UP;
    if (health->state != SERVER_DOWN) {
        server_log_write(health->log, is_set_up ? SERVER_ERROR : SERVER_WARNING,
                         "upstream %.*s: server %.*s is down: %s",
                         (int)health->upstream.n, health->upstream.p,
                         (int)health->server.n, health->server.p, fault->words);
        log_event(health, fault->words, 0);
    }
    set_state(health, SERVER_DOWN, fault->words);
    health->rests_until_ms = loop_now_ms(health->loop) + SERVER_REST_MS;
    health->rest_ms = next_rest_ms(health->rest_ms);
    health->ask_again_ms = loop_now_ms(health->loop) + health->rest_ms;
}

void server_health_try(struct server_health *health)
{
    if (health->state == SERVER_DOWN)
        health->rests_until_ms = loop_now_ms(health->loop) + SERVER_REST_MS;
}

bool server_health_rests(const struct server_health *health)
{
    return health->state == SERVER_DOWN &&
           loop_now_ms(health->loop) < health->rests_until_ms;
}

void server_health_set_up(struct server_health *health, int code,
                          const char *words)
{
    if (code != 0 && code != health->set_up_code)
        server_log_write(health->log, SERVER_ERROR,
                         "upstream %.*s: server %.*s: %s",
                         (int)health->upstream.n, health->upstream.p,
                         (int)health->server.n, health->server.p, words);
    health->set_up_code = code;
}
