#include "proxy/command/subcommands.h"

#include <assert.h>
#include <string.h>

#include "proxy/command/check.h"
#include "proxy/command/help.h"
#include "proxy/command/passwd.h"
#include "proxy/command/run.h"
#include "proxy/command/tail.h"
#include "rules/nearest.h"

const struct subcommand subcommands[] = {
    {
        .name = "run",
        .synopsis = "[-c FILE]",
        .summary = "run the server in the foreground",
        .details = "  -c FILE   the configuration (" DEFAULT_CONFIG ")\n"
                   "\n"
                   "SIGTERM ends it: no new sessions, transactions finish.\n"
                   "SIGHUP opens the decision log anew.\n"
                   "Exits 0; 1 when an address is in use; 78 when the\n"
                   "configuration is wrong.\n",
        .run = command_run,
    },
    {
        .name = "check",
        .synopsis = "[--json] [FILE]",
        .summary = "validate a configuration and run its policy tests",
        .details =
            "  FILE      the configuration (" DEFAULT_CONFIG ")\n"
            "  --json    for editors: one object instead of lines\n"
            "\n"
            "Prints file:line:column: error: text, and warnings. Opens what\n"
            "the configuration names (certificates, users) as run does.\n"
            "Exits 0; 1 when a policy test failed; 78 when the configuration\n"
            "is wrong.\n",
        .run = command_check,
    },
    {
        .name = "tail",
        .synopsis = "[-f] [-c FILE] [FILTER ...] [LOG]",
        .summary = "show the decision log for people",
        .details =
            "  -f        the last ten lines, then what is added; goes on\n"
            "            behind a rotation\n"
            "  -c FILE   the configuration that names the log, when LOG is\n"
            "            not given (" DEFAULT_CONFIG ")\n"
            "\n"
            "Filters; of several with one word any may hold, of different\n"
            "words all must. Values may hold *.\n"
            "  user=NAME         from=ADDRESS     to=ADDRESS\n"
            "  verdict=accept    rule=NAME        listener=NAME\n"
            "  client=ADDRESS    (or a network: 192.0.2.0/24)\n"
            "  id=ID             a session's takes its transactions along\n"
            "  event=transaction (session, auth, limit, list, upstream,\n"
            "                    config, log; or all). Without it:\n"
            "                    transactions, failed logins, lists\n"
            "  since=1h until=2026-01-05T09:30   how long ago, or a time\n"
            "                    (local, or with Z)\n",
        .run = command_tail,
    },
    {
        .name = "passwd",
        .synopsis = "[USER]",
        .summary = "make a line for the users file",
        .details =
            "  USER      the login; asked for when missing\n"
            "\n"
            "Asks for the password twice, without showing it, or reads one\n"
            "line from standard input when that is not a terminal. Prints\n"
            "the line alone to standard output:\n"
            "  postern passwd bob >> /etc/postern/users\n"
            "Behind addresses= stand the addresses that the login owns, with\n"
            "commas between; groups=a,b may follow behind a space.\n",
        .run = command_passwd,
    },
    {
        .name = "help",
        .synopsis = "[COMMAND]",
        .summary = "say this, or more of one command",
        .run = command_help,
    },
    {.name = "explain",
     .synopsis = "ID | -c FILE --user NAME ...",
     .summary = "why a mail was or would be refused"},
    {.name = "replay",
     .synopsis = "LOG -c FILE",
     .summary = "run a recorded day through another policy"},
    {.name = "status",
     .synopsis = "[-c FILE]",
     .summary = "ask the running server how it is"},
    {.name = "reload",
     .synopsis = "[-c FILE]",
     .summary = "take up a changed configuration"},
    {.name = "drain",
     .synopsis = "[-c FILE]",
     .summary = "take no new sessions"},
    {.name = "upgrade",
     .synopsis = "[-c FILE]",
     .summary = "go over to a new program without closing the doors"},
    {.name = "stop", .synopsis = "[-c FILE]", .summary = "end the server"},
    {.name = "limits",
     .synopsis = "[KEY] [--reset] [--boost 2x --for 1h]",
     .summary = "show and change budgets"},
    {.name = "list",
     .synopsis = "NAME [--add VALUE] [--remove VALUE]",
     .summary = "show and change dynamic lists"},
    {.name = "schema",
     .synopsis = "",
     .summary = "the JSON Schema of postern.yaml"},
};

const size_t subcommand_count = sizeof subcommands / sizeof subcommands[0];

const struct subcommand *subcommand_find(const char *name)
{
    for (size_t i = 0; i < subcommand_count; i++)
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    return NULL;
}

const char *subcommand_nearest(const char *name)
{
    const char *names[sizeof subcommands / sizeof subcommands[0]];
    for (size_t i = 0; i < subcommand_count; i++)
        names[i] = subcommands[i].name;
    return nearest_word(str_from(name), names, subcommand_count);
}

int subcommand_unknown(const char *name)
{
    const char *nearest = subcommand_nearest(name);
    fprintf(stderr, "postern: there is no command %s", name);
    if (nearest != NULL)
        fprintf(stderr, "; did you mean %s?", nearest);
    fputs("\n`postern help` names them.\n", stderr);
    return EXIT_USAGE;
}

void subcommand_usage(const struct subcommand *command, FILE *to)
{
    fprintf(to, "usage: postern %s%s%s\n", command->name,
            command->synopsis[0] == '\0' ? "" : " ", command->synopsis);
}

int subcommand_misuse(const char *name, const char *what, const char *word)
{
    const struct subcommand *command = subcommand_find(name);
    assert(command != NULL);
    fprintf(stderr, "postern %s: %s%s%s\n", name, what, word == NULL ? "" : " ",
            word == NULL ? "" : word);
    subcommand_usage(command, stderr);
    return EXIT_USAGE;
}
