/* Files that hold passwords, tokens or hashes: nobody but their owner and
 * group may read them. */
#ifndef CONFIG_SECRET_FILE_H
#define CONFIG_SECRET_FILE_H

#include <stddef.h>

/* The octets of a plain file of at most `max`, owned by the caller, who wipes
 * them; *length of them. NULL, and then *length is 0 and *wrong has words that follow the
 * file's name: "others may read or write it; chmod o= it". */
char *secret_file_read(const char *path, size_t max, size_t *length,
                       const char **wrong);
/* Wipes and frees. */
void secret_file_free(char *octets, size_t length);

#endif
