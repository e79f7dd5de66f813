/* A file on its way into a Maildir: tmp/, fsync, new/, fsync of the
 * directory. Every call blocks, so they are made in jobs; results are 0 or an
 * errno. Beside them, what the embedded upstream is able to do. */
#ifndef PROXY_UPSTREAM_MAILDIR_H
#define PROXY_UPSTREAM_MAILDIR_H

#include "proxy/smtp/capability.h"

#define MAILDIR_NAME_MAX 200

/* Makes the Maildir and its tmp, new and cur where they are missing (not the
 * directories above), for the owner alone. Called at start. An errno also
 * where no message could be written. */
int maildir_prepare(const char *path);
/* The same question of what there is, but makes nothing. */
int maildir_check(const char *path);
void maildir_capabilities(struct capabilities *out);

struct maildir_file {
    const char *path; /* of the Maildir, borrowed */
    char name[MAILDIR_NAME_MAX];
    int fd; /* -1: not open */
    bool is_in_tmp;
};

/* What makes a name unique: time, process, sequence, id, host. */
struct maildir_name {
    uint64_t wall_us;
    uint64_t sequence;
    struct str id;
    struct str host;
};

/* `path` is borrowed. Touches nothing yet. */
void maildir_file_init(struct maildir_file *file, const char *path,
                       const struct maildir_name *name);
/* Opens it in tmp/ at the first call. */
int maildir_file_write(struct maildir_file *file, struct str octets);
/* Makes it a message; on failure nothing of it is left. */
int maildir_file_commit(struct maildir_file *file);
/* Closes and unlinks what there is. */
void maildir_file_abandon(struct maildir_file *file);

#endif
