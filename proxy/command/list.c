#include "proxy/command/list.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/command/subcommands.h"
#include "proxy/control/control_client.h"
#include "proxy/log/printable.h"
#include "rules/quantity.h"

#include <jansson.h>

struct options {
    const char *config, *list, *add, *remove, *time;
    uint64_t for_ms;
    bool is_json;
};

/* Where the word behind an option goes; NULL: it takes none. */
static const char **value_of(struct options *options, const char *word)
{
    if (strcmp(word, "-c") == 0)
        return &options->config;
    if (strcmp(word, "--add") == 0)
        return &options->add;
    if (strcmp(word, "--remove") == 0)
        return &options->remove;
    return strcmp(word, "--for") == 0 ? &options->time : NULL;
}

static int check_arguments(struct options *options)
{
    if (options->list == NULL)
        return subcommand_misuse("list", "which list?", NULL);
    if (options->add != NULL && options->remove != NULL)
        return subcommand_misuse("list", "add or remove, one at a time", NULL);
    if (options->time != NULL && options->add == NULL)
        return subcommand_misuse("list", "--for goes with --add", NULL);
    if (options->time != NULL &&
        (quantity_duration(str_from(options->time), &options->for_ms) != 0 ||
         options->for_ms == 0))
        return subcommand_misuse("list",
                                 "--for needs a time such as 30m or "
                                 "12h, not",
                                 options->time);
    return EXIT_FINE;
}

static int read_arguments(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        const char **value = value_of(options, argv[i]);
        if (strcmp(argv[i], "--json") == 0)
            options->is_json = true;
        else if (value != NULL && i + 1 == argc)
            return subcommand_misuse("list", "a word is missing behind",
                                     argv[i]);
        else if (value != NULL)
            *value = argv[++i];
        else if (argv[i][0] == '-')
            return subcommand_misuse("list", "there is no option", argv[i]);
        else if (options->list != NULL)
            return subcommand_misuse("list", "one list at a time", NULL);
        else
            options->list = argv[i];
    }
    return check_arguments(options);
}

static json_t *make_request(const struct options *options)
{
    json_t *request =
        json_pack("{s:s, s:s, s:s*, s:s*}", "do", "list", "list", options->list,
                  "add", options->add, "remove", options->remove);
    if (request != NULL && options->for_ms > 0)
        json_object_set_new(request, "for_ms",
                            json_integer((json_int_t)options->for_ms));
    return request;
}

static int compare_values(const void *a, const void *b)
{
    const char *left =
        json_string_value(json_object_get(*(json_t *const *)a, "value"));
    const char *right =
        json_string_value(json_object_get(*(json_t *const *)b, "value"));
    return strcmp(left == NULL ? "" : left, right == NULL ? "" : right);
}

static void print_value(const json_t *item)
{
    char shown[4096];
    char time[64];
    struct arena arena;
    const char *value = json_string_value(json_object_get(item, "value"));
    json_int_t left = json_integer_value(json_object_get(item, "left_ms"));
    size_t length =
        printable(str_from(value == NULL ? "" : value), shown, sizeof shown);
    arena_init(&arena, sizeof time * 16);
    struct str wait = quantity_wait_text(&arena, left > 0 ? (uint64_t)left : 0);
    if (left > 0)
        printf("%-40.*s  %.*s left\n", (int)length, shown, (int)wait.n, wait.p);
    else
        printf("%-40.*s  until removed\n", (int)length, shown);
    arena_release(&arena);
}

static int print_values(const json_t *reply)
{
    const json_t *values = json_object_get(reply, "values");
    json_int_t more = json_integer_value(json_object_get(reply, "not_shown"));
    size_t count = json_array_size(values);
    json_t **sorted = calloc(count + 1, sizeof(json_t *));
    if (sorted == NULL)
        return EXIT_FOUND;
    for (size_t i = 0; i < count; i++)
        sorted[i] = json_array_get(values, i);
    qsort(sorted, count, sizeof(json_t *), compare_values);
    for (size_t i = 0; i < count; i++)
        print_value(sorted[i]);
    free(sorted);
    if (count == 0)
        puts("(empty)");
    if (more > 0)
        printf("and %lld more\n", (long long)more);
    return EXIT_FINE;
}

static int print_reply(const struct options *options, const json_t *reply)
{
    const char *value = json_string_value(json_object_get(reply, "value"));
    if (options->is_json) {
        json_dumpf(reply, stdout, JSON_COMPACT);
        putchar('\n');
        return EXIT_FINE;
    }
    if (value == NULL)
        return print_values(reply);
    if (options->remove != NULL)
        printf("%s: %s is removed\n", options->list, value);
    else if (options->time != NULL)
        printf("%s: %s is added for %s\n", options->list, value, options->time);
    else
        printf("%s: %s is added until it is removed\n", options->list, value);
    return EXIT_FINE;
}

int command_list(int argc, char **argv)
{
    struct options options = {.config = DEFAULT_CONFIG};
    json_t *reply;
    int code = read_arguments(argc, argv, &options);
    if (code != EXIT_FINE)
        return code;
    json_t *request = make_request(&options);
    if (request == NULL) {
        fputs("postern list: names and values are UTF-8\n", stderr);
        return EXIT_USAGE;
    }
    enum control_end end = control_ask("list", options.config, request, &reply);
    code = end == CONTROL_ANSWERED     ? print_reply(&options, reply)
           : end == CONTROL_UNREADABLE ? EXIT_CONFIG
                                       : EXIT_FOUND;
    json_decref(reply);
    return code;
}
