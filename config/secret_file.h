/* Files that hold passwords, tokens or hashes: nobody but their owner and
 * group may read them. */
#ifndef CONFIG_SECRET_FILE_H
#define CONFIG_SECRET_FILE_H

#include "config/files.h"

/* The octets of a plain file of at most `max`; they are those of `files`. p
 * NULL, and then *wrong has words that follow the file's name: "others may
 * read or write it; chmod o= it". */
struct str secret_file_read(struct files *files, enum file_kind kind,
                            const char *path, size_t max, const char **wrong);
/* Wipes and frees memory that holds a secret. NULL is fine. */
void secret_free(char *octets, size_t length);

#endif
