/* Two upstreams' answers to EHLO, a NUL between them: what each offers is in
 * its text, what both offer is what each does, and no order matters. */
#include "proxy/smtp/capability.h"

#include "proxy/smtp/param_values.h"
#include "proxy/smtp/xclient.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_line(struct str text, struct str keyword)
{
    struct str line, word, rest;
    bool has_more = str_cut(text, '\n', &line, &text); /* the greeting */
    while (has_more) {
        has_more = str_cut(text, '\n', &line, &text);
        str_cut(line, ' ', &word, &rest);
        if (str_equals_nocase(word, keyword))
            return true;
    }
    return false;
}

static bool has_all(const struct capabilities *of, size_t index)
{
    const bool flags[] = {of->has_starttls,       of->has_pipelining,
                          of->has_enhanced_codes, of->has_size,
                          of->has_chunking,       of->has_limits,
                          of->has_xclient};
    return flags[index];
}

static const struct str OTHERS[] = {
    STR_INIT("STARTTLS"),
    STR_INIT("PIPELINING"),
    STR_INIT("ENHANCEDSTATUSCODES"),
    STR_INIT("SIZE"),
    STR_INIT("CHUNKING"),
    STR_INIT("LIMITS"),
    STR_INIT("XCLIENT"),
};

#define OTHER_COUNT (sizeof OTHERS / sizeof OTHERS[0])

static void assert_in_text(const struct capabilities *of, struct str text)
{
    for (size_t i = 0; i < OTHER_COUNT; i++)
        assert(has_all(of, i) == has_line(text, OTHERS[i]));
    for (enum extension e = 0; e < EXTENSION_COUNT; e++) {
        bool is_there = has_line(text, extension_keyword(e));
        assert(is_there || !capabilities_have(of, e));
        assert(capabilities_have(of, e) || !is_there ||
               e == EXTENSION_FUTURERELEASE);
    }
    assert(!of->has_futurerelease || of->hold_seconds > 0);
    assert(memchr(of->hold_until, '\0', sizeof of->hold_until) != NULL);
    assert(of->hold_until[0] == '\0' ||
           hold_until_is_valid(str_from(of->hold_until)));
    assert(of->has_size || of->size == 0);
    assert(of->has_xclient || of->xclient == 0);
}

static void assert_equal(const struct capabilities *a,
                         const struct capabilities *b)
{
    for (size_t i = 0; i < OTHER_COUNT; i++)
        assert(has_all(a, i) == has_all(b, i));
    for (enum extension e = 0; e < EXTENSION_COUNT; e++)
        assert(capabilities_have(a, e) == capabilities_have(b, e));
    assert(a->size == b->size && a->hold_seconds == b->hold_seconds);
    assert(strcmp(a->hold_until, b->hold_until) == 0);
    assert(a->deliverby_seconds == b->deliverby_seconds);
    assert(a->mail_max == b->mail_max && a->rcpt_max == b->rcpt_max);
    assert(a->rcpt_domain_max == b->rcpt_domain_max);
    assert(a->xclient == b->xclient);
}

static bool is_within(uint64_t number, uint64_t max)
{
    return max == 0 || (number > 0 && number <= max);
}

/* No more than this one of the two offers, and to nobody more. */
static void assert_no_more(const struct capabilities *both,
                           const struct capabilities *one)
{
    assert(!both->has_size || is_within(both->size, one->size));
    assert(is_within(both->rcpt_max, one->rcpt_max));
    assert(is_within(both->mail_max, one->mail_max));
    assert(is_within(both->rcpt_domain_max, one->rcpt_domain_max));
    assert(both->deliverby_seconds >= one->deliverby_seconds);
    assert(is_within(both->hold_seconds, one->hold_seconds));
    assert(one->hold_until[0] == '\0' ||
           strcmp(both->hold_until, one->hold_until) <= 0);
    assert((both->xclient & ~one->xclient) == 0);
}

static void assert_met(const struct capabilities *a,
                       const struct capabilities *b)
{
    struct capabilities both = *a, turned = *b, twice = *a;
    capabilities_intersect(&both, b);
    capabilities_intersect(&turned, a);
    capabilities_intersect(&twice, a);
    assert_equal(&both, &turned);
    assert_equal(&twice, a);
    for (size_t i = 0; i < OTHER_COUNT; i++)
        assert(has_all(&both, i) == (has_all(a, i) && has_all(b, i)));
    for (enum extension e = 0; e < EXTENSION_COUNT; e++)
        assert(capabilities_have(&both, e) ==
               (capabilities_have(a, e) && capabilities_have(b, e)));
    assert_no_more(&both, a);
    assert_no_more(&both, b);
}

static void assert_disabled(const struct capabilities *of)
{
    for (enum extension e = 0; e < EXTENSION_COUNT; e++) {
        struct capabilities less = *of;
        assert(capabilities_disable(&less, extension_keyword(e)));
        for (enum extension k = 0; k < EXTENSION_COUNT; k++)
            assert(capabilities_have(&less, k) ==
                   (k != e && capabilities_have(of, k)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str one, other;
    struct capabilities a, b;
    str_cut(str_span((const char *)data, size), '\0', &one, &other);
    capabilities_parse(one, &a);
    capabilities_parse(other, &b);
    assert_in_text(&a, one);
    assert_in_text(&b, other);
    assert_met(&a, &b);
    assert_disabled(&a);
    return 0;
}
