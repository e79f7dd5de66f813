/* Which file stood at a path, and in which state: enough to see that it is
 * another one now, or was written to. */
#ifndef CONFIG_FILE_STAMP_H
#define CONFIG_FILE_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/* All zero: it was missing. Of the two times of a file it is the one that a
 * change of its mode moves too. */
struct file_stamp {
    uint64_t device, inode, size;
    int64_t seconds, nanoseconds;
};

struct file_stamp file_stamp_of(const struct stat *status);
/* Of what is at the path now, a link followed. */
struct file_stamp file_stamp_at(const char *path);
bool file_stamp_equals(const struct file_stamp *a, const struct file_stamp *b);
/* Whether nobody has written to it for so long: else its writer may not be
 * done. A time to come is another machine's clock, and tells nothing. */
bool file_stamp_rests(const struct file_stamp *stamp,
                      const struct timespec *now, int64_t ms);

#endif
