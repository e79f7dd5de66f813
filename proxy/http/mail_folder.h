/* The messages of a Maildir, for reading alone: new/ and cur/, the newest
 * first. A name never leads out of the two, and no link is followed. Blocks;
 * any thread. */
#ifndef PROXY_HTTP_MAIL_FOLDER_H
#define PROXY_HTTP_MAIL_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* That are looked at; those beyond are not shown. */
#define MAIL_FOLDER_MAX 100000

struct mail_name {
    char *name;       /* owned */
    uint64_t seconds; /* of its delivery, as the name says; 0: it does not */
    uint32_t micros;
    bool is_new; /* of new/, else of cur/ */
};

struct mail_folder {
    struct mail_name *items;
    size_t count;
    bool has_more; /* than MAIL_FOLDER_MAX */
};

/* 0, or an errno; the folder is to be released either way. */
int mail_folder_read(struct mail_folder *folder, const char *maildir);
void mail_folder_release(struct mail_folder *folder);

/* A regular file of that name in new/ or cur/, opened for reading: the
 * caller's. -1 with errno set. */
int mail_folder_open(const char *maildir, const char *name, uint64_t *octets);

#endif
