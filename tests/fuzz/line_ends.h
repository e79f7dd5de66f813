/* What a message's ends of line must be, and what a repair makes of them, by
 * the plainest means there are: the oracle of the fuzzers of content. */
#ifndef TESTS_FUZZ_LINE_ENDS_H
#define TESTS_FUZZ_LINE_ENDS_H

#include "rules/base/str.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct octets {
    char *p;
    size_t n;
};

static inline struct octets octets_new(size_t room)
{
    struct octets out = {malloc(room + 1), 0};
    assert(out.p != NULL);
    return out;
}

static inline void octets_add(struct octets *out, struct str bytes)
{
    if (bytes.n > 0)
        memcpy(out->p + out->n, bytes.p, bytes.n);
    out->n += bytes.n;
}

/* CR only before LF, LF only behind CR, no NUL. A CR at the very end counts
 * as bare when `is_whole`. */
static inline bool is_canonical(struct str text, bool is_whole)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool is_last = i + 1 == text.n;
        if (c == '\0' || (c == '\n' && (i == 0 || text.p[i - 1] != '\r')))
            return false;
        if (c == '\r' && (is_last ? is_whole : text.p[i + 1] != '\n'))
            return false;
    }
    return true;
}

/* CRs before a LF, or at the very end, are one end of line with it; every
 * other CR and LF is one of its own. At most twice the text. */
static inline struct octets repaired(struct str text)
{
    struct octets out = octets_new(2 * text.n);
    for (size_t i = 0; i < text.n; i++) {
        size_t run = 0;
        while (i + run < text.n && text.p[i + run] == '\r')
            run++;
        bool is_one = i + run == text.n || text.p[i + run] == '\n';
        if (run > 0 && is_one)
            i += run - (i + run == text.n);
        if (text.p[i] == '\r' || text.p[i] == '\n')
            octets_add(&out, STR("\r\n"));
        else
            octets_add(&out, str_span(text.p + i, 1));
    }
    return out;
}

#endif
