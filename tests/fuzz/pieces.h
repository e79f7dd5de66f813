/* Cuts a fuzzer's input into pieces of sizes that its first octet decides, so
 * that a stream parser meets its input split anywhere. */
#ifndef TESTS_FUZZ_PIECES_H
#define TESTS_FUZZ_PIECES_H

#include "rules/base/str.h"

struct pieces {
    struct str rest;
    uint32_t seed;
};

static inline uint32_t pieces_random(struct pieces *pieces)
{
    pieces->seed = pieces->seed * 1664525U + 1013904223U;
    return pieces->seed >> 16;
}

/* A small size, now and then a large one. */
static inline size_t pieces_size(struct pieces *pieces)
{
    uint32_t random = pieces_random(pieces);
    return 1 + (random % 8 == 0 ? random % 4096 : random % 7);
}

/* The next piece, or false at the end. */
static inline bool pieces_next(struct pieces *pieces, struct str *out)
{
    if (pieces->rest.n == 0)
        return false;
    *out = str_head(pieces->rest, pieces_size(pieces));
    pieces->rest = str_skip(pieces->rest, out->n);
    return true;
}

#endif
