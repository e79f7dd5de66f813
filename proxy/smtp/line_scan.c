/* Blocks of 64 octets become masks of a bit an octet: every LF must stand one
 * behind a CR, and every CR one before a LF. Where that does not hold, and in
 * the last part of a block, plain_run() finds the place. */
#include "proxy/smtp/line_scan.h"

#include "proxy/smtp/plain_run.h"

#define BLOCK 64

struct block {
    uint64_t crs, lfs;
    bool has_nul;
};

#ifdef __SSE2__
#include <emmintrin.h>

static uint64_t mask_of(__m128i octets, unsigned at)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(octets) << at;
}

static struct block read_block(const char *p)
{
    const __m128i cr = _mm_set1_epi8('\r'), lf = _mm_set1_epi8('\n');
    struct block block = {0};
    __m128i lowest = _mm_set1_epi8(1);
    for (unsigned at = 0; at < BLOCK; at += 16) {
        __m128i octets = _mm_loadu_si128((const __m128i *)(p + at));
        block.crs |= mask_of(_mm_cmpeq_epi8(octets, cr), at);
        block.lfs |= mask_of(_mm_cmpeq_epi8(octets, lf), at);
        lowest = _mm_min_epu8(lowest, octets);
    }
    block.has_nul =
        _mm_movemask_epi8(_mm_cmpeq_epi8(lowest, _mm_setzero_si128())) != 0;
    return block;
}
#else
static struct block read_block(const char *p)
{
    struct block block = {0};
    for (unsigned at = 0; at < BLOCK; at++) {
        block.crs |= (uint64_t)(p[at] == '\r') << at;
        block.lfs |= (uint64_t)(p[at] == '\n') << at;
        block.has_nul = block.has_nul || p[at] == '\0';
    }
    return block;
}
#endif

/* Whether its line ends are all CRLF, behind a CR or not. */
static bool is_sound(const struct block *block, bool is_behind_cr)
{
    return !block->has_nul && block->lfs == (block->crs << 1 | is_behind_cr);
}

static void count_text(struct line_scan *scan, size_t octets)
{
    scan->line_octets += octets;
    if (scan->line_octets > scan->longest)
        scan->longest = scan->line_octets;
}

static void count_line(struct line_scan *scan, size_t octets)
{
    count_text(scan, octets);
    scan->line_octets = 0;
    scan->lines++;
}

size_t line_scan(struct line_scan *scan, struct str text, bool heeds_dots)
{
    size_t line = 0; /* where the one under way begins */
    size_t at = 0;
    bool is_behind_cr = false;
    while (text.n - at >= BLOCK) {
        const struct block block = read_block(text.p + at);
        if (!is_sound(&block, is_behind_cr))
            break;
        for (uint64_t lfs = block.lfs; lfs != 0; lfs &= lfs - 1) {
            unsigned lf = (unsigned)__builtin_ctzll(lfs);
            count_line(scan, at + lf - 1 - line);
            line = at + lf + 1;
            if (heeds_dots && line < text.n && text.p[line] == '.')
                return line;
        }
        is_behind_cr = block.crs >> (BLOCK - 1) != 0;
        at += BLOCK;
    }
    at -= is_behind_cr;
    for (;;) {
        at += plain_run(str_skip(text, at));
        if (text.n - at < 2 || text.p[at] != '\r' || text.p[at + 1] != '\n')
            break;
        count_line(scan, at - line);
        at += 2;
        line = at;
        if (heeds_dots && at < text.n && text.p[at] == '.')
            break;
    }
    count_text(scan, at - line);
    return at;
}
