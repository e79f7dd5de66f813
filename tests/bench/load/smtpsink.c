/* A server that takes every mail and keeps none, to be measured against: it
 * counts what comes and, if asked, holds each message against the sum that
 * smtpload put into it. It shares no code with what it measures.
 *
 * The counters are told at SIGUSR1, at the end (SIGINT, SIGTERM), and as the
 * reply to the command XSTAT. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/load/fatal.h"
#include "tests/bench/load/open_files.h"
#include "tests/bench/load/sink.h"
#include "tests/bench/load/sink_thread.h"

static SSL_CTX *make_tls(const struct sink_options *options)
{
    if (!sink_options_need_tls(options))
        return NULL;
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (tls == NULL)
        fatal("out of memory");
    if (SSL_CTX_use_certificate_chain_file(tls, options->certificate) != 1)
        fatal("%s: no certificate", options->certificate);
    if (SSL_CTX_use_PrivateKey_file(tls, options->key, SSL_FILETYPE_PEM) != 1)
        fatal("%s: no key of that certificate", options->key);
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return tls;
}

static void write_pid(const char *path)
{
    FILE *file = fopen(path, "we");
    if (file == NULL)
        fatal("%s: %s", path, strerrordesc_np(errno));
    fprintf(file, "%ld\n", (long)getpid());
    fclose(file);
}

static void tell(struct sink *sink)
{
    char text[SINK_COUNTERS_ROOM];
    sink_counters_print(&sink->counters, text, sizeof text);
    printf("SINK %s\n", text);
    fflush(stdout);
}

/* They are waited for, and come to no thread. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGUSR1);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void serve(struct sink *sink, const sigset_t *signals)
{
    size_t count = sink->options->threads;
    struct sink_thread *threads = allocate(count, sizeof *threads);
    for (size_t i = 0; i < count; i++)
        sink_thread_init(&threads[i], sink);
    for (size_t i = 0; i < count; i++)
        sink_thread_start(&threads[i]);
    if (sink->options->pid_file != NULL)
        write_pid(sink->options->pid_file);
    int signal;
    while (sigwait(signals, &signal) == 0 && signal == SIGUSR1)
        tell(sink);
    for (size_t i = 0; i < count; i++)
        sink_thread_stop(&threads[i]);
    free(threads);
}

int main(int argc, char **argv)
{
    struct sink_options options;
    sigset_t signals;
    sink_options_read(&options, argc, argv);
    block_signals(&signals);
    open_files_allow(0);
    struct sink sink = {.options = &options, .tls = make_tls(&options)};
    seen_ids_init(&sink.seen);
    serve(&sink, &signals);
    tell(&sink);
    if (options.pid_file != NULL)
        unlink(options.pid_file);
    seen_ids_release(&sink.seen);
    SSL_CTX_free(sink.tls);
    return 0;
}
