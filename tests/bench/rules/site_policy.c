#include "tests/bench/rules/site_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/load.h"

static const char first[] =
    "hostname: mail.example.com\n"
    "listeners: {a: {address: '127.0.0.1:5870', tls: starttls}}\n"
    "upstreams: {mta: {servers: ['127.0.0.1:10025']}}\n"
    "upstream: mta\n"
    "tls: {certificates: [{chain: cert.pem, key: key.pem}]}\n"
    "auth: {backends: [{users: users}]}\n"
    "lists:\n"
    "  partners: {file: domains.txt}\n"
    "  disposable: {file: other-domains.txt}\n"
    "  suppressed: {file: addresses.txt}\n"
    "  blocked: {file: networks.txt}\n"
    "  contained: {dynamic: true}\n";

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void put_body(FILE *to, const char *body, size_t number)
{
    for (; *body != '\0'; body++) {
        if (*body == '#')
            fprintf(to, "%zu", number);
        else if (*body == '~')
            fprintf(to, "%zu", number / 256);
        else if (*body == '%')
            fprintf(to, "%zu", number % 256);
        else if (*body == '!')
            fprintf(to, "%zu", number % OWN_LISTS);
        else
            fputc(*body, to);
    }
}

static void put_rule(FILE *to, const char *body, size_t kind, size_t number)
{
    fprintf(to, "    - {rule: kind %zu number %zu, ", kind, number);
    put_body(to, body, number);
    fputs("}\n", to);
}

static size_t count_of(const struct rule_kind *kind, size_t rules)
{
    return kind->share == 0 ? 1 : kind->share * (rules - SITE_BASE_RULES) / 100;
}

/* The kinds stand by stage. */
static void put_site(FILE *to, size_t rules)
{
    const char *stage = "";
    fputs("policy:\n", to);
    for (size_t k = 0; k < rule_kind_count; k++) {
        size_t count = count_of(&rule_kinds[k], rules);
        if (count > 0 && strcmp(rule_kinds[k].stage, stage) != 0) {
            stage = rule_kinds[k].stage;
            fprintf(to, "  %s:\n", stage);
        }
        for (size_t i = 0; i < count; i++)
            put_rule(to, rule_kinds[k].body, k, i);
    }
}

/* 48271 has no factor with 2^24 in common. */
static void put_entry(FILE *to, const char *file, size_t i)
{
    unsigned mixed = (unsigned)i * 48271u & 0xffffff;
    if (strcmp(file, "networks.txt") == 0)
        fprintf(to, "%u.%u.%u.0/24\n", 11 + (mixed >> 16) % 80,
                mixed >> 8 & 255, mixed & 255);
    else if (strcmp(file, "addresses.txt") == 0)
        fprintf(to, "user%zu@listed.example\n", i);
    else
        fprintf(to, ".domain%zu.%s.example\n", i,
                file[0] == 'o' ? "other" : "one");
}

static const char *const files[] = {"domains.txt", "other-domains.txt",
                                    "addresses.txt", "networks.txt"};

static void write_lists(size_t entries)
{
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        FILE *to = fopen(files[f], "w");
        if (to == NULL)
            fail(files[f]);
        for (size_t i = 0; i < entries; i++)
            put_entry(to, files[f], i);
        if (fclose(to) != 0)
            fail(files[f]);
    }
}

/* Beside those of the site, which come from files. */
static void put_own_lists(FILE *to, size_t rules, size_t entries)
{
    for (size_t i = 0; entries > 0 && i < rules && i < OWN_LISTS; i++) {
        fprintf(to, "  own%zu: [x", i);
        for (size_t k = 1; k < entries; k++)
            fprintf(to, ", n%zu.%zu", i, k);
        fputs("]\n", to);
    }
}

static void put_family(FILE *to, const struct rule_family *family, size_t rules)
{
    put_own_lists(to, rules, family->entries);
    fprintf(to, "policy:\n  %s:\n", family->stage);
    for (size_t i = 0; i < rules; i++)
        put_rule(to, family->body, 0, i);
}

static const struct settings *load(void)
{
    struct diags diags;
    diags_init(&diags);
    const struct settings *settings = config_load("postern.yaml", &diags);
    if (settings == NULL) {
        diags_print(&diags, stderr);
        exit(1);
    }
    diags_release(&diags);
    return settings;
}

static const struct settings *load_from_folder(const struct rule_family *family,
                                               size_t rules, size_t entries)
{
    char folder[] = "/tmp/rules_bench_XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        fail(folder);
    FILE *to = fopen("postern.yaml", "w");
    if (to == NULL)
        fail("postern.yaml");
    fputs(first, to);
    if (family != NULL)
        put_family(to, family, rules);
    else
        put_site(to, rules);
    fclose(to);
    write_lists(entries);
    const struct settings *settings = load();
    unlink("postern.yaml");
    for (size_t f = 0; f < sizeof files / sizeof *files; f++)
        unlink(files[f]);
    if (chdir("/") == 0)
        rmdir(folder);
    return settings;
}

const struct settings *site_policy(size_t rules, size_t entries)
{
    return load_from_folder(NULL, rules, entries);
}

const struct settings *family_policy(const struct rule_family *family,
                                     size_t rules)
{
    return load_from_folder(family, rules, 10000);
}
