/* `postern explain`: why a mail was or would be refused. */
#ifndef PROXY_COMMAND_EXPLAIN_H
#define PROXY_COMMAND_EXPLAIN_H

int command_explain(int argc, char **argv);

#endif
