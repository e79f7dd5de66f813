/* A client that sends mail as fast as it can, or holds sessions, and tells
 * what it took. Each message can be told from every other by the sink that
 * gets it in the end (message_sum.h). It shares no code with what it
 * measures. */
#include <signal.h>

#include "tests/bench/load/load.h"
#include "tests/bench/load/load_options.h"
#include "tests/bench/load/load_report.h"
#include "tests/bench/load/load_run.h"
#include "tests/bench/load/open_files.h"

/* Beside the connections: the standard ones, epoll, and to spare. */
#define OTHER_FILES 16

int main(int argc, char **argv)
{
    struct load_options options;
    struct load load;
    load_options_read(&options, argc, argv);
    open_files_allow(OTHER_FILES +
                     (options.idle > 0 ? options.idle : options.connections));
    signal(SIGPIPE, SIG_IGN);
    load_init(&load, &options);
    load_run(&load);
    load_report_print(&load);
    bool is_good = options.allows_errors || load_report_is_good(&load);
    load_release(&load);
    return is_good ? 0 : 1;
}
