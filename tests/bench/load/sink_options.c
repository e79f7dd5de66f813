#include "tests/bench/load/sink_options.h"

#include "tests/bench/load/fatal.h"
#include "tests/bench/load/options.h"

#define FIELD(name) offsetof(struct sink_options, name)

/* clang-format off */
static const struct option_row rows[] = {
    {"host", OPTION_TEXT, FIELD(host), .value = "ADDRESS",
     .help = "where to listen (127.0.0.1)"},
    {"port", OPTION_NUMBER, FIELD(port), 1, UINT16_MAX, .value = "N",
     .help = "(2525)"},
    {"tls", OPTION_FLAG, FIELD(is_tls), .help = "implicit TLS on that port"},
    {"starttls", OPTION_FLAG, FIELD(offers_starttls),
     .help = "offer STARTTLS on that port"},
    {"tls-port", OPTION_NUMBER, FIELD(tls_port), 0, UINT16_MAX, .value = "N",
     .help = "a second port, of implicit TLS; AUTH is offered there alone"},
    {"cert", OPTION_TEXT, FIELD(certificate), .value = "PATH",
     .help = "PEM; with any TLS"},
    {"key", OPTION_TEXT, FIELD(key), .value = "PATH",
     .help = "PEM; with any TLS"},
    {"auth", OPTION_FLAG, FIELD(offers_auth),
     .help = "offer AUTH PLAIN LOGIN, and take any password"},
    {"no-chunking", OPTION_FLAG, FIELD(lacks_chunking),
     .help = "do not offer CHUNKING"},
    {"no-pipelining", OPTION_FLAG, FIELD(lacks_pipelining),
     .help = "do not offer PIPELINING"},
    {"reject", OPTION_TEXT, FIELD(refused), .value = "TEXT",
     .help = "550 to a RCPT that has this in it"},
    {"threads", OPTION_NUMBER, FIELD(threads), 0, 256, .value = "N",
     .help = "(1)"},
    {"verify", OPTION_FLAG, FIELD(verifies),
     .help = "hold each message against the sum in its header, and count "
             "what comes twice"},
    {"pidfile", OPTION_TEXT, FIELD(pid_file), .value = "PATH",
     .help = "written when it listens"},
    {"quiet", OPTION_FLAG, FIELD(is_quiet),
     .help = "tell of no single message"},
    {"quickack", OPTION_FLAG, FIELD(acknowledges_at_once),
     .help = "never delay an acknowledgement of TCP: takes away the 40 ms "
             "of a peer whose small writes wait for them"},
    {.name = NULL},
};
/* clang-format on */

void sink_options_read(struct sink_options *options, int argc, char **argv)
{
    *options =
        (struct sink_options){.host = "127.0.0.1", .port = 2525, .threads = 1};
    options_read(rows, options, argc, argv);
    if (options->threads == 0)
        options->threads = 1;
    if (sink_options_need_tls(options) &&
        (options->certificate == NULL || options->key == NULL))
        fatal("TLS needs --cert and --key");
    if (options->is_tls && options->offers_starttls)
        fatal("--tls does not go with --starttls");
}
