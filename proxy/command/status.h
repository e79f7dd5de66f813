/* `postern status`: how the running server and its upstreams are. */
#ifndef PROXY_COMMAND_STATUS_H
#define PROXY_COMMAND_STATUS_H

int command_status(int argc, char **argv);

#endif
