#include "proxy/upstream/health_board.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct note {
    enum server_state state;
    uint64_t since_ms;
    char fault[HEALTH_FAULT_MAX];
};

struct health_board {
    const struct settings *settings;
    size_t workers;
    size_t servers; /* of all upstreams */
    pthread_mutex_t lock;
    struct note *notes; /* all servers of the first worker, of the next... */
};

struct health_board *health_board_new(const struct settings *settings,
                                      size_t workers)
{
    struct health_board *board = calloc(1, sizeof *board);
    if (board == NULL)
        return NULL;
    board->settings = settings;
    board->workers = workers;
    for (size_t i = 0; i < settings->upstream_count; i++)
        board->servers += settings->upstreams[i].server_count;
    board->notes = calloc(workers * board->servers + 1, sizeof *board->notes);
    if (board->notes == NULL) {
        free(board);
        return NULL;
    }
    pthread_mutex_init(&board->lock, NULL);
    return board;
}

void health_board_free(struct health_board *board)
{
    if (board == NULL)
        return;
    pthread_mutex_destroy(&board->lock);
    free(board->notes);
    free(board);
}

static struct note *note_of(const struct health_board *board, size_t worker,
                            size_t upstream, size_t server)
{
    size_t before = 0;
    for (size_t i = 0; i < upstream; i++)
        before += board->settings->upstreams[i].server_count;
    assert(worker < board->workers && before + server < board->servers);
    return &board->notes[worker * board->servers + before + server];
}

void health_board_post(const struct health_place *place,
                       enum server_state state, uint64_t since_ms,
                       const char *fault)
{
    struct health_board *board = place->board;
    if (board == NULL)
        return;
    struct note *note =
        note_of(board, place->worker, place->upstream, place->server);
    pthread_mutex_lock(&board->lock);
    note->state = state;
    note->since_ms = since_ms;
    snprintf(note->fault, sizeof note->fault, "%s", fault == NULL ? "" : fault);
    pthread_mutex_unlock(&board->lock);
}

static void add(struct health_sum *sum, const struct note *note)
{
    if (note->state == SERVER_UNKNOWN) {
        sum->unknown++;
    } else if (note->state == SERVER_UP) {
        sum->up++;
        if (sum->down == 0 && note->since_ms > sum->since_ms)
            sum->since_ms = note->since_ms;
    } else {
        if (sum->down == 0 || note->since_ms < sum->since_ms)
            sum->since_ms = note->since_ms;
        sum->down++;
        snprintf(sum->fault, sizeof sum->fault, "%s", note->fault);
    }
}

void health_board_sum(struct health_board *board, size_t upstream,
                      size_t server, struct health_sum *sum)
{
    *sum = (struct health_sum){0};
    pthread_mutex_lock(&board->lock);
    for (size_t i = 0; i < board->workers; i++)
        add(sum, note_of(board, i, upstream, server));
    pthread_mutex_unlock(&board->lock);
}
