#include "tests/bench/load/options.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/load/fatal.h"
#include "tests/bench/load/number.h"

static _Noreturn void print_help(const struct option_row *rows)
{
    printf("usage: %s [options]\n", program_invocation_short_name);
    for (const struct option_row *row = rows; row->name != NULL; row++) {
        char shown[64];
        snprintf(shown, sizeof shown, "--%s %s", row->name,
                 row->value == NULL ? "" : row->value);
        printf("  %-28s %s\n", shown, row->help);
    }
    exit(0);
}

/* Of "--NAME" or "--NAME=VALUE". */
static const struct option_row *find_row(const struct option_row *rows,
                                         const char *word)
{
    size_t size = strncmp(word, "--", 2) == 0 ? strcspn(word + 2, "=") : 0;
    for (const struct option_row *row = rows; row->name != NULL; row++) {
        if (size == strlen(row->name) && memcmp(word + 2, row->name, size) == 0)
            return row;
    }
    fatal("%s is no option; --help shows them", word);
}

static uint64_t number_of(const struct option_row *row, const char *value)
{
    uint64_t number;
    if (!number_read(value, &number, NULL) || number < row->min ||
        number > row->max)
        fatal("--%s takes a number from %" PRIu64 " to %" PRIu64, row->name,
              row->min, row->max);
    return number;
}

static double seconds_of(const struct option_row *row, const char *value)
{
    char *end;
    double seconds = strtod(value, &end);
    if (end == value || *end != '\0' || !isfinite(seconds) || seconds < 0)
        fatal("--%s takes seconds", row->name);
    return seconds;
}

static unsigned word_of(const struct option_row *row, const char *value)
{
    for (unsigned i = 0; row->words[i] != NULL; i++) {
        if (strcmp(value, row->words[i]) == 0)
            return i;
    }
    fatal("--%s takes %s", row->name, row->value);
}

static void fill(const struct option_row *row, void *field, const char *value)
{
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        break;
    case OPTION_NUMBER:
        *(uint64_t *)field = number_of(row, value);
        break;
    case OPTION_SECONDS:
        *(double *)field = seconds_of(row, value);
        break;
    case OPTION_TEXT:
        *(const char **)field = value;
        break;
    case OPTION_WORD:
        *(unsigned *)field = word_of(row, value);
        break;
    }
}

void options_read(const struct option_row *rows, void *fields, int argc,
                  char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0)
            print_help(rows);
        const struct option_row *row = find_row(rows, argv[i]);
        const char *value = strchr(argv[i], '=');
        if (row->kind == OPTION_FLAG && value != NULL)
            fatal("--%s takes no value", row->name);
        if (value != NULL)
            value++;
        else if (row->kind != OPTION_FLAG && (value = argv[++i]) == NULL)
            fatal("--%s takes a value", row->name);
        fill(row, (char *)fields + row->offset, value);
    }
}
