#include "tests/bench/load/load_options.h"

#include "tests/bench/load/fatal.h"
#include "tests/bench/load/options.h"

#define FIELD(name) offsetof(struct load_options, name)

static const char *const mode_words[] = {[MODE_PLAIN] = "plain",
                                         [MODE_STARTTLS] = "starttls",
                                         [MODE_TLS] = "tls",
                                         NULL};
static const char *const auth_words[] = {
    [AUTH_NONE] = "none", [AUTH_PLAIN] = "plain", [AUTH_LOGIN] = "login", NULL};
static const char *const tls_max_words[] = {
    [TLS_MAX_1_2] = "1.2", [TLS_MAX_1_3] = "1.3", NULL};

/* clang-format off */
static const struct option_row rows[] = {
    {"host", OPTION_TEXT, FIELD(host), .value = "ADDRESS",
     .help = "where to connect to (127.0.0.1)"},
    {"port", OPTION_NUMBER, FIELD(port), 1, UINT16_MAX, .value = "N",
     .help = "(587)"},
    {"mode", OPTION_WORD, FIELD(mode), .words = mode_words,
     .value = "plain|starttls|tls", .help = "(plain)"},
    {"auth", OPTION_WORD, FIELD(auth), .words = auth_words,
     .value = "none|plain|login", .help = "(none)"},
    {"user", OPTION_TEXT, FIELD(user), .value = "NAME", .help = "(user)"},
    {"pass", OPTION_TEXT, FIELD(password), .value = "TEXT",
     .help = "(secret)"},
    {"users", OPTION_NUMBER, FIELD(users), 0, UINT32_MAX, .value = "N",
     .help = "NAME1 to NAMEN in turn; a number goes before the @"},
    {"conns", OPTION_NUMBER, FIELD(connections), 1, 1000000, .value = "N",
     .help = "connections at once (1)"},
    {"sources", OPTION_NUMBER, FIELD(sources), 0, 65000, .value = "N",
     .help = "connect from N addresses in turn, each of a /24 of its own "
             "from 127.1.0.0 on"},
    {"per-conn", OPTION_NUMBER, FIELD(per_connection), 0, UINT32_MAX,
     .value = "N",
     .help = "messages of a connection; then QUIT, and another (any)"},
    {"total", OPTION_NUMBER, FIELD(total), 0, UINT32_MAX, .value = "N",
     .help = "messages in all (conns x per-conn)"},
    {"duration", OPTION_SECONDS, FIELD(duration_s), .value = "SECONDS",
     .help = "in place of, or as well as, a total"},
    {"size", OPTION_NUMBER, FIELD(size), 1, 1 << 30, .value = "OCTETS",
     .help = "of a message (4096)"},
    {"rcpts", OPTION_NUMBER, FIELD(recipients), 1, 100000, .value = "N",
     .help = "of a message (1)"},
    {"from", OPTION_TEXT, FIELD(from), .value = "ADDRESS",
     .help = "(sender@load.test)"},
    {"rcpt-domain", OPTION_TEXT, FIELD(recipient_domain), .value = "NAME",
     .help = "(rcpt.test)"},
    {"ehlo", OPTION_TEXT, FIELD(ehlo), .value = "NAME",
     .help = "(load.test)"},
    {"pipelining", OPTION_FLAG, FIELD(pipelines),
     .help = "MAIL, RCPT and DATA in one write, if it is offered"},
    {"chain", OPTION_FLAG, FIELD(chains),
     .help = "pipelining, and the next MAIL right behind the final dot"},
    {"bdat", OPTION_FLAG, FIELD(uses_bdat), .help = "BDAT in place of DATA"},
    {"resume", OPTION_FLAG, FIELD(resumes), .help = "resume TLS sessions"},
    {"tls-max", OPTION_WORD, FIELD(tls_max), .words = tls_max_words,
     .value = "1.2|1.3", .help = "(1.3)"},
    {"ciphers", OPTION_TEXT, FIELD(ciphers), .value = "LIST",
     .help = "of TLS 1.2; those of 1.3 are BoringSSL's choice"},
    {"groups", OPTION_TEXT, FIELD(groups), .value = "LIST",
     .help = "such as X25519"},
    {"sni", OPTION_TEXT, FIELD(server_name), .value = "NAME",
     .help = "the server name that TLS asks for (none)"},
    {"barrier", OPTION_FLAG, FIELD(has_barrier),
     .help = "send nothing before all connections are ready"},
    {"idle", OPTION_NUMBER, FIELD(idle), 0, 1000000, .value = "N",
     .help = "open N sessions, `conns` at a time, and hold them"},
    {"hold", OPTION_SECONDS, FIELD(hold_s), .value = "SECONDS",
     .help = "for so long, or until SIGINT (10)"},
    {"idle-msgs", OPTION_NUMBER, FIELD(idle_messages), 0, UINT32_MAX,
     .value = "N", .help = "messages that each of them sends first (0)"},
    {"ready-file", OPTION_TEXT, FIELD(ready_file), .value = "PATH",
     .help = "gets their count when all are there"},
    {"max-time", OPTION_SECONDS, FIELD(max_time_s), .value = "SECONDS",
     .help = "the whole run (600)"},
    {"stall", OPTION_SECONDS, FIELD(stall_s), .value = "SECONDS",
     .help = "a connection on which nothing moves (60)"},
    {"allow-errors", OPTION_FLAG, FIELD(allows_errors),
     .help = "end with status 0 all the same"},
    {"quiet", OPTION_FLAG, FIELD(is_quiet), .help = "only the line RESULT"},
    {"quickack", OPTION_FLAG, FIELD(acknowledges_at_once),
     .help = "never delay an acknowledgement of TCP"},
    {.name = NULL},
};
/* clang-format on */

/* Held sessions send what they send and then nothing; else, where no limit is
 * given, one message goes over each connection. */
static void settle_limits(struct load_options *options)
{
    if (options->idle > 0) {
        options->per_connection = options->idle_messages;
        options->has_barrier = false;
        options->total = 0;
        options->duration_s = 0;
        return;
    }
    bool is_bounded = options->total > 0 || options->duration_s > 0;
    if (options->per_connection == 0)
        options->per_connection = is_bounded ? PER_CONNECTION_ANY : 1;
    if (!is_bounded)
        options->total = options->connections * options->per_connection;
}

void load_options_read(struct load_options *options, int argc, char **argv)
{
    *options = (struct load_options){.host = "127.0.0.1",
                                     .port = 587,
                                     .user = "user",
                                     .password = "secret",
                                     .connections = 1,
                                     .size = 4096,
                                     .recipients = 1,
                                     .from = "sender@load.test",
                                     .recipient_domain = "rcpt.test",
                                     .ehlo = "load.test",
                                     .tls_max = TLS_MAX_1_3,
                                     .hold_s = 10,
                                     .max_time_s = 600,
                                     .stall_s = 60};
    options_read(rows, options, argc, argv);
    if (options->uses_bdat && options->chains)
        fatal("--bdat does not go with --chain");
    options->pipelines = options->pipelines || options->chains;
    settle_limits(options);
}
