#include "proxy/command/limits.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/command/limits_table.h"
#include "proxy/command/subcommands.h"
#include "proxy/control/control_client.h"
#include "rules/quantity.h"

#include <jansson.h>

struct options {
    const char *config, *key, *factor, *time;
    uint64_t percent, for_ms;
    bool is_reset, is_json;
};

static const char **value_of(struct options *options, const char *word)
{
    if (strcmp(word, "-c") == 0)
        return &options->config;
    if (strcmp(word, "--boost") == 0)
        return &options->factor;
    return strcmp(word, "--for") == 0 ? &options->time : NULL;
}

static int read_digits(struct str text, size_t most, uint64_t *out)
{
    *out = 0;
    if (text.n == 0 || text.n > most)
        return -1;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return -1;
        *out = *out * 10 + (uint64_t)(text.p[i] - '0');
    }
    return 0;
}

/* 2x, 1.5x or 0.25x: in hundredths. */
static int read_factor(const char *text, uint64_t *out)
{
    struct str whole, rest, all = str_from(text);
    uint64_t units, parts = 0;
    if (all.n == 0 || all.p[all.n - 1] != 'x')
        return -1;
    all.n--;
    bool has_point = str_cut(all, '.', &whole, &rest);
    if (read_digits(whole, 6, &units) != 0 ||
        (has_point && read_digits(rest, 2, &parts) != 0))
        return -1;
    *out = units * 100 + (has_point && rest.n == 1 ? parts * 10 : parts);
    return 0;
}

static int check_boost(struct options *options)
{
    if (read_factor(options->factor, &options->percent) != 0)
        return subcommand_misuse("limits",
                                 "--boost needs a factor such as 2x or 1.5x, "
                                 "not",
                                 options->factor);
    if (options->percent == 100)
        return options->time == NULL
                   ? EXIT_FINE
                   : subcommand_misuse(
                         "limits", "--boost 1x ends a boost, at once", NULL);
    if (options->time == NULL)
        return subcommand_misuse("limits",
                                 "how long? --boost needs --for, such as "
                                 "--for 1h",
                                 NULL);
    if (quantity_duration(str_from(options->time), &options->for_ms) != 0 ||
        options->for_ms == 0)
        return subcommand_misuse("limits",
                                 "--for needs a time such as 30m or 12h, not",
                                 options->time);
    return EXIT_FINE;
}

static int check_arguments(struct options *options)
{
    bool is_boost = options->factor != NULL;
    if (options->key == NULL && (options->is_reset || is_boost))
        return subcommand_misuse("limits", "whose? name a key", NULL);
    if (options->is_reset && is_boost)
        return subcommand_misuse("limits", "reset or boost, one at a time",
                                 NULL);
    if (options->time != NULL && !is_boost)
        return subcommand_misuse("limits", "--for goes with --boost", NULL);
    return is_boost ? check_boost(options) : EXIT_FINE;
}

static int read_arguments(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i++) {
        const char **value = value_of(options, argv[i]);
        if (strcmp(argv[i], "--json") == 0)
            options->is_json = true;
        else if (strcmp(argv[i], "--reset") == 0)
            options->is_reset = true;
        else if (value != NULL && i + 1 == argc)
            return subcommand_misuse("limits", "a word is missing behind",
                                     argv[i]);
        else if (value != NULL)
            *value = argv[++i];
        else if (argv[i][0] == '-')
            return subcommand_misuse("limits", "there is no option", argv[i]);
        else if (options->key != NULL)
            return subcommand_misuse("limits", "one key at a time", NULL);
        else
            options->key = argv[i];
    }
    return check_arguments(options);
}

static json_t *make_request(const struct options *options)
{
    json_t *request =
        json_pack("{s:s, s:s*}", "do", "limits", "key", options->key);
    if (request == NULL)
        return NULL;
    if (options->is_reset)
        json_object_set_new(request, "reset", json_true());
    if (options->factor != NULL)
        json_object_set_new(request, "boost_percent",
                            json_integer((json_int_t)options->percent));
    if (options->for_ms > 0)
        json_object_set_new(request, "for_ms",
                            json_integer((json_int_t)options->for_ms));
    return request;
}

/* What the table that follows is. */
static const char *heading(const struct options *options)
{
    if (options->is_reset)
        return "reset";
    if (options->factor == NULL)
        return "";
    return options->percent == 100 ? "the boost has ended" : "boosted";
}

static int print_reply(const struct options *options, const json_t *reply)
{
    if (options->is_json) {
        json_dumpf(reply, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (options->key == NULL)
        limits_table_print_rules(reply, stdout);
    else
        limits_table_print_key(reply, heading(options), stdout);
    return EXIT_FINE;
}

int command_limits(int argc, char **argv)
{
    struct options options = {.config = DEFAULT_CONFIG};
    json_t *reply;
    int code = read_arguments(argc, argv, &options);
    if (code != EXIT_FINE)
        return code;
    json_t *request = make_request(&options);
    if (request == NULL) {
        fputs("postern limits: keys are UTF-8\n", stderr);
        return EXIT_USAGE;
    }
    enum control_end end =
        control_ask("limits", options.config, request, &reply);
    code = end == CONTROL_ANSWERED     ? print_reply(&options, reply)
           : end == CONTROL_UNREADABLE ? EXIT_CONFIG
                                       : EXIT_FOUND;
    json_decref(reply);
    return code;
}
