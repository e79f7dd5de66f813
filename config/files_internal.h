/* The inside of `files`, for files*.c. */
#ifndef CONFIG_FILES_INTERNAL_H
#define CONFIG_FILES_INTERNAL_H

#include <stdlib.h>

#include "config/file_stamp.h"
#include "config/files.h"

/* Errors beside errno's. */
#define FILE_NOT_HANDED (-1) /* it is not in the bundle */
#define FILE_WITHHELD (-2)   /* it is a key, and keys stay elsewhere */

/* Of all files together. */
#define FILES_OCTETS_MAX ((uint64_t)1024 * 1024 * 1024)

struct file_record {
    struct file file;
    char *owned;       /* the octets, where they are not the bundle's */
    bool is_forgotten; /* there were some */
    /* As it was read, or told to have changed, last; as it was looked at last.
     */
    struct file_stamp told, pending;
    char path[];
};

struct pattern_record {
    struct file_matches matches;
    char **paths;
    char pattern[];
};

struct files {
    bool is_bundle;
    struct file_record **records; /* in the order of their reading */
    size_t count, capacity;
    struct pattern_record **patterns;
    size_t pattern_count, pattern_capacity;
    uint64_t octets; /* of all records */
    size_t restless; /* looks without rest, one behind the other */
    void *map;       /* of the bundle */
    size_t map_size;
};

struct files *files_new(bool is_bundle);
/* With nothing but kind and path, at the end of all. NULL when out of memory
 * or of FILES_COUNT_MAX. */
struct file_record *files_add(struct files *files, enum file_kind kind,
                              struct str path);
/* The last one goes. */
void files_drop_last(struct files *files);
struct file_record *files_find(const struct files *files, enum file_kind kind,
                               const char *path);
/* The same of a pattern. */
struct pattern_record *files_add_pattern(struct files *files,
                                         struct str pattern);
/* 0, or -1 when out of memory. Paths are copied. */
int pattern_keep(struct pattern_record *record, size_t count,
                 const struct str *paths);
/* Wipes what may be secret. */
void file_record_forget(struct file_record *record);

/* Reads from the disk, in files_disk.c: 0, or -1 when out of memory. */
int file_record_read(struct files *files, struct file_record *record);
int pattern_record_look(struct pattern_record *record);

/* A bundle's octets, in files_bundle_read.c: NULL, or what is wrong. What is
 * kept points into them. */
const char *files_parse(struct files *files, struct str octets);

#endif
