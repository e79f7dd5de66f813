/* What a list of many entries costs: nanoseconds an evaluation of one rule that
 * looks into it, how long it takes to build, and its memory.
 *
 *     list_bench
 *
 * Nothing here passes or fails. */
#include "rules/build.h"
#include "rules/evaluate.h"
#include "rules/ruleset_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct bench {
    struct ruleset *ruleset;
    struct evaluate_scratch *scratch;
    struct facts facts;
    double build_ms;
};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void test_values(struct ruleset_builder *builder, const char *fact,
                        const char *word, const char *value)
{
    struct fact_ref ref;
    struct condition *condition;
    struct str values[1] = {str_from(value)};
    int rc = build_fact(builder, str_from(fact), &ref);
    if (rc == 0)
        rc = build_test(builder, &ref, str_from(word), values, 1, &condition);
    if (rc == 0)
        rc = build_when(builder, condition);
    if (rc != 0) {
        fprintf(stderr, "%s\n", build_error(builder));
        exit(1);
    }
}

/* A rule that refuses whoever is in the list. */
static void add_rule(struct ruleset_builder *builder, const char *fact)
{
    build_rule_start(builder, STAGE_MAIL, STR("listed"), NULL);
    test_values(builder, fact, "", "@list");
    int rc = build_reject(builder, STR("550 5.7.1 no"));
    rc |= build_rule_end(builder);
    assert(rc == 0);
    (void)rc;
}

static void begin(struct bench *b, struct ruleset_builder *builder,
                  double started)
{
    *b = (struct bench){.ruleset = ruleset_builder_finish(builder),
                        .scratch = evaluate_scratch_new()};
    assert(b->ruleset != NULL && b->scratch != NULL);
    b->build_ms = (now_ns() - started) / 1e6;
    facts_init(&b->facts);
    facts_set_text(&b->facts, FACT_CLIENT_IP, STR("198.51.100.7"));
    facts_set_text(&b->facts, FACT_AUTH_USER, STR("nobody-of-these"));
    facts_set_text(&b->facts, FACT_MAIL_FROM, STR("bob@mail.example.com"));
}

static double evaluate_ns(struct bench *b)
{
    struct evaluation e;
    struct question question;
    struct verdict verdict;
    struct effects effects;
    struct arena arena;
    size_t rounds = 0;
    arena_init(&arena, 1 << 20);
    effects_init(&effects, &arena);
    double started = now_ns(), spent = 0;
    while (spent < 2e8) {
        for (size_t i = 0; i < 100; i++) {
            evaluate_start(&e, b->ruleset, STAGE_MAIL, &b->facts, &effects,
                           b->scratch);
            if (evaluate(&e, &question, &verdict) != EVALUATE_VERDICT ||
                verdict.kind != VERDICT_PASS)
                abort();
        }
        rounds += 100;
        spent = now_ns() - started;
    }
    arena_release(&arena);
    return spent / (double)rounds;
}

static void end(struct bench *b)
{
    ruleset_free(b->ruleset);
    evaluate_scratch_free(b->scratch);
}

/* Entry number `i` of the list; 48271 has no factor with 2^32 in common. */
static int entry(const char *kind, size_t i, char *out, size_t room)
{
    unsigned mixed = (unsigned)i * 48271u;
    if (strcmp(kind, "client.ip") == 0)
        return snprintf(out, room, "%u.%u.%u.%u\n", 11 + (mixed >> 24) % 80,
                        mixed >> 16 & 255, mixed >> 8 & 255, mixed & 255);
    if (strcmp(kind, "mail.from.domain") == 0)
        return snprintf(out, room, ".domain%zu.example\n", i);
    if (strcmp(kind, "mail.from") == 0)
        return snprintf(out, room, "user%zu@example.com\n", i);
    return snprintf(out, room, "user%zu 100/h\n", i);
}

static void bench_list(const char *fact, size_t count)
{
    struct bench b;
    size_t n = 0, line;
    char *octets = malloc(count * 40 + 1);
    assert(octets != NULL);
    for (size_t i = 0; i < count; i++)
        n += (size_t)entry(fact, i, octets + n, 40);
    double started = now_ns();
    struct ruleset_builder *builder = ruleset_builder_new();
    if (build_list_file(builder, STR("list"), str_span(octets, n), NULL,
                        &line) != 0) {
        fprintf(stderr, "%s\n", build_error(builder));
        exit(1);
    }
    add_rule(builder, fact);
    begin(&b, builder, started);
    printf("%7zu entries, %-16s %9.0f ns, built in %.1f ms, %zu MiB of %zu "
           "MiB\n",
           count, fact, evaluate_ns(&b), b.build_ms,
           b.ruleset->arena.used_bytes >> 20, n >> 20);
    end(&b);
    free(octets);
}

int main(void)
{
    static const char *const FACTS[] = {"auth.user", "mail.from",
                                        "mail.from.domain", "client.ip"};
    static const size_t COUNTS[] = {10, 10000, 1000000};
    struct rusage usage;
    for (size_t i = 0; i < sizeof FACTS / sizeof FACTS[0]; i++)
        for (size_t k = 0; k < sizeof COUNTS / sizeof COUNTS[0]; k++)
            bench_list(FACTS[i], COUNTS[k]);
    getrusage(RUSAGE_SELF, &usage);
    printf("at most %ld MiB resident\n", usage.ru_maxrss / 1024);
    return 0;
}
