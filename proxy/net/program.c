/* Its end is told when it has exited and its output has ended, in whichever
 * order they come. */
#include "proxy/net/program.h"

#include "proxy/net/loop_internal.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct program {
    struct loop *loop;
    program_done done; /* NULL: told, or not wanted */
    void *owner;
    uv_process_t process;
    uv_pipe_t pipe;
    uv_timer_t timer;
    unsigned open; /* handles */
    bool is_running, is_reading;
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
    uv_handle_t *handles[] = {(uv_handle_t *)&program->process,
                              (uv_handle_t *)&program->pipe,
                              (uv_handle_t *)&program->timer};
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
        if (handles[i]->data != NULL && !uv_is_closing(handles[i]))
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
    if (program->is_running)
        uv_process_kill(&program->process, SIGKILL);
    program->is_reading = false;
    uv_read_stop((uv_stream_t *)&program->pipe);
    finish_if_ended(program);
}

static void on_exit_status(uv_process_t *process, int64_t status, int number)
{
    struct program *program = process->data;
    char words[40];
    program->is_running = false;
    if (number != 0)
        snprintf(words, sizeof words, "killed by signal %d", number);
    else
        snprintf(words, sizeof words, "exit code %d", (int)status);
    if (number != 0 || status != 0)
        note_error(program, words);
    finish_if_ended(program);
}

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

static void on_timeout(uv_timer_t *timer)
{
    give_up(timer->data, "it took too long");
}

static void on_not_started(uv_timer_t *timer)
{
    finish(timer->data);
}

static int spawn(struct program *program, const char *const *words)
{
    uv_stdio_container_t files[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
         .data.stream = (uv_stream_t *)&program->pipe},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
    };
    uv_process_options_t options = {
        .file = words[0],
        .args = (char **)(uintptr_t)words, /* which it does not change */
        .exit_cb = on_exit_status,
        .stdio = files,
        .stdio_count = 3,
    };
    program->process.data = program;
    program->open++;
    int result = uv_spawn(&program->loop->uv, &program->process, &options);
    if (result != 0)
        return result;
    program->is_running = program->is_reading = true;
    return uv_read_start((uv_stream_t *)&program->pipe, on_room, on_read);
}

struct program *program_start(struct loop *loop, const char *const *words,
                              uint64_t timeout_ms, size_t output_max,
                              program_done done, void *owner)
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
    uv_pipe_init(&loop->uv, &program->pipe, 0);
    program->timer.data = program->pipe.data = program;
    program->open = 2;
    int result = spawn(program, words);
    if (result != 0)
        note_error(program, uv_strerror(result));
    /* Never from inside this call. */
    uv_timer_start(&program->timer, result == 0 ? on_timeout : on_not_started,
                   result == 0 ? timeout_ms : 0, 0);
    return program;
}

void program_cancel(struct program *program)
{
    program->done = NULL;
    if (program->is_running)
        uv_process_kill(&program->process, SIGKILL);
    close_all(program);
}
