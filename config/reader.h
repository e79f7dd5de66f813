/* What every reader of a section works with: where diagnostics go, and where
 * what is kept is kept. File names of marks are kept already: a mark may be
 * copied into the settings as it is. */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include "config/diag.h"
#include "config/files.h"

struct settings;

struct reader {
    struct diags *diags;
    struct settings *settings; /* being filled, section by section */
    struct arena *arena;       /* of the settings: what outlives the load */
    struct arena *scratch;     /* of the load */
    struct str *files;         /* octets of all files, as they were read */
    size_t file_count, file_capacity;
    bool has_upstream;    /* the top level names one, right or wrong */
    bool is_full;         /* an arena was full: said once */
    struct files *source; /* NULL: what a path names is not read */
    bool is_shadow;       /* what is read now is the candidate's policy */
};

/* Says once that the configuration is too large for its memory. */
void reader_full(struct reader *reader, struct mark mark);
/* Copies into the settings' arena. p is NULL when it is full. */
struct str reader_keep(struct reader *reader, struct mark mark, struct str s);
/* The same for a path: a relative one is taken from the directory of the file
 * in which it stands. NULL when the arena is full. */
const char *reader_path(struct reader *reader, struct mark mark,
                        struct str path);

/* The same for a unix socket's, which must not be too long: NULL after an
 * error. */
const char *reader_socket_path(struct reader *reader, struct mark mark,
                               struct str path);

#define READER_FILES_MAX 1000

/* The octets of a FILE_CONFIGURATION or a FILE_LIST, which are the source's.
 * An error at `mark` when it can't be read, is no regular file, or is too
 * large; then -1. */
int reader_file(struct reader *reader, enum file_kind kind, struct mark mark,
                const char *path, struct str *octets);
/* Counts octets that came in another way among the files. */
int reader_add_file(struct reader *reader, struct mark mark, struct str octets);

#endif
