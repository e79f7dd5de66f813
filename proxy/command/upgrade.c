/* The server answers before it goes over to the new program; whether that
 * serves is asked again. */
#include "proxy/command/upgrade.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "proxy/command/config_option.h"
#include "proxy/command/subcommands.h"
#include "proxy/control/control_client.h"

#define LOOK_MS 200
#define LOOKS_MAX (10 * 60 * 1000 / LOOK_MS)

/* What the server says of the generation that it was to come to. */
static const char *state_of(const json_t *status, json_int_t generation)
{
    const json_t *succession = json_object_get(status, "succession");
    const char *state = json_string_value(json_object_get(succession, "state"));
    if (state != NULL && strcmp(state, "failed") == 0)
        return state;
    if (json_integer_value(json_object_get(succession, "generation")) <
        generation)
        return "under way";
    return state == NULL ? "under way" : state;
}

static int tell(const json_t *status, const char *state)
{
    if (strcmp(state, "done") == 0) {
        printf("upgraded: postern %s\n",
               json_string_value(json_object_get(status, "version")));
        return EXIT_FINE;
    }
    const char *error = json_string_value(
        json_object_get(json_object_get(status, "succession"), "error"));
    fprintf(stderr, "postern upgrade: %s\n",
            error == NULL ? "it failed: see the server log" : error);
    return EXIT_FOUND;
}

/* While the program is exchanged who connects waits. */
static int follow(const char *config, json_int_t generation)
{
    for (int i = 0; i < LOOKS_MAX; i++) {
        json_t *status;
        (void)poll(NULL, 0, LOOK_MS);
        if (control_ask("upgrade", config, json_pack("{s:s}", "do", "status"),
                        &status) == CONTROL_UNREACHED)
            return EXIT_FOUND;
        const char *state = state_of(status, generation);
        int code = strcmp(state, "under way") == 0 ? -1 : tell(status, state);
        json_decref(status);
        if (code >= 0)
            return code;
    }
    fputs("postern upgrade: the new program does not serve yet: see the "
          "server log\n",
          stderr);
    return EXIT_FOUND;
}

int command_upgrade(int argc, char **argv)
{
    const char *config = DEFAULT_CONFIG;
    json_t *reply;
    int status = EXIT_FOUND;
    if (config_option_read(argc, argv, &config, NULL, NULL) != EXIT_FINE)
        return EXIT_USAGE;
    enum control_end end = control_ask(
        "upgrade", config, json_pack("{s:s}", "do", "upgrade"), &reply);
    if (end == CONTROL_ANSWERED)
        status = follow(
            config, json_integer_value(json_object_get(reply, "generation")));
    json_decref(reply);
    return end == CONTROL_UNREADABLE ? EXIT_CONFIG : status;
}
