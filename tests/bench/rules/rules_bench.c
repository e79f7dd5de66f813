/* What the policy costs a message: processor time of all stages that one with
 * one recipient passes, its limits asked and settled. First a site's mixed
 * policy by the number of its rules and the length of its lists, then
 * policies of one kind of rule.
 *
 *     rules_bench [--tsv]
 *     rules_bench --run RULES ENTRIES MESSAGES    for a profiler
 *
 * Nothing here passes or fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/rules/message.h"
#include "tests/bench/rules/site_policy.h"

static const size_t RULES[] = {10, 100, 1000};
static const size_t ENTRIES[] = {10, 10000, 1000000};

#define COUNT(items) (sizeof(items) / sizeof *(items))

static double cost_us(const struct settings *settings)
{
    struct message *message = message_new(settings);
    message_run(message);
    double us = message_cost_us(message);
    message_free(message);
    settings_unref(settings);
    return us;
}

static void print_row(const char *name, const double *us, size_t count,
                      bool is_tsv)
{
    printf(is_tsv ? "%s" : "%-28s", name);
    for (size_t i = 0; i < count; i++)
        printf(is_tsv ? "\t%.2f" : " %9.2f", us[i]);
    printf("\n");
}

static void bench_site(bool is_tsv)
{
    if (!is_tsv)
        printf("a site's policy, us a message%8s %9s %9s rules\n", "10", "100",
               "1000");
    for (size_t e = 0; e < COUNT(ENTRIES); e++) {
        char name[48];
        double us[COUNT(RULES)];
        snprintf(name, sizeof name, "lists of %zu", ENTRIES[e]);
        for (size_t r = 0; r < COUNT(RULES); r++)
            us[r] = cost_us(site_policy(RULES[r], ENTRIES[e]));
        print_row(name, us, COUNT(RULES), is_tsv);
    }
}

static void bench_families(bool is_tsv)
{
    if (!is_tsv)
        printf("rules of one kind that do not hold\n");
    for (const struct rule_family *f = rule_families; f->name != NULL; f++) {
        double us[COUNT(RULES)];
        for (size_t r = 0; r < COUNT(RULES); r++)
            us[r] = cost_us(family_policy(f, RULES[r]));
        print_row(f->name, us, COUNT(RULES), is_tsv);
    }
}

static void run(size_t rules, size_t entries, size_t messages)
{
    const struct settings *settings = site_policy(rules, entries);
    struct message *message = message_new(settings);
    for (size_t i = 0; i < messages; i++)
        message_run(message);
    printf("%zu rules acted\n", message_acted(message));
    message_free(message);
    settings_unref(settings);
}

int main(int argc, char **argv)
{
    bool is_tsv = argc > 1 && strcmp(argv[1], "--tsv") == 0;
    if (argc == 5 && strcmp(argv[1], "--run") == 0) {
        run(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10),
            strtoul(argv[4], NULL, 10));
        return 0;
    }
    bench_site(is_tsv);
    bench_families(is_tsv);
    return 0;
}
