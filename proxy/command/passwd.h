/* `postern passwd`. Makes a line for the users file. */
#ifndef PROXY_COMMAND_PASSWD_H
#define PROXY_COMMAND_PASSWD_H

/* argv[0] is "passwd"; gives the exit code. */
int command_passwd(int argc, char **argv);

#endif
