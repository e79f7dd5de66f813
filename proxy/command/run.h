/* `postern run`. Runs the server in the foreground until it is stopped. */
#ifndef PROXY_COMMAND_RUN_H
#define PROXY_COMMAND_RUN_H

/* argv[0] is "run"; gives the exit code. */
int command_run(int argc, char **argv);

#endif
