/* What all commands take that ask the running server: -c FILE. */
#ifndef PROXY_COMMAND_CONFIG_OPTION_H
#define PROXY_COMMAND_CONFIG_OPTION_H

/* An argument that is not -c FILE; it may step *i over arguments of its own.
 * EXIT_FINE, or EXIT_USAGE after it has said what is wrong. */
typedef int config_option_other(void *owner, int argc, char **argv, int *i);

/* Reads the arguments of the command argv[0]. `other` may be NULL: there are
 * no more. EXIT_FINE, or EXIT_USAGE with words on stderr. */
int config_option_read(int argc, char **argv, const char **config,
                       config_option_other *other, void *owner);

#endif
