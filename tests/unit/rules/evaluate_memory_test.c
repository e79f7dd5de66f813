/* What an evaluation takes from the allocator. Linked with malloc, calloc and
 * realloc wrapped, which counts the calls of the project's own code. */
#include "tests/unit/rules/fixture.h"

#include "rules/evaluate_internal.h"
#include "rules/ruleset_internal.h"

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);

static size_t allocations;

void *__wrap_malloc(size_t bytes)
{
    allocations++;
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    allocations++;
    return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *block, size_t bytes)
{
    allocations++;
    return __real_realloc(block, bytes);
}

/* None of them holds; every matcher is among them. */
static const struct {
    const char *fact, *word, *values;
} TESTS[] = {
    {"auth.user", "", "nobody"},
    {"auth.user", "", "/^no(.*)body$/"},
    {"mail.from", "", "*@sales.example;a@b.example"},
    {"mail.from.domain", "", ".example.net;*.example.org"},
    {"mail.from", "not_in", "{auth.addresses}"},
    {"client.ip", "", "192.0.2.0/24;2001:db8::/32"},
    {"mail.size", "", "> 10M"},
    {"auth.groups", "", "@names"},
    {"header.subject", "", "/lottery/i"},
    {"header.from", "not_in", "{auth.addresses}"},
    {"header.from.domain", "", "example.org"},
    {"headers.count", "above", "100"},
};

static void make_rules(struct fixture *f, size_t count)
{
    static const struct str ADDRESSES[] = {STR_INIT("bob@example.com"),
                                           STR_INIT("*@b.example.com")};
    char name[32];
    fixture_init(f);
    list(f, "names", "ann;joe");
    for (size_t i = 0; i < count; i++) {
        size_t t = i % (sizeof TESTS / sizeof TESTS[0]);
        snprintf(name, sizeof name, "rule %zu", i);
        rule(f, STAGE_HEADER, name);
        when(f, TESTS[t].fact, TESTS[t].word, TESTS[t].values);
        reject(f, "550 5.7.1 {auth.user} may not send as {mail.from}");
        end(f);
    }
    finish(f);
    know(f, FACT_AUTH_USER, "bob");
    know(f, FACT_MAIL_FROM, "Bob@Example.com");
    know(f, FACT_CLIENT_IP, "198.51.100.7");
    facts_set_number(&f->facts, FACT_MAIL_SIZE, 1000);
    know_list(f, FACT_AUTH_GROUPS, "staff;students");
    facts_set_list(&f->facts, FACT_AUTH_ADDRESSES, ADDRESSES, 2);
    know_header(f, "From", " Bob <bob@example.com>, x@b.example.com");
    know_header(f, "Subject", " =?utf-8?Q?hello?=");
}

static void rules_that_do_not_hold_take_no_memory(void **state)
{
    struct fixture f;
    (void)state;
    make_rules(&f, 100);
    for (int i = 0; i < 4; i++)
        assert_int_equal(ask(&f, STAGE_HEADER), 0);
    assert_true(allocations > 0);
    allocations = 0;
    for (int i = 0; i < 100; i++)
        assert_int_equal(ask(&f, STAGE_HEADER), 0);
    assert_int_equal(allocations, 0);
    fixture_release(&f);
}

static size_t scratch_of(size_t count)
{
    struct fixture f;
    make_rules(&f, count);
    for (int i = 0; i < 8; i++)
        assert_int_equal(ask(&f, STAGE_HEADER), 0);
    size_t used = f.scratch->arena.used_bytes;
    fixture_release(&f);
    return used;
}

static void more_rules_take_no_more_scratch(void **state)
{
    (void)state;
    assert_int_equal(scratch_of(12), scratch_of(1200));
}

static const struct kept_fact *kept_from(const struct fixture *f)
{
    const struct fact_reader *reader = &f->scratch->view.reader;
    uint8_t first = reader->first[FACT_HEADER];
    return first == 0 ? NULL : &reader->kept[first - 1];
}

/* What was read before a question is there behind it, unless another
 * evaluation used the scratch or a rule changed the fact. */
static void a_header_is_read_once_for_all_questions(void **state)
{
    struct fixture f;
    struct evaluation e, other;
    struct question question;
    struct answer yes = {.is_within = true};
    char name[32];
    (void)state;
    fixture_init(&f);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "rule %d", i);
        rule(&f, STAGE_HEADER, name);
        when(&f, "header.from", "", "bob@example.com");
        limit(&f, "messages", "10/h");
        limit(&f, "by", "{auth.user}");
        reject(&f, "550 5.7.1 no");
        end(&f);
    }
    finish(&f);
    know(&f, FACT_AUTH_USER, "bob");
    know_header(&f, "From", " bob@example.com");
    evaluate_start(&e, f.ruleset, STAGE_HEADER, &f.facts, &f.effects,
                   f.scratch);
    assert_int_equal(evaluate(&e, &question, &f.verdict), EVALUATE_QUESTION);
    const struct str *before = kept_from(&f)->values.items;
    evaluate_answer(&e, &yes);
    assert_int_equal(evaluate(&e, &question, &f.verdict), EVALUATE_QUESTION);
    assert_ptr_equal(kept_from(&f)->values.items, before);

    evaluate_start(&other, f.ruleset, STAGE_MAIL, &f.facts, &f.effects,
                   f.scratch);
    assert_int_equal(evaluate(&other, &question, &f.verdict), EVALUATE_VERDICT);
    assert_null(kept_from(&f));
    evaluate_answer(&e, &yes);
    assert_int_equal(evaluate(&e, &question, &f.verdict), EVALUATE_QUESTION);
    assert_non_null(kept_from(&f));
    evaluate_answer(&e, &yes);
    assert_int_equal(evaluate(&e, &question, &f.verdict), EVALUATE_VERDICT);
    assert_int_equal(f.verdict.kind, VERDICT_PASS);
    fixture_release(&f);
}

static void a_rewritten_fact_is_read_anew(void **state)
{
    struct fixture f;
    (void)state;
    fixture_init(&f);
    rule(&f, STAGE_MAIL, "old");
    when(&f, "mail.from", "", "a@old.example");
    built(&f, build_rewrite(f.builder, STR("mail.from"), STR("a@new.example")));
    end(&f);
    rule(&f, STAGE_MAIL, "new");
    when(&f, "mail.from.domain", "", "new.example");
    reject(&f, "550 5.7.1 new");
    end(&f);
    finish(&f);
    know(&f, FACT_MAIL_FROM, "a@old.example");
    assert_int_equal(ask(&f, STAGE_MAIL), 550);
    fixture_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_that_do_not_hold_take_no_memory),
        cmocka_unit_test(more_rules_take_no_more_scratch),
        cmocka_unit_test(a_header_is_read_once_for_all_questions),
        cmocka_unit_test(a_rewritten_fact_is_read_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
