/* Domains compare as A-labels (RFC 5890 2.3.2.1), since that is how they come
 * over the wire: one that is written in letters beyond ASCII would never match,
 * and a rule that never matches is worse than a configuration error. */
#include "rules/build_internal.h"
#include "rules/glob.h"

static int refuse(struct ruleset_builder *builder, struct str domain)
{
    return build_fail(builder,
                      "%.*s is not in ASCII, and domains compare as A-labels: "
                      "write xn--…, as `idn2 %.*s` prints it",
                      PROBLEM_STR(domain), PROBLEM_STR(domain));
}

/* The domain of an entry for addresses, which may be one alone. */
static struct str domain_of(struct str text)
{
    static const struct str PREFIXES[] = {STR_INIT("*."), STR_INIT(".")};
    struct str domain = str_skip(text, (size_t)(str_last_index(text, '@') + 1));
    for (size_t i = 0; i < sizeof PREFIXES / sizeof PREFIXES[0]; i++)
        if (str_starts_with(domain, PREFIXES[i]))
            return str_skip(domain, PREFIXES[i].n);
    return domain;
}

int build_check_labels(struct ruleset_builder *builder, struct matcher *matcher,
                       const struct fact_ref *fact, struct str text)
{
    struct str domain = domain_of(text);
    /* Logins may be addresses, which compare as such. */
    bool is_glob_of_logins = glob_has_star(text) && str_index(text, '@') >= 0 &&
                             (fact == NULL || fact->part != FACT_PART_NAME);
    if (!str_has_8bit(domain))
        return 0;
    if (matcher->type == FACT_TYPE_ADDRESS)
        return refuse(builder, domain);
    if (matcher->type != FACT_TYPE_NAME)
        return 0;
    if (is_glob_of_logins)
        return refuse(builder, domain);
    if (fact != NULL)
        return fact_is_domain(fact) ? refuse(builder, domain) : 0;
    if (matcher->beyond_ascii.n == 0)
        matcher->beyond_ascii = text;
    return 0;
}

int build_check_list_labels(struct ruleset_builder *builder,
                            const struct list *list,
                            const struct matcher *compiled,
                            const struct fact_ref *fact)
{
    struct list_cursor cursor = {.list = list};
    struct list_entry entry;
    if (compiled->beyond_ascii.n == 0 || fact == NULL || !fact_is_domain(fact))
        return 0;
    while (list_next(&cursor, &entry)) {
        if (!str_equals(entry.text, compiled->beyond_ascii))
            continue;
        refuse(builder, domain_of(entry.text));
        return build_fail_in_list(builder, list, &entry);
    }
    return 0;
}
