#include "rules/nearest.h"

#include <string.h>

#define LONGEST 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t nearest_distance(struct str a, struct str b, size_t most)
{
    /* Three rows of the usual table: two back, one back, this one. */
    size_t rows[3][LONGEST + 1];
    if (a.n > LONGEST || b.n > LONGEST)
        return most + 1;
    for (size_t j = 0; j <= b.n; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *two_back = rows[(i + 1) % 3];
        size_t *back = rows[(i - 1) % 3];
        size_t *row = rows[i % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            bool same = ascii_lower(a.p[i - 1]) == ascii_lower(b.p[j - 1]);
            row[j] = back[j - 1] + (same ? 0 : 1);
            row[j] = least(row[j], least(back[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] &&
                a.p[i - 2] == b.p[j - 1])
                row[j] = least(row[j], two_back[j - 2] + 1);
        }
    }
    return least(rows[a.n % 3][b.n], most + 1);
}

const char *nearest_word(struct str text, const char *const *words,
                         size_t count)
{
    size_t best = text.n < 4 ? 2 : text.n / 3 + 2;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t distance = nearest_distance(text, str_from(words[i]), best);
        if (distance < best) {
            best = distance;
            nearest = words[i];
        }
    }
    return nearest;
}
