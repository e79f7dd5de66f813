/* How files lie in a bundle. Numbers are of the machine: a bundle goes from
 * one process of it to another of the same program, and no further. A head;
 * then the files, each a head, its path, its octets; then the patterns, each a
 * head, its text, its matches, each with its length before it. */
#ifndef CONFIG_FILES_BUNDLE_H
#define CONFIG_FILES_BUNDLE_H

#include <stdint.h>

#define BUNDLE_MAGIC UINT64_C(0x31656c69666e7270) /* "prnfile1" */
#define BUNDLE_VERSION 1

struct bundle_head {
    uint64_t magic;
    uint32_t version;
    uint32_t files, patterns;
    uint32_t reserved; /* 0 */
};

struct bundle_file {
    uint32_t kind;
    int32_t error;
    uint32_t mode;
    uint32_t path; /* octets of it */
    uint64_t size;
    uint64_t octets;
    uint32_t has_octets; /* 0 or 1 */
    uint32_t reserved;   /* 0 */
};

struct bundle_pattern {
    uint32_t text; /* octets of it */
    uint32_t has_failed;
    uint32_t count;
    uint32_t has_paths; /* 0 or 1 */
};

#endif
