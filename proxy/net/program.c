/* Its end is told when that was heard of and its output has ended, in whichever
 * order they come. */
#include "proxy/net/program.h"

#include "proxy/net/loop_internal.h"
#include "proxy/net/program_end.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct program {
    struct loop *loop;
    program_done done; /* NULL: told, or not wanted */
    void *owner;
    uv_pipe_t pipes[PROGRAM_DESCRIPTORS];
    uv_timer_t timer;
    unsigned open; /* handles */
    bool is_running, is_reading;
    struct program_end end;
    char *output;
    size_t length, room;
    char error[120];
};

static void on_closed(uv_handle_t *handle)
{
    struct program *program = handle->data;
    if (--program->open > 0)
        return;
    explicit_bzero(program->output, program->room);
    free(program->output);
    free(program);
}

static void close_all(struct program *program)
{
    uv_handle_t *handles[] = {
        (uv_handle_t *)&program->pipes[PROGRAM_OUTPUT],
        (uv_handle_t *)&program->pipes[PROGRAM_END],
        (uv_handle_t *)&program->timer,
    };
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
        if (!uv_is_closing(handles[i]))
            uv_close(handles[i], on_closed);
}

static void note_error(struct program *program, const char *words)
{
    if (program->error[0] == '\0')
        snprintf(program->error, sizeof program->error, "%s", words);
}

static void finish(struct program *program)
{
    program_done done = program->done;
    bool failed = program->error[0] != '\0';
    close_all(program);
    program->done = NULL;
    if (done != NULL)
        done(program->owner,
             failed ? STR("") : str_span(program->output, program->length),
             failed ? program->error : NULL);
}

static void finish_if_ended(struct program *program)
{
    if (!program->is_running && !program->is_reading)
        finish(program);
}

/* What it started itself may still hold its output open: not waited for. */
static void give_up(struct program *program, const char *words)
{
    note_error(program, words);
    finish(program);
}

/* --- its end --- */

static void note_end(struct program *program, const struct program_end *end)
{
    char words[80] = "";
    switch (end->fate) {
    case PROGRAM_EXITED:
        if (end->number != 0)
            snprintf(words, sizeof words, "exit code %d", end->number);
        break;
    case PROGRAM_KILLED:
        snprintf(words, sizeof words, "killed by signal %d", end->number);
        break;
    case PROGRAM_FAILED:
        snprintf(words, sizeof words, "%s", uv_strerror(-end->number));
        break;
    case PROGRAM_UNKNOWN:
        snprintf(words, sizeof words, "the configuration has it no more");
        break;
    default:
        snprintf(words, sizeof words,
                 "there is no user to run it as: see what the supervisor logs");
        break;
    }
    if (words[0] != '\0')
        note_error(program, words);
}

static void on_end_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct program *program = handle->data;
    (void)suggested;
    *buffer = uv_buf_init((char *)&program->end, sizeof program->end);
}

/* Only the first message counts: a program that could not be started has an
 * exit code as well. */
static void on_end(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct program *program = stream->data;
    (void)buffer;
    if (count == 0)
        return;
    program->is_running = false;
    uv_read_stop(stream);
    if (count == sizeof program->end)
        note_end(program, &program->end);
    else
        note_error(program, "the supervisor does not tell how it ended: it is "
                            "gone, or was exchanged");
    finish_if_ended(program);
}

/* --- its output --- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct program *program = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(program->output + program->length,
                          (unsigned)(program->room - program->length));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct program *program = stream->data;
    (void)buffer;
    if (count > 0) {
        program->length += (size_t)count;
    } else if (count == UV_ENOBUFS) {
        give_up(program, "it printed too much");
    } else if (count < 0) {
        program->is_reading = false;
        uv_read_stop(stream);
        finish_if_ended(program);
    }
}

/* --- the question --- */

static void on_timeout(uv_timer_t *timer)
{
    give_up(timer->data, "it took too long");
}

static void on_not_started(uv_timer_t *timer)
{
    finish(timer->data);
}

static void close_pair(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* Ours, and those of whoever runs it. 0, or an error of libuv. */
static int make_ways(int ours[PROGRAM_DESCRIPTORS],
                     int theirs[PROGRAM_DESCRIPTORS])
{
    int output[2], end[2];
    if (pipe2(output, O_CLOEXEC) != 0)
        return -errno;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, end) != 0) {
        int error = -errno;
        close_pair(output);
        return error;
    }
    ours[PROGRAM_OUTPUT] = output[0];
    theirs[PROGRAM_OUTPUT] = output[1];
    ours[PROGRAM_END] = end[0];
    theirs[PROGRAM_END] = end[1];
    return 0;
}

/* The handles own them from here on. */
static int read_ways(struct program *program,
                     const int ours[PROGRAM_DESCRIPTORS])
{
    int result = 0;
    for (size_t i = 0; i < PROGRAM_DESCRIPTORS; i++) {
        int opened = uv_pipe_open(&program->pipes[i], ours[i]);
        if (opened != 0)
            close(ours[i]);
        if (result == 0)
            result = opened;
    }
    uv_stream_t *output = (uv_stream_t *)&program->pipes[PROGRAM_OUTPUT];
    uv_stream_t *end = (uv_stream_t *)&program->pipes[PROGRAM_END];
    if (result == 0)
        result = uv_read_start(output, on_room, on_read);
    if (result == 0)
        result = uv_read_start(end, on_end_room, on_end);
    return result;
}

/* False: `error` says why. */
static bool ask(struct program *program, const struct program_runner *runner,
                struct str name)
{
    int ours[PROGRAM_DESCRIPTORS], theirs[PROGRAM_DESCRIPTORS];
    int result = make_ways(ours, theirs);
    if (result == 0) {
        if (runner->run == NULL ||
            runner->run(runner->owner, name, theirs) != 0)
            note_error(program, "the supervisor, which would run it, does not "
                                "listen");
        close_pair(theirs);
        result = read_ways(program, ours);
    }
    if (result != 0)
        note_error(program, uv_strerror(result));
    program->is_running = program->is_reading = true;
    return program->error[0] == '\0';
}

struct program *program_start(struct loop *loop,
                              const struct program_runner *runner,
                              struct str name, uint64_t timeout_ms,
                              size_t output_max, program_done done, void *owner)
{
    struct program *program = calloc(1, sizeof *program);
    if (program == NULL)
        return NULL;
    program->loop = loop;
    program->done = done;
    program->owner = owner;
    program->room = output_max;
    program->output = malloc(output_max);
    if (program->output == NULL) {
        free(program);
        return NULL;
    }
    uv_timer_init(&loop->uv, &program->timer);
    program->timer.data = program;
    for (size_t i = 0; i < PROGRAM_DESCRIPTORS; i++) {
        uv_pipe_init(&loop->uv, &program->pipes[i], 0);
        program->pipes[i].data = program;
    }
    program->open = 1 + PROGRAM_DESCRIPTORS;
    bool is_asked = ask(program, runner, name);
    /* Never from inside this call. */
    uv_timer_start(&program->timer, is_asked ? on_timeout : on_not_started,
                   is_asked ? timeout_ms : 0, 0);
    return program;
}

void program_cancel(struct program *program)
{
    program->done = NULL;
    close_all(program);
}
