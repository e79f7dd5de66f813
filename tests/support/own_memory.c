/* The pieces that are looked through overlap. */
#include "tests/support/own_memory.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PIECE ((size_t)64 * 1024)
#define NEEDLE_MAX 64
/* The memory in which a sanitizer notes what it knows of the rest. */
#define SHADOW (UINT64_C(1) << 32)

/* What is looked for lies here as well, which is not counted. */
struct needle {
    char octets[NEEDLE_MAX];
    size_t length;
};

static size_t count_in(const char *octets, size_t size, uint64_t at,
                       const struct needle *needle)
{
    const char *begin = octets, *end = octets + size;
    size_t count = 0;
    while ((octets = memmem(octets, (size_t)(end - octets), needle->octets,
                            needle->length)) != NULL) {
        count += at + (uint64_t)(octets - begin) != (uintptr_t)needle->octets;
        octets++;
    }
    return count;
}

static size_t count_between(int memory, uint64_t begin, uint64_t end,
                            const struct needle *needle)
{
    static char piece[PIECE];
    size_t count = 0;
    while (begin + needle->length <= end) {
        size_t size = end - begin < PIECE ? (size_t)(end - begin) : PIECE;
        if (pread(memory, piece, size, (off_t)begin) != (ssize_t)size)
            break;
        count += count_in(piece, size, begin, needle);
        begin += size - (needle->length - 1);
    }
    explicit_bzero(piece, sizeof piece);
    return count;
}

size_t own_memory_count(struct str masked)
{
    struct needle needle = {.length = masked.n};
    assert_true(masked.n <= NEEDLE_MAX);
    for (size_t i = 0; i < masked.n; i++)
        needle.octets[i] = (char)(masked.p[i] ^ OWN_MEMORY_MASK);
    FILE *maps = fopen("/proc/self/maps", "re");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    char line[4096];
    size_t count = 0;
    assert_non_null(maps);
    assert_true(memory >= 0);
    while (fgets(line, sizeof line, maps) != NULL) {
        uint64_t begin, end;
        char mode[5];
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &begin, &end, mode) ==
                3 &&
            strncmp(mode, "rw", 2) == 0 && end - begin < SHADOW)
            count += count_between(memory, begin, end, &needle);
    }
    close(memory);
    fclose(maps);
    explicit_bzero(&needle, sizeof needle);
    return count;
}
