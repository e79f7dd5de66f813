/* postern upgrade. */
#ifndef PROXY_COMMAND_UPGRADE_H
#define PROXY_COMMAND_UPGRADE_H

/* Arguments begin with the command's name. An exit code. */
int command_upgrade(int argc, char **argv);

#endif
