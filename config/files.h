/* Every file that a configuration names is read here, once: from the disk, or
 * out of a bundle that another process made of what it read. What was given
 * stays as it was for as long as this lives, octets included: all readers of
 * one load see the same. Belongs to one thread at a time. */
#ifndef CONFIG_FILES_H
#define CONFIG_FILES_H

#include <time.h>

#include "rules/base/str.h"

struct files;

/* What a file is read for: which decides how large it may be. */
enum file_kind {
    FILE_CONFIGURATION, /* YAML: the one that was named, includes, a candidate
                           policy */
    FILE_LIST,
    FILE_USERS,
    FILE_CERTIFICATE, /* of ours, with its issuers */
    FILE_AUTHORITIES, /* CAs that others are held against */
    FILE_KEY,
    FILE_JWKS,
    FILE_SECRET, /* passwords and tokens */
    FILE_KINDS
};

/* The most octets of a file of that kind. */
size_t file_cap(enum file_kind kind);
/* "certificate": for the logs. */
const char *file_kind_name(enum file_kind kind);

/* Files of one load; more are not read. */
#define FILES_COUNT_MAX 4096
#define FILES_MATCHES_MAX 1000
#define FILES_PATH_MAX 4096

/* One file, as it was read. */
struct file {
    enum file_kind kind;
    const char *path;
    int error;         /* 0, or why it could not be read: see file_error() */
    unsigned mode;     /* of stat(); 0 when it could not be read */
    uint64_t size;     /* the same; of what is no plain file: what was read */
    struct str octets; /* p NULL: it could not be read, or is over the cap of
                          its kind */
    char digest[65];   /* SHA-256 of the octets; "" without */
};

/* What an include pattern found. */
struct file_matches {
    bool has_failed;
    size_t count;
    const char *const *paths; /* sorted by octets; NULL: over
                                 FILES_MATCHES_MAX of them */
};

/* NULL when out of memory. */
struct files *files_from_disk(void);
/* YAML, include patterns and pipes are those of `old`, which may go then; all
 * else is read from the disk anew: an editor that is half through with a
 * configuration disturbs nobody. NULL when out of memory. */
struct files *files_renewed_from(const struct files *old);
/* Answers out of a bundle alone. The descriptor stays the caller's, who may
 * close it at once. NULL with words in *wrong: it is no bundle, not sealed, or
 * memory is out. */
struct files *files_from_bundle(int fd, const char **wrong);
/* Wipes secrets. NULL is fine. */
void files_free(struct files *files);

/* The file at the path, a link followed; *out lasts as long as `files`. -1
 * when out of memory or of FILES_COUNT_MAX. */
int files_read(struct files *files, enum file_kind kind, const char *path,
               const struct file **out);
/* Words for file->error: "No such file or directory". */
const char *file_error(const struct file *file);
/* The paths that glob(7) finds. -1 when out of memory. */
int files_match(struct files *files, const char *pattern,
                struct file_matches *out);

/* A sealed memfd with all that was read so far, for files_from_bundle(). Keys
 * may stay here: neither key files nor keys within certificate files go into
 * it then. 0, or -1 with errno; ENODATA: octets were forgotten. */
int files_to_bundle(const struct files *files, bool with_keys, int *fd);

/* Wipes and frees the octets of all that is not YAML, once nobody reads them
 * any more; what is left is enough for files_look() and
 * files_renewed_from(). */
void files_forget(struct files *files);

/* The next file that is not what it was, or was not read before; NULL: there
 * is none. Begin with 0 in *at. */
const struct file *files_next_change(const struct files *before,
                                     const struct files *after, size_t *at);

/* How long nobody must have written to a file before it is read. */
#define FILES_REST_MS 50

enum files_state {
    FILES_SAME,
    FILES_RESTLESS, /* something changes: look again in FILES_REST_MS */
    FILES_CHANGED   /* and all of it rests */
};

struct files_news {
    const struct file *changed; /* the first of those that have changed */
    size_t count;
    /* Hears of each file that is gone, once. It waits until it is back. */
    void (*on_gone)(void *owner, const struct file *file);
    void *owner;
};

/* Whether a file, but for YAML, is not what was read at its path any more, or
 * than what was told the last time. */
enum files_state files_look(struct files *files, const struct timespec *now,
                            struct files_news *news);

#endif
