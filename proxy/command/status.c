#include "proxy/command/status.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proxy/command/config_option.h"
#include "proxy/command/subcommands.h"
#include "proxy/control/control_client.h"
#include "proxy/log/printable.h"
#include "rules/quantity.h"

#include <jansson.h>

struct options {
    const char *config;
    bool is_json;
};

static int read_option(void *owner, int argc, char **argv, int *i)
{
    struct options *options = owner;
    (void)argc;
    if (strcmp(argv[*i], "--json") == 0) {
        options->is_json = true;
        return EXIT_FINE;
    }
    return subcommand_misuse("status",
                             argv[*i][0] == '-' ? "there is no option"
                                                : "write -c before the file",
                             argv[*i]);
}

static long long number_at(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/* What others wrote may hold anything; it goes to a terminal. */
static void print_text(const json_t *object, const char *key)
{
    char shown[4096];
    const char *text = json_string_value(json_object_get(object, key));
    size_t length =
        printable(str_from(text == NULL ? "" : text), shown, sizeof shown);
    printf("%.*s", (int)length, shown);
}

static void print_time(const json_t *object, const char *key)
{
    struct arena arena;
    long long ms = number_at(object, key);
    arena_init(&arena, 4096);
    struct str time = quantity_wait_text(&arena, ms > 0 ? (uint64_t)ms : 0);
    printf("for %.*s", (int)time.n, time.p);
    arena_release(&arena);
}

static const char *plural(long long count)
{
    return count == 1 ? "" : "s";
}

static void print_down(const json_t *server)
{
    print_time(server, "for_ms");
    printf(": ");
    print_text(server, "fault");
}

/* Workers that differ: each has asked it at its own time. */
static void print_views(const json_t *workers, const json_t *server)
{
    static const char *const views[] = {"up", "down", "unknown"};
    long long all = 0;
    const char *glue = "";
    for (size_t i = 0; i < 3; i++)
        all += number_at(workers, views[i]);
    for (size_t i = 0; i < 3; i++) {
        long long count = number_at(workers, views[i]);
        if (count == 0)
            continue;
        printf("%s%s for %lld", glue, views[i], count);
        glue = ", ";
    }
    printf(" of %lld workers", all);
    if (number_at(workers, "down") > 0) {
        printf("; down ");
        print_down(server);
    }
}

static void print_server(const json_t *server)
{
    const char *state = json_string_value(json_object_get(server, "state"));
    if (state == NULL)
        state = "unknown";
    printf("  ");
    print_text(server, "server");
    printf("  ");
    if (strcmp(state, "differs") == 0) {
        print_views(json_object_get(server, "workers"), server);
    } else if (strcmp(state, "down") == 0) {
        printf("down ");
        print_down(server);
    } else {
        printf("%s", state);
        if (strcmp(state, "up") == 0) {
            putchar(' ');
            print_time(server, "for_ms");
        }
    }
    putchar('\n');
}

static void print_upstream(const json_t *upstream)
{
    size_t i;
    const json_t *server;
    printf("upstream ");
    print_text(upstream, "name");
    putchar('\n');
    if (json_object_get(upstream, "maildir") != NULL) {
        printf("  maildir ");
        print_text(upstream, "maildir");
        putchar('\n');
    }
    json_array_foreach(json_object_get(upstream, "servers"), i, server)
        print_server(server);
}

/* Those that do not serve, or not yet; and what went wrong with one. */
static void print_processes(const json_t *reply)
{
    size_t i;
    const json_t *process;
    const json_t *succession = json_object_get(reply, "succession");
    json_array_foreach(json_object_get(reply, "processes"), i, process)
    {
        const char *state =
            json_string_value(json_object_get(process, "state"));
        if (state == NULL || strcmp(state, "serving") == 0)
            continue;
        printf("worker process %lld is %s, ", number_at(process, "process"),
               state);
        print_time(process, "for_ms");
        putchar('\n');
    }
    if (json_object_get(succession, "error") != NULL) {
        printf("the last change of process failed: ");
        print_text(succession, "error");
        putchar('\n');
    }
    if (json_object_get(reply, "fault") != NULL) {
        print_text(reply, "fault");
        putchar('\n');
    }
}

static void print_reply(const json_t *reply)
{
    size_t i;
    const json_t *upstream;
    long long workers = number_at(reply, "workers");
    long long connections = number_at(reply, "connections");
    printf("up ");
    print_time(reply, "up_ms");
    printf(", %lld worker%s, %lld connection%s, process %lld\n", workers,
           plural(workers), connections, plural(connections),
           number_at(reply, "pid"));
    printf("configuration ");
    print_text(reply, "config");
    printf("\npolicy ");
    print_text(reply, "policy");
    putchar('\n');
    print_processes(reply);
    json_array_foreach(json_object_get(reply, "upstreams"), i, upstream)
        print_upstream(upstream);
}

int command_status(int argc, char **argv)
{
    struct options options = {.config = DEFAULT_CONFIG};
    json_t *reply;
    if (config_option_read(argc, argv, &options.config, read_option,
                           &options) != EXIT_FINE)
        return EXIT_USAGE;
    enum control_end end = control_ask(
        "status", options.config, json_pack("{s:s}", "do", "status"), &reply);
    if (end == CONTROL_ANSWERED && options.is_json) {
        json_dumpf(reply, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (end == CONTROL_ANSWERED) {
        print_reply(reply);
    }
    json_decref(reply);
    if (end == CONTROL_UNREADABLE)
        return EXIT_CONFIG;
    return end == CONTROL_ANSWERED ? EXIT_FINE : EXIT_FOUND;
}
