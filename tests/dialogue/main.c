/* dialogue_runner [-v] [-m MODE [-n N]] FILE: plays a dialogue in all modes
 * it allows, or in one; with the Nth allocation failing, or each in turn. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/dialogue/alloc_fault.h"
#include "tests/dialogue/player.h"

/* A dialogue's failing allocations are tried for so long. */
#define FAULT_SECONDS 60
#define FAULTS_SHOWN 5

static const struct fault_plan NO_FAULT = {0, false};

struct options {
    bool is_verbose;
    unsigned modes;
    size_t nth;
    const char *path;
};

/* A sanitizer or an assertion may end the program in the middle of a run:
 * this is what it then says last. */
static char dying_words[128];

static void say_dying_words(void)
{
    ssize_t n = write(STDERR_FILENO, dying_words, strlen(dying_words));
    (void)n;
}

static void on_abort(int number)
{
    (void)number;
    say_dying_words();
}

void __sanitizer_set_death_callback(void (*callback)(void))
    __attribute__((weak));

static void prepare_to_die(void)
{
    signal(SIGABRT, on_abort);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(say_dying_words);
}

static enum player_result run(const struct scene *scene, unsigned mode,
                              struct fault_plan fault, bool is_verbose)
{
    snprintf(dying_words, sizeof dying_words,
             "died in mode %s, allocation %zu%s\n",
             mode == MODE_WHOLE   ? "whole"
             : mode == MODE_SPLIT ? "split"
             : mode == MODE_LATE  ? "late"
                                  : "fault",
             fault.nth, fault.is_lasting ? " and all behind it" : "");
    enum player_result result = player_run(scene, mode, fault, is_verbose);
    dying_words[0] = '\0';
    return result;
}

/* The nth allocation fails alone, then with all behind it. */
static enum player_result run_fault(const struct scene *scene, size_t nth,
                                    bool is_verbose)
{
    enum player_result alone =
        run(scene, MODE_FAULT, (struct fault_plan){nth, false}, is_verbose);
    enum player_result lasting =
        run(scene, MODE_FAULT, (struct fault_plan){nth, true}, is_verbose);
    return alone == PLAYER_FINE ? lasting : alone;
}

/* Each allocation in turn, until a run needs no more of them. */
static bool run_faults(const struct scene *scene, const struct options *options)
{
    time_t start = time(NULL);
    size_t failures = 0, nth = options->nth ? options->nth : 1;
    enum player_result result;
    do {
        result = run_fault(scene, nth++, options->is_verbose);
        failures += result == PLAYER_FAILED;
    } while (!options->nth && result != PLAYER_NO_FAULT &&
             failures < FAULTS_SHOWN && time(NULL) - start < FAULT_SECONDS);
    printf("%s: %zu allocations failed in turn%s\n", options->path, nth - 2,
           result == PLAYER_NO_FAULT ? "" : ", not all there are");
    return !failures;
}

static bool run_modes(const struct scene *scene, const struct options *options)
{
    unsigned modes = scene->script->modes & options->modes;
    bool is_verbose = options->is_verbose;
    if ((modes & MODE_WHOLE) &&
        run(scene, MODE_WHOLE, NO_FAULT, is_verbose) != PLAYER_FINE)
        return false;
    if ((modes & MODE_SPLIT) &&
        run(scene, MODE_SPLIT, NO_FAULT, is_verbose) != PLAYER_FINE)
        return false;
    if ((modes & MODE_LATE) &&
        run(scene, MODE_LATE, NO_FAULT, is_verbose) != PLAYER_FINE)
        return false;
    return !(modes & MODE_FAULT) || run_faults(scene, options);
}

static int read_options(int count, char **arguments, struct options *out)
{
    static const char *const names[] = {"whole", "split", "fault", "late"};
    int option;
    *out = (struct options){.modes = MODE_ALL};
    while ((option = getopt(count, arguments, "vm:n:")) != -1) {
        if (option == 'v')
            out->is_verbose = true;
        else if (option == 'n')
            out->nth = strtoul(optarg, NULL, 10);
        else if (option == 'm') {
            out->modes = 0;
            for (unsigned i = 0; i < 4; i++)
                if (strcmp(optarg, names[i]) == 0)
                    out->modes = 1u << i;
        } else
            return -1;
    }
    out->path = arguments[optind];
    return out->path && out->modes ? 0 : -1;
}

int main(int count, char **arguments)
{
    struct options options;
    struct script script;
    struct scene scene;
    if (read_options(count, arguments, &options)) {
        fprintf(stderr, "usage: dialogue_runner [-v] [-m "
                        "whole|split|late|fault [-n N]] FILE\n");
        return 2;
    }
    prepare_to_die();
    int failed = script_read(&script, options.path);
    if (!failed) {
        failed = scene_open(&scene, &script);
        if (!failed)
            failed = !run_modes(&scene, &options);
        scene_close(&scene);
    }
    script_release(&script);
    return failed ? 1 : 0;
}
