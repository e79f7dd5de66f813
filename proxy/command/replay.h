/* postern replay LOG -c FILE [--json]: a back-test. */
#ifndef PROXY_COMMAND_REPLAY_H
#define PROXY_COMMAND_REPLAY_H

int command_replay(int argc, char **argv);

#endif
