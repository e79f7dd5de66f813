#include "rules/regex.h"

#include "rules/regex_literal.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdlib.h>

/* Under JIT the library counts backtracking steps over one whole match: this
 * leaves room for a start at every octet of the longest subject and stops a
 * pattern that backtracks without end after some milliseconds. */
#define MATCH_LIMIT 50000
#define DEPTH_LIMIT 2000
#define HEAP_LIMIT_KIB 1024
#define JIT_STACK_BYTES ((size_t)128 * 1024)

struct regex {
    pcre2_code *code;
    size_t groups;
    char needs[REGEX_LITERAL_MAX];
    size_t needs_octets;
};

struct regex_scratch {
    pcre2_match_data *data;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
};

static int flag_of(char c, uint32_t *options)
{
    switch (c) {
    case 'i':
        *options |= PCRE2_CASELESS;
        return 0;
    case 'm':
        *options |= PCRE2_MULTILINE;
        return 0;
    case 's':
        *options |= PCRE2_DOTALL;
        return 0;
    case 'x':
        *options |= PCRE2_EXTENDED;
        return 0;
    default:
        return -1;
    }
}

bool regex_is_literal(struct str text)
{
    uint32_t options = 0;
    ptrdiff_t end = str_last_index(text, '/');
    if (end < 1 || text.p[0] != '/')
        return false;
    for (size_t i = (size_t)end + 1; i < text.n; i++)
        if (flag_of(text.p[i], &options) != 0)
            return false;
    return true;
}

static pcre2_code *compile(struct str pattern, uint32_t options,
                           struct problem *problem)
{
    int error;
    PCRE2_SIZE offset;
    PCRE2_UCHAR text[128];
    /* \C could split what belongs together and turns JIT off; a pattern that
     * turns UTF on would make an invalid subject an error. */
    options |= PCRE2_NEVER_BACKSLASH_C | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, options,
                                     &error, &offset, NULL);
    if (code == NULL) {
        pcre2_get_error_message(error, text, sizeof text);
        problem_set(problem, "the pattern is wrong at its octet %zu: %s",
                    (size_t)offset + 1, (const char *)text);
        return NULL;
    }
    /* Without JIT the interpreter serves, under the same limits. */
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    return code;
}

struct regex *regex_new(struct str literal, struct problem *problem)
{
    uint32_t options = 0, groups = 0;
    if (!regex_is_literal(literal)) {
        problem_set(problem, "a pattern is written /…/, with flags of i, m, "
                             "s and x behind it");
        return NULL;
    }
    size_t end = (size_t)str_last_index(literal, '/');
    for (size_t i = end + 1; i < literal.n; i++)
        (void)flag_of(literal.p[i], &options);
    struct str pattern = str_span(literal.p + 1, end - 1);
    if (pattern.n > REGEX_PATTERN_MAX) {
        problem_set(problem, "a pattern has at most %d octets",
                    REGEX_PATTERN_MAX);
        return NULL;
    }
    pcre2_code *code = compile(pattern, options, problem);
    if (code == NULL)
        return NULL;
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
    struct regex *regex = malloc(sizeof *regex);
    if (groups >= REGEX_GROUPS_MAX || regex == NULL) {
        problem_set(problem, "a pattern has at most %d groups",
                    REGEX_GROUPS_MAX - 1);
        pcre2_code_free(code);
        free(regex);
        return NULL;
    }
    *regex = (struct regex){.code = code, .groups = groups};
    if ((options & PCRE2_EXTENDED) == 0)
        regex->needs_octets = regex_literal(pattern, regex->needs);
    return regex;
}

void regex_free(struct regex *regex)
{
    if (regex == NULL)
        return;
    pcre2_code_free(regex->code);
    free(regex);
}

bool regex_is_jit(const struct regex *regex)
{
    size_t size = 0;
    pcre2_pattern_info(regex->code, PCRE2_INFO_JITSIZE, &size);
    return size > 0;
}

