#include "proxy/command/reload.h"

#include <stdio.h>

#include "proxy/command/config_option.h"
#include "proxy/command/subcommands.h"
#include "proxy/control/control_client.h"

#include <jansson.h>

static void print_reply(const json_t *reply)
{
    const char *sections =
        json_string_value(json_object_get(reply, "sections"));
    printf("reloaded: policy %s, %lld tests passed\n",
           json_string_value(json_object_get(reply, "policy")),
           (long long)json_integer_value(json_object_get(reply, "tests")));
    if (sections != NULL && sections[0] != '\0')
        printf("a new worker process serves, as %s changed; sessions that are "
               "open end by themselves in the old one\n",
               sections);
}

int command_reload(int argc, char **argv)
{
    const char *config = DEFAULT_CONFIG;
    json_t *reply;
    if (config_option_read(argc, argv, &config, NULL, NULL) != EXIT_FINE)
        return EXIT_USAGE;
    enum control_end end = control_ask(
        "reload", config, json_pack("{s:s}", "do", "reload"), &reply);
    if (end == CONTROL_UNREADABLE)
        fputs("postern reload: the server was not asked, its policy stays as "
              "it was\n",
              stderr);
    if (end == CONTROL_ANSWERED)
        print_reply(reply);
    json_decref(reply);
    return end == CONTROL_ANSWERED ? EXIT_FINE : EXIT_FOUND;
}
