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

#ifdef __x86_64__
#include <immintrin.h>

static inline struct block read_block(const char *p)
{
    const __m128i cr = _mm_set1_epi8('\r'), lf = _mm_set1_epi8('\n');
    struct block block = {0};
    __m128i lowest = _mm_set1_epi8(1);
    for (unsigned at = 0; at < BLOCK; at += sizeof cr) {
        __m128i octets = _mm_loadu_si128((const __m128i *)(p + at));
        uint32_t crs = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(octets, cr));
        uint32_t lfs = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(octets, lf));
        block.crs |= (uint64_t)crs << at;
        block.lfs |= (uint64_t)lfs << at;
        lowest = _mm_min_epu8(lowest, octets);
    }
    lowest = _mm_cmpeq_epi8(lowest, _mm_setzero_si128());
    block.has_nul = _mm_movemask_epi8(lowest) != 0;
    return block;
}

/* The same in half the steps, where the processor can. */
__attribute__((target("avx2"))) static inline struct block
read_block_avx2(const char *p)
{
    const __m256i cr = _mm256_set1_epi8('\r'), lf = _mm256_set1_epi8('\n');
    struct block block = {0};
    __m256i lowest = _mm256_set1_epi8(1);
    for (unsigned at = 0; at < BLOCK; at += sizeof cr) {
        __m256i octets = _mm256_loadu_si256((const __m256i *)(p + at));
        uint32_t crs =
            (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(octets, cr));
        uint32_t lfs =
            (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(octets, lf));
        block.crs |= (uint64_t)crs << at;
        block.lfs |= (uint64_t)lfs << at;
        lowest = _mm256_min_epu8(lowest, octets);
    }
    lowest = _mm256_cmpeq_epi8(lowest, _mm256_setzero_si256());
    block.has_nul = _mm256_movemask_epi8(lowest) != 0;
    return block;
}
#else
static inline struct block read_block(const char *p)
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

/* Whole blocks, as far as they are sound. Returns where it stopped: not
 * between a CR and its LF. `*line`: where the line under way begins. */
static inline __attribute__((always_inline)) size_t
scan_blocks(struct line_scan *scan, struct str text, bool heeds_dots,
            struct block (*read)(const char *p), size_t *line)
{
    struct line_scan found = *scan; /* in registers */
    size_t at = 0, begin = 0;
    bool is_behind_cr = false;
    for (; text.n - at >= BLOCK; at += BLOCK) {
        const struct block block = read(text.p + at);
        if (!is_sound(&block, is_behind_cr))
            break;
        for (uint64_t lfs = block.lfs; lfs != 0; lfs &= lfs - 1) {
            unsigned lf = (unsigned)__builtin_ctzll(lfs);
            count_line(&found, at + lf - 1 - begin);
            begin = at + lf + 1;
            if (heeds_dots && begin < text.n && text.p[begin] == '.') {
                at = begin;
                goto out;
            }
        }
        is_behind_cr = block.crs >> (BLOCK - 1) != 0;
    }
    at -= is_behind_cr;
out:
    *scan = found;
    *line = begin;
    return at;
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static size_t
scan_blocks_avx2(struct line_scan *scan, struct str text, bool heeds_dots,
                 size_t *line)
{
    return scan_blocks(scan, text, heeds_dots, read_block_avx2, line);
}
#endif

static size_t scan_most(struct line_scan *scan, struct str text,
                        bool heeds_dots, size_t *line)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        return scan_blocks_avx2(scan, text, heeds_dots, line);
#endif
    return scan_blocks(scan, text, heeds_dots, read_block, line);
}

size_t line_scan(struct line_scan *scan, struct str text, bool heeds_dots)
{
    size_t line;
    size_t at = scan_most(scan, text, heeds_dots, &line);
    while (!(heeds_dots && at == line && at > 0 && at < text.n &&
             text.p[at] == '.')) {
        at += plain_run(str_skip(text, at));
        if (text.n - at < 2 || text.p[at] != '\r' || text.p[at + 1] != '\n')
            break;
        count_line(scan, at - line);
        at += 2;
        line = at;
    }
    count_text(scan, at - line);
    return at;
}