enum regex_jit regex_jit_try(void)
{
    uint32_t is_built = 0;
    struct problem problem;
    if (pcre2_config(PCRE2_CONFIG_JIT, &is_built) != 0 || is_built == 0)
        return REGEX_JIT_NOT_BUILT;
    struct regex *regex = regex_new(STR("/a+b/"), &problem);
    bool is_jit = regex != NULL && regex_is_jit(regex);
    regex_free(regex);
    return is_jit ? REGEX_JIT_ON : REGEX_JIT_REFUSED;
}

struct str regex_needs(const struct regex *regex)
{
    return str_span(regex->needs, regex->needs_octets);
}

size_t regex_group_count(const struct regex *regex)
{
    return regex->groups;
}

int regex_group_named(const struct regex *regex, struct str name)
{
    uint32_t count = 0, size = 0;
    PCRE2_SPTR table = NULL;
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &table);
    for (uint32_t i = 0; i < count; i++) {
        /* Two octets of number, then the name with a NUL. */
        PCRE2_SPTR row = table + (size_t)i * size;
        if (str_equals(name, str_from((const char *)row + 2)))
            return row[0] << 8 | row[1];
    }
    return -1;
}

struct regex_scratch *regex_scratch_new(void)
{
    struct regex_scratch *scratch = calloc(1, sizeof *scratch);
    if (scratch == NULL)
        return NULL;
    scratch->data = pcre2_match_data_create(REGEX_GROUPS_MAX, NULL);
    scratch->context = pcre2_match_context_create(NULL);
    scratch->stack =
        pcre2_jit_stack_create(JIT_STACK_BYTES, JIT_STACK_BYTES, NULL);
    if (scratch->data == NULL || scratch->context == NULL) {
        regex_scratch_free(scratch);
        return NULL;
    }
    pcre2_set_match_limit(scratch->context, MATCH_LIMIT);
    pcre2_set_depth_limit(scratch->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(scratch->context, HEAP_LIMIT_KIB);
    if (scratch->stack != NULL)
        pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
    return scratch;
}

void regex_scratch_limit(struct regex_scratch *scratch, uint32_t steps)
{
    pcre2_set_match_limit(scratch->context, steps);
}

void regex_scratch_free(struct regex_scratch *scratch)
{
    if (scratch == NULL)
        return;
    pcre2_jit_stack_free(scratch->stack);
    pcre2_match_context_free(scratch->context);
    pcre2_match_data_free(scratch->data);
    free(scratch);
}

static void fill(const struct regex *regex, struct regex_scratch *scratch,
                 struct str subject, struct regex_match *match)
{
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(scratch->data);
    match->count = regex->groups + 1;
    for (size_t i = 0; i < match->count; i++) {
        size_t start = offsets[2 * i], end = offsets[2 * i + 1];
        bool is_set = start != PCRE2_UNSET && end >= start;
        match->groups[i] = is_set ? str_span(subject.p + start, end - start)
                                  : (struct str){"", 0};
    }
}

/* A bound was reached; but where the subject can't match, that is known. */
static enum regex_result unless_hopeless(const struct regex *regex,
                                         struct str subject,
                                         enum regex_result result)
{
    struct str needs = regex_needs(regex);
    for (size_t i = 0; i + needs.n <= subject.n; i++)
        if (str_equals_nocase(str_span(subject.p + i, needs.n), needs))
            return result;
    return REGEX_NO_MATCH;
}

enum regex_result regex_match(const struct regex *regex,
                              struct regex_scratch *scratch, struct str subject,
                              struct regex_match *match)
{
    if (subject.n > REGEX_SUBJECT_MAX)
        return REGEX_TOO_LONG;
    if (subject.n == 0)
        subject.p = "";
    int rc = pcre2_match(regex->code, (PCRE2_SPTR)subject.p, subject.n, 0, 0,
                         scratch->data, scratch->context);
    if (rc == PCRE2_ERROR_NOMATCH)
        return REGEX_NO_MATCH;
    if (rc < 0)
        return unless_hopeless(regex, subject,
                               rc == PCRE2_ERROR_MATCHLIMIT ? REGEX_STEPS
                                                            : REGEX_ERROR);
    if (match != NULL)
        fill(regex, scratch, subject, match);
    return REGEX_MATCH;
}
