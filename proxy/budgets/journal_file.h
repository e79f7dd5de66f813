/* The files of a state at PATH: the one that is appended to; PATH.tmp, a new
 * one being written that will take its place; PATH.bad, a damaged one kept
 * aside; PATH.lock, which keeps a second process out. Octets only. One thread
 * at a time. Each function gives 0, or -1 with errno. */
#ifndef PROXY_BUDGETS_JOURNAL_FILE_H
#define PROXY_BUDGETS_JOURNAL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal_file {
    char *path, *next_path, *bad_path, *lock_path;
    int lock_fd;
    int fd, next_fd;     /* -1: not open */
    uint64_t size;       /* of what is good in it */
    uint64_t next_size;  /* the same of the next one */
    uint64_t first_size; /* when it took its place */
    bool is_unsynced;    /* written to since the last sync */
};

/* Names the files and takes the lock: EWOULDBLOCK when another process has it.
 * What the struct holds is to be released in any case. */
int journal_file_lock(struct journal_file *file, const char *path);
/* The lock of files that are named, once more; 0 if it is taken already. */
int journal_file_lock_again(struct journal_file *file);
/* Another process may take the lock now; the names stay. */
void journal_file_unlock(struct journal_file *file);
void journal_file_release(struct journal_file *file);
/* What errno means here, for people. */
const char *journal_file_reason(int error);
/* Opens what is there, to be read; *fd is -1 when there is nothing. */
int journal_file_open(const struct journal_file *file, int *fd);
/* A second name for what is there now, before another takes its place. */
int journal_file_keep_bad(const struct journal_file *file);

/* Nothing of what could not be written stands in the file. */
int journal_file_append(struct journal_file *file, const uint8_t *octets,
                        size_t count);
int journal_file_sync(struct journal_file *file);

/* A new file; then either it takes the place of the old one for good, or it
 * is as if it had never been. */
int journal_file_begin_next(struct journal_file *file);
int journal_file_append_next(struct journal_file *file, const uint8_t *octets,
                             size_t count);
int journal_file_adopt_next(struct journal_file *file);
void journal_file_drop_next(struct journal_file *file);

#endif
