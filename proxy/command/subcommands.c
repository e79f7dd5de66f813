#include "proxy/command/subcommands.h"

#include <assert.h>
#include <string.h>

#include "proxy/command/check.h"
#include "proxy/command/drain.h"
#include "proxy/command/explain.h"
#include "proxy/command/help.h"
#include "proxy/command/limits.h"
#include "proxy/command/list.h"
#include "proxy/command/loglevel.h"
#include "proxy/command/passwd.h"
#include "proxy/command/reload.h"
#include "proxy/command/replay.h"
#include "proxy/command/run.h"
#include "proxy/command/schema.h"
#include "proxy/command/status.h"
#include "proxy/command/stop.h"
#include "proxy/command/tail.h"
#include "proxy/command/top.h"
#include "proxy/command/upgrade.h"
#include "rules/nearest.h"

const struct subcommand subcommands[] = {
    {
        .name = "run",
        .synopsis = "[-c FILE]",
        .summary = "run the server in the foreground",
        .details = "  -c FILE   the configuration (" DEFAULT_CONFIG ")\n"
                   "\n"
                   "SIGTERM ends it: no new sessions, transactions finish.\n"
                   "SIGHUP opens the logs anew and reloads the policy.\n"
                   "Exits 0; 1 when an address is in use; 78 when the\n"
                   "configuration is wrong.\n",
        .run = command_run,
    },
    {
        .name = "check",
        .synopsis = "[--json] [--no-files] [FILE]",
        .summary = "validate a configuration and run its policy tests",
        .details =
            "  FILE      the configuration (" DEFAULT_CONFIG ")\n"
            "  --json    for editors: one object instead of lines\n"
            "  --no-files  open no certificates, users, Maildirs or logs:\n"
            "            for a policy that is written on another machine\n"
            "\n"
            "Prints file:line:column: error: text, and warnings, and for each\n"
            "limit what it lets through at once and in any period. Opens what\n"
            "the configuration names as run does, then runs its tests.\n"
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
            "  shadow=differs    a shadow rule or policy disagrees\n"
            "  since=1h until=2026-01-05T09:30   how long ago, or a time\n"
            "                    (local, or with Z)\n",
        .run = command_tail,
    },
    {
        .name = "passwd",
        .synopsis = "[--scram] [USER]",
        .summary = "make a line for the users file",
        .details =
            "  USER      the login; asked for when missing\n"
            "  --scram   keys for SCRAM-SHA-256, by which a client never\n"
            "            sends its password; PLAIN and LOGIN work too\n"
            "\n"
            "Asks for the password twice, without showing it, or reads one\n"
            "line from standard input when that is not a terminal. Prints\n"
            "the line alone to standard output:\n"
            "  postern passwd bob >> /etc/postern/users\n"
            "Behind addresses= stand the addresses that the login owns, with\n"
            "commas between; groups=a,b and may_act_as=login,login may\n"
            "follow behind a space each.\n",
        .run = command_passwd,
    },
    {
        .name = "reload",
        .synopsis = "[-c FILE]",
        .summary = "take up a changed configuration",
        .details =
            "  -c FILE   the configuration that the server runs with\n"
            "            (" DEFAULT_CONFIG ")\n"
            "\n"
            "The server reads its files anew, runs the policy tests, and the\n"
            "recorded day of reload.replay, while mail flows. If anything\n"
            "fails all stays as it was; what is wrong is printed as check\n"
            "prints it.\n"
            "Open sessions see at their next MAIL what has changed of policy,\n"
            "lists, tests, shadow, reload, split and policy_servers; new\n"
            "handshakes and logins see what the files of certificates, users\n"
            "and secrets hold now. For any other change a new worker process\n"
            "serves whoever comes from then on; open sessions go on in the\n"
            "old one, as they began, and end by themselves, within\n"
            "timeouts.drain. Only another `control` needs a restart.\n"
            "SIGHUP does the same and says in the server log how it went.\n"
            "Exits 0; 1 when it was refused, or no server answers.\n",
        .run = command_reload,
    },
    {
        .name = "list",
        .synopsis = "NAME [--add VALUE [--for TIME] | --remove VALUE]",
        .summary = "show and change dynamic lists",
        .details =
            "  --add VALUE     put it in; until it is removed, or\n"
            "  --for TIME      for so long: 30m, 12h, 7d\n"
            "  --remove VALUE  take it out\n"
            "  --json          for programs\n"
            "  -c FILE         the configuration that the server runs with\n"
            "                  (" DEFAULT_CONFIG ")\n"
            "\n"
            "Without --add or --remove: the values and how long each stays.\n"
            "A value that is in already stays for the longer of both times.\n"
            "  postern list contained --add bob --for 12h\n"
            "Exits 0; 1 when there is no such list, or no server answers.\n",
        .run = command_list,
    },
    {
        .name = "limits",
        .synopsis = "[KEY [--reset | --boost FACTOR --for TIME]] [--json]",
        .summary = "show and change budgets",
        .details =
            "  KEY             what a limit counts by, as `by` makes it: a\n"
            "                  login, a network, an address\n"
            "  --reset         nothing is used any more; mail under way still\n"
            "                  counts when it is accepted\n"
            "  --boost FACTOR  2x, 1.5x, 0.5x: so many times what the rules\n"
            "                  say, at once and a period; 1x ends it\n"
            "  --for TIME      for so long: 30m, 12h, 7d; 31 days at most\n"
            "  --json          for programs\n"
            "  -c FILE         the configuration that the server runs with\n"
            "                  (" DEFAULT_CONFIG ")\n"
            "\n"
            "With a KEY: for each rule that counts under it what is used,\n"
            "held by mail under way, left, and when it is empty again.\n"
            "--reset and --boost change all rules that count by a key.\n"
            "Without: the rules with limits, and how many budgets are in use;\n"
            "of keys only hashes are kept, so they can't be listed.\n"
            "  postern limits bob --boost 2x --for 1h\n"
            "Exits 0; 1 when it is refused, or no server answers.\n",
        .run = command_limits,
    },
    {
        .name = "status",
        .synopsis = "[--json] [-c FILE]",
        .summary = "ask the running server how it is",
        .details =
            "  --json    for programs\n"
            "  -c FILE   the configuration that the server runs with\n"
            "            (" DEFAULT_CONFIG ")\n"
            "\n"
            "Since when it runs, with which policy, how many connections are\n"
            "open, and each upstream: which of its servers are up or down,\n"
            "since when, and why. Each worker asks them itself, so that for\n"
            "a moment workers may differ.\n"
            "Exits 0; 1 when no server answers; 78 when the configuration\n"
            "can't be read.\n",
        .run = command_status,
    },
    {
        .name = "top",
        .synopsis = "[-d SECONDS] [--once | --json | --metrics] [-c FILE]",
        .summary = "watch what the running server does",
        .details =
            "  -d SECONDS  how often it looks (1)\n"
            "  --once      one screen as plain text; so it is too where\n"
            "              standard output is no terminal\n"
            "  --json      the same for programs\n"
            "  --metrics   all numbers, in the text format of Prometheus\n"
            "  -c FILE     the configuration that the server runs with\n"
            "              (" DEFAULT_CONFIG ")\n"
            "\n"
            "Sessions, mail accepted, rejected and deferred over the last\n"
            "hour, upstreams, what rules refused, and who sends most, with\n"
            "the budget of theirs that is fullest. Users are those of the\n"
            "last hour.\n"
            "Keys: q ends it; s orders users by recipients, messages or\n"
            "refusals; / and a text shows the rules and users whose names\n"
            "hold it, Escape all again; p stands still.\n"
            "When the server goes away it says so and waits for it.\n"
            "Exits 0; 1 when no server answers; 78 when the configuration\n"
            "can't be read.\n",
        .run = command_top,
    },
    {
        .name = "schema",
        .synopsis = "",
        .summary = "print the JSON Schema of postern.yaml",
        .details = "For editors with the YAML language server:\n"
                   "  postern schema > /etc/postern/postern.schema.json\n"
                   "and as the first line of postern.yaml:\n"
                   "  # yaml-language-server: $schema=postern.schema.json\n",
        .run = command_schema,
    },
    {
        .name = "help",
        .synopsis = "[COMMAND]",
        .summary = "say this, or more of one command",
        .run = command_help,
    },
    {
        .name = "explain",
        .synopsis = "ID [--log FILE] [-c FILE] | -c FILE --user NAME "
                    "--from ADDRESS --to ADDRESS ...",
        .summary = "why a mail was or would be refused",
        .details =
            "The first form tells of a past session or transaction by the id\n"
            "in the reply: what was said, and every rule over what the log\n"
            "holds.\n"
            "  --log FILE        the decision log, when -c does not name it;\n"
            "                    FILE.1 is looked through too\n"
            "\n"
            "The second form is a dry run. Nobody is asked and nothing\n"
            "counted; what is not given is not known, and rules that name it\n"
            "are not asked.\n"
            "  --user NAME       who logs in; no password is needed\n"
            "  --addresses A,B   and --groups A,B: what the login owns, in\n"
            "                    place of what the users files say\n"
            "  --auth failed     the login fails (or: unavailable)\n"
            "  --from ADDRESS    <> is the empty one\n"
            "  --to ADDRESS      may come several times\n"
            "  --client IP       --helo NAME    --listener NAME\n"
            "  --size N          as declared at MAIL: 20M\n"
            "  --message FILE    header and size of a message; - is standard\n"
            "                    input\n"
            "  --at TIME         2026-01-05T09:30, with Z for UTC\n"
            "  --reply \"550 5.1.1 No such user\"   what the upstream says at\n"
            "                    the end; with RCPT in front, to each RCPT\n"
            "  --answer SERVER=ACTION   what a policy server says\n"
            "  --fact NAME=VALUE        any other fact\n"
            "\n"
            "Both: -c FILE (" DEFAULT_CONFIG "), and --json.\n"
            "Exits 0; 1 when it would be refused or there is no such id; 78\n"
            "when the configuration is wrong.\n",
        .run = command_explain,
    },
    {
        .name = "replay",
        .synopsis = "LOG [-c FILE] [--json]",
        .summary = "run a recorded day through another policy",
        .details =
            "  LOG       a decision log, perhaps a rotated one\n"
            "  -c FILE   the policy to try (" DEFAULT_CONFIG ")\n"
            "  --json    one object instead of lines\n"
            "\n"
            "Every session and mail of the log is judged once more, with the\n"
            "clock and the upstream's answers that were recorded. Says for\n"
            "each rule what would be newly refused, newly passed or decided\n"
            "otherwise, when, whose, and which facts the log lacks.\n"
            "Exits 0 when nothing changes, 1 when anything does, 2 when the\n"
            "log can't be read, 78 when the configuration is wrong.\n",
        .run = command_replay,
    },
    {
        .name = "stop",
        .synopsis = "[-c FILE]",
        .summary = "end the server",
        .details =
            "  -c FILE   the configuration that the server runs with\n"
            "            (" DEFAULT_CONFIG ")\n"
            "\n"
            "No new sessions; who is between two mails is told to come back\n"
            "later, transactions finish, within timeouts.shutdown. Waits\n"
            "until that is so. SIGTERM does the same.\n"
            "Exits 0; 1 when no server answers.\n",
        .run = command_stop,
    },
    {
        .name = "drain",
        .synopsis = "[--within TIME] [-c FILE]",
        .summary = "take no new sessions, and end with the last one",
        .details =
            "  --within TIME   how long sessions may go on by themselves,\n"
            "                  such as 5m (timeouts.drain)\n"
            "  -c FILE         the configuration that the server runs with\n"
            "                  (" DEFAULT_CONFIG ")\n"
            "\n"
            "Who connects is refused from now on, as a balancer wants it.\n"
            "Who is left when the time is over is stopped as by stop. Waits\n"
            "until the server has ended.\n"
            "Exits 0; 1 when no server answers.\n",
        .run = command_drain,
    },
    {
        .name = "upgrade",
        .synopsis = "[-c FILE]",
        .summary = "go over to a new program without closing the doors",
        .details =
            "  -c FILE   the configuration that the server runs with\n"
            "            (" DEFAULT_CONFIG ")\n"
            "\n"
            "For a program file that was replaced. The new program must pass\n"
            "check first; then it takes over the same process, its sockets\n"
            "and its budgets. Sessions that are open end by themselves in the\n"
            "old one, within timeouts.drain. Waits until the new one serves;\n"
            "if it does not, the old one goes on. SIGUSR2 does the same.\n"
            "Exits 0; 1 when it was refused, or no server answers.\n",
        .run = command_upgrade,
    },
    {
        .name = "loglevel",
        .synopsis = "debug|info [-c FILE]",
        .summary = "let the server log say more, or less again",
        .details = "  -c FILE   the configuration that the server runs with\n"
                   "            (" DEFAULT_CONFIG ")\n"
                   "\n"
                   "Until the server ends, is upgraded, or is told otherwise;\n"
                   "log.level is what it begins with.\n"
                   "Exits 0; 1 when no server answers.\n",
        .run = command_loglevel,
    },
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
