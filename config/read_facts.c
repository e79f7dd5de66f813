/* The facts of a test, read by the types that rules give them. */
#include "config/test_reader.h"

#include "rules/address.h"
#include "rules/problem.h"
#include "rules/quantity.h"

static bool wrong_fact(struct test_reader *tests, const struct node *node,
                       struct str name, const char *wanted)
{
    diags_error(tests->reader->diags, node->mark, "%.*s takes %s, not \"%.*s\"",
                (int)name.n, name.p, wanted, PROBLEM_STR(node->text));
    return false;
}

/* With {n}, a value is known when the test runs only. An owner's addresses
 * may be globs. */
static bool check_value(struct test_reader *tests, const struct node *node,
                        struct test_fact *fact)
{
    struct str text = node->text;
    struct address address;
    struct ip ip;
    bool is_late = str_index(text, '{') >= 0;
    switch (fact_type(&fact->ref)) {
    case FACT_TYPE_NUMBER:
        return quantity_size(text, &fact->number) == 0 ||
               wrong_fact(tests, node, fact->name,
                          "a number or a size such as 20M");
    case FACT_TYPE_FLAG:
        return str_equals(text, STR("true")) ||
               str_equals(text, STR("false")) ||
               wrong_fact(tests, node, fact->name, "true or false");
    case FACT_TYPE_IP:
        return is_late || fact->ref.fact == FACT_CLIENT_NET ||
               ip_parse(text, &ip) == 0 ||
               wrong_fact(tests, node, fact->name,
                          "an address such as 192.0.2.1");
    case FACT_TYPE_ADDRESS:
        return is_late || fact_is_list(&fact->ref) || text.n == 0 ||
               fact->ref.part != FACT_PART_ALL ||
               address_parse(text, &address) == ADDRESS_OK ||
               wrong_fact(tests, node, fact->name,
                          "an address such as bob@example.com");
    case FACT_TYPE_TEXT:
    case FACT_TYPE_NAME:
        break;
    }
    return true;
}

static bool read_fact_values(struct test_reader *tests, const struct node *node,
                             struct test_fact *fact)
{
    struct reader *reader = tests->reader;
    size_t count = node_list_count(node);
    struct str *values = arena_array(reader->arena, count, sizeof *values);
    if (values == NULL) {
        reader_full(reader, node->mark);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct node *item = node_list_item(node, i);
        struct str text;
        if (!node_scalar(reader, item, fact->name.p, &text) ||
            !check_value(tests, item, fact))
            return false;
        values[i] = reader_keep(reader, item->mark, text);
    }
    fact->values = values;
    fact->count = count;
    fact->is_list = node->kind == NODE_SEQUENCE;
    return true;
}

/* Several recipients are several RCPTs; else only facts that are lists take a
 * list. */
static bool check_list(struct test_reader *tests, const struct node *node,
                       const struct test_fact *fact)
{
    if (node->kind != NODE_SEQUENCE || fact_is_list(&fact->ref) ||
        (fact->ref.fact == FACT_RCPT_TO && node->count > 0))
        return true;
    diags_error(tests->reader->diags, node->mark, "%.*s has one value, no list",
                (int)fact->name.n, fact->name.p);
    return false;
}

bool read_fact(struct test_reader *tests, const struct node *key,
               const struct node *value, struct test_fact *fact)
{
    struct reader *reader = tests->reader;
    const char *nearest = NULL;
    struct str lower = arena_lower(reader->arena, key->text);
    fact->name = reader_keep(reader, key->mark, key->text);
    if (lower.p == NULL || fact->name.p == NULL)
        return false;
    if (fact_ref_parse(lower, &fact->ref, &nearest) != 0) {
        diags_error(reader->diags, key->mark, "there is no fact %.*s%s%s%s",
                    PROBLEM_STR(key->text), DIAG_NEAREST(nearest));
        return false;
    }
    return check_list(tests, value, fact) &&
           read_fact_values(tests, value, fact);
}
