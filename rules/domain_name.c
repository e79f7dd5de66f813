#include "rules/domain_name.h"

#include <stdlib.h>
#include <string.h>

#include <idn2.h>

#define LABEL_MAX_OCTETS 63

bool domain_label_is_valid(struct str label)
{
    if (label.n == 0 || label.p[0] == '-' || label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++) {
        char c = label.p[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_')
            return false;
    }
    return true;
}

/* The A-label of a label beyond ASCII into `to`; its length, 0: there is
 * none. Label by label, so that no other script's full stop parts it. */
static size_t to_a_label(struct str label, char to[LABEL_MAX_OCTETS + 1])
{
    char in[DOMAIN_MAX_OCTETS + 1];
    char *out = NULL;
    if (label.n >= sizeof in || memchr(label.p, '\0', label.n) != NULL)
        return 0;
    memcpy(in, label.p, label.n);
    in[label.n] = '\0';
    int result =
        idn2_to_ascii_8z(in, &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    size_t n = result == IDN2_OK ? strlen(out) : 0;
    bool is_a_label = n > 4 && n <= LABEL_MAX_OCTETS &&
                      memcmp(out, "xn--", 4) == 0 && strchr(out, '.') == NULL;
    if (is_a_label)
        memcpy(to, out, n);
    idn2_free(out);
    return is_a_label ? n : 0;
}

/* Into `to`; its length, 0: it is no name. */
static size_t to_a_labels(struct str text, char to[DOMAIN_MAX_OCTETS])
{
    char buffer[LABEL_MAX_OCTETS + 1];
    bool has_more = true;
    size_t used = 0;
    while (has_more) {
        struct str label;
        has_more = str_cut(text, '.', &label, &text);
        if (str_has_8bit(label))
            label = str_span(buffer, to_a_label(label, buffer));
        if (label.n > LABEL_MAX_OCTETS || !domain_label_is_valid(label) ||
            label.n + 1 > DOMAIN_MAX_OCTETS - used)
            return 0;
        for (size_t i = 0; i < label.n; i++)
            to[used++] = ascii_lower(label.p[i]);
        to[used++] = '.';
    }
    return used - 1;
}

size_t domain_canonical_octets(struct str text)
{
    char labels[DOMAIN_MAX_OCTETS];
    struct str label;
    struct str rest = text;
    bool has_more = true;
    if (text.n > DOMAIN_MAX_OCTETS)
        return 0;
    if (str_has_8bit(text))
        return to_a_labels(text, labels);
    while (has_more) {
        has_more = str_cut(rest, '.', &label, &rest);
        if (label.n > LABEL_MAX_OCTETS || !domain_label_is_valid(label))
            return 0;
    }
    return text.n;
}

bool domain_is_valid(struct str text)
{
    return domain_canonical_octets(text) > 0;
}

bool domain_is_host(struct str text)
{
    return !str_has_8bit(text) && domain_is_valid(text);
}

struct str domain_canonical(struct arena *arena, struct str text)
{
    char labels[DOMAIN_MAX_OCTETS];
    size_t n = 0;
    if (str_has_8bit(text) && text.n <= DOMAIN_MAX_OCTETS)
        n = to_a_labels(text, labels);
    return n > 0 ? arena_str(arena, str_span(labels, n))
                 : arena_lower(arena, text);
}
