#include "config/file_stamp.h"

struct file_stamp file_stamp_of(const struct stat *status)
{
    return (struct file_stamp){
        .device = status->st_dev,
        .inode = status->st_ino,
        .size = (uint64_t)status->st_size,
        .seconds = status->st_ctim.tv_sec,
        .nanoseconds = status->st_ctim.tv_nsec,
    };
}

struct file_stamp file_stamp_at(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? file_stamp_of(&status)
                                    : (struct file_stamp){0};
}

bool file_stamp_equals(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode &&
           a->size == b->size && a->seconds == b->seconds &&
           a->nanoseconds == b->nanoseconds;
}

bool file_stamp_rests(const struct file_stamp *stamp,
                      const struct timespec *now, int64_t ms)
{
    int64_t age_ms = (now->tv_sec - stamp->seconds) * 1000 +
                     (now->tv_nsec - stamp->nanoseconds) / 1000000;
    return age_ms < 0 || age_ms >= ms;
}
