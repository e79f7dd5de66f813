#include "proxy/command/explain_options.h"

#include <string.h>

#include "proxy/command/subcommands.h"
#include "rules/nearest.h"

struct option {
    const char *name;
    size_t offset; /* of a text */
    bool is_dry;   /* belongs to the dry run */
};

#define OPTION(field) offsetof(struct explain_options, field)

static const struct option options[] = {
    {"-c", OPTION(config), false},
    {"--log", OPTION(log), false},
    {"--user", OPTION(user), true},
    {"--groups", OPTION(groups), true},
    {"--addresses", OPTION(addresses), true},
    {"--auth", OPTION(auth), true},
    {"--from", OPTION(from), true},
    {"--client", OPTION(client), true},
    {"--helo", OPTION(helo), true},
    {"--listener", OPTION(listener), true},
    {"--size", OPTION(size), true},
    {"--message", OPTION(message), true},
    {"--at", OPTION(at), true},
    {"--reply", OPTION(reply), true},
};

#define OPTION_COUNT (sizeof options / sizeof options[0])

/* Those that may come several times. */
struct many {
    const char *name;
    size_t items, count, room;
};

static const struct many many[] = {
    {"--to", OPTION(to), OPTION(to_count), EXPLAIN_TO_MAX},
    {"--fact", OPTION(facts), OPTION(fact_count), EXPLAIN_FACTS_MAX},
    {"--answer", OPTION(answers), OPTION(answer_count), EXPLAIN_FACTS_MAX},
};

#define MANY_COUNT (sizeof many / sizeof many[0])

static int unknown(const char *word)
{
    const char *names[OPTION_COUNT + MANY_COUNT + 1];
    size_t count = 0;
    char text[96];
    for (size_t i = 0; i < OPTION_COUNT; i++)
        names[count++] = options[i].name;
    for (size_t i = 0; i < MANY_COUNT; i++)
        names[count++] = many[i].name;
    names[count++] = "--json";
    const char *nearest = nearest_word(str_from(word), names, count);
    if (nearest == NULL)
        return subcommand_misuse("explain", "there is no option", word);
    snprintf(text, sizeof text, "there is no option %.40s, did you mean %s?",
             word, nearest);
    return subcommand_misuse("explain", text, NULL);
}

/* Which of them `word` is; -1: none. */
static int find_many(const char *word)
{
    for (size_t i = 0; i < MANY_COUNT; i++)
        if (strcmp(word, many[i].name) == 0)
            return (int)i;
    return -1;
}

static int find_option(const char *word)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (strcmp(word, options[i].name) == 0)
            return (int)i;
    return -1;
}

static int take_many(struct explain_options *into, const struct many *which,
                     const char *value)
{
    char *base = (char *)into;
    size_t *count = (size_t *)(void *)(base + which->count);
    const char **items = (const char **)(void *)(base + which->items);
    if (*count == which->room)
        return subcommand_misuse("explain", "too often:", which->name);
    items[(*count)++] = value;
    return EXIT_FINE;
}

static int take_option(struct explain_options *into,
                       const struct option *option, const char *value)
{
    const char **text = (const char **)(void *)((char *)into + option->offset);
    if (*text != NULL)
        return subcommand_misuse("explain", "given twice:", option->name);
    *text = value;
    return EXIT_FINE;
}

static int take_word(struct explain_options *into, const char *word)
{
    if (word[0] == '-' && word[1] != '\0')
        return unknown(word);
    if (into->id != NULL)
        return subcommand_misuse("explain", "one id at a time", NULL);
    into->id = word;
    return EXIT_FINE;
}

/* Which of the two forms it is. */
static int check_form(const struct explain_options *into)
{
    bool is_dry =
        into->to_count > 0 || into->fact_count > 0 || into->answer_count > 0;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const char *const *text =
            (const char *const *)(const void *)((const char *)into +
                                                options[i].offset);
        if (options[i].is_dry && *text != NULL)
            is_dry = true;
    }
    if (into->id != NULL && is_dry)
        return subcommand_misuse(
            "explain", "an id tells of a past mail, options of a made-up one",
            NULL);
    if (into->id == NULL && into->log != NULL)
        return subcommand_misuse("explain", "--log goes with an id", NULL);
    if (into->id == NULL && !is_dry)
        return subcommand_misuse(
            "explain", "give the id in a reply, or --user, --from and --to",
            NULL);
    return EXIT_FINE;
}

int explain_options_read(struct explain_options *into, int argc, char **argv)
{
    int code = EXIT_FINE;
    *into = (struct explain_options){0};
    for (int i = 1; i < argc && code == EXIT_FINE; i++) {
        int single = find_option(argv[i]);
        int several = find_many(argv[i]);
        if (strcmp(argv[i], "--json") == 0)
            into->is_json = true;
        else if (single < 0 && several < 0)
            code = take_word(into, argv[i]);
        else if (i + 1 == argc)
            code = subcommand_misuse("explain", "a value is missing behind",
                                     argv[i]);
        else if (single >= 0)
            code = take_option(into, &options[single], argv[++i]);
        else
            code = take_many(into, &many[several], argv[++i]);
    }
    return code == EXIT_FINE ? check_form(into) : code;
}
