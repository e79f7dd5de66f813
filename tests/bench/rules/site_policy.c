#include "tests/bench/rules/site_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/load.h"

/* In the texts below a `#` is the rule's number among those of its kind, `~`
 * and `%` are its two octets. */

static const char head[] =
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
    "  contained: {dynamic: true}\n"
    "policy:\n";

/* How many of a hundred rules are of a kind; 0: one of the base. */
struct kind {
    const char *stage;
    size_t share;
    const char *body;
};

static const struct kind kinds[] = {
    {"auth", 0,
     "when: {auth.result: failed}, limit: {failures: 10/10m, by: "
     "'{client.net}'}, close: '421 4.7.0 Too many failed logins'"},
    {"auth", 0,
     "when: {auth.user: '@contained'}, reject: '525 5.7.13 Suspended'"},
    {"auth", 0, "when: {client.ip: '@blocked'}, reject: '525 5.7.13 Blocked'"},
    {"auth", 2,
     "when: {auth.user: user#, client.ip: {not_in: [192.0.2.0/24, "
     "198.51.100.0/24]}}, reject: '525 5.7.13 Not from there'"},
    {"auth", 2,
     "when: {auth.user: seasonal#, time.weekday: [saturday, sunday]}, "
     "reject: '525 5.7.13 Not today'"},

    {"mail", 0,
     "when: {mail.from: '/^(.+)@old\\.example$/i'}, rewrite: {mail.from: "
     "'{1}@example.com'}"},
    {"mail", 0,
     "when: {mail.from: {not_in: '{auth.addresses}'}}, reject: '553 5.7.1 "
     "{auth.user} may not send as {mail.from}'"},
    {"mail", 0,
     "when: {auth.groups: students}, limit: {size: 10M}, reject: '552 5.3.4 "
     "The limit for students is {limit.max}'"},
    {"mail", 18,
     "when: {auth.user: user#, mail.from: {not_in: ['*@site#.example', "
     "user#@example.com]}}, reject: '553 5.7.1 Not your address'"},
    {"mail", 6,
     "when: {auth.user: [user#, clerk#]}, limit: {size: 20M}, reject: '552 "
     "5.3.4 The limit is {limit.max}'"},
    {"mail", 4,
     "when: {auth.groups: team#, mail.from.domain: {not_in: [site#.example, "
     "example.com]}}, reject: '553 5.7.1 Not your domain'"},
    {"mail", 4,
     "when: {client.ip: 10.~.%.0/24, mail.from.domain: {not_in: "
     "'.site#.example'}}, reject: '553 5.7.1 Not from this branch'"},
    {"mail", 3,
     "when: {mail.from: '/^(.+)@old#\\.example$/i'}, rewrite: {mail.from: "
     "'{1}@site#.example'}"},
    {"mail", 3, "when: {mail.from: 'bounce-#-*@example.com'}, tag: bounce"},
    {"mail", 2,
     "when: {any: [{auth.user: robot#}, {mail.from: robot#@example.com}]}, "
     "limit: {messages: 100/h, by: '{auth.user}'}, defer: '450 4.7.1 Later'"},
    {"mail", 2,
     "when: {not: {auth.groups: board}, mail.from: chair#@example.com}, "
     "reject: '553 5.7.1 Not the chair'"},
    {"mail", 2,
     "when: {auth.groups: plan#, mail.size: '> 25M'}, reject: '552 5.3.4 Too "
     "large for this plan'"},
    {"mail", 2, "when: {helo.name: '.branch#.example'}, tag: branch#"},

    {"rcpt", 0,
     "when: {rcpt.to.domain: '@disposable'}, reject: '550 5.7.1 Nobody reads "
     "that'"},
    {"rcpt", 0,
     "when: {auth.user: {exists: true}}, limit: {recipients: 100000/h, by: "
     "'{auth.user}'}, defer: '450 4.7.1 Try again in {limit.retry_after}'"},
    {"rcpt", 10,
     "when: {rcpt.to: left#@example.com}, reject: '550 5.1.6 Has left'"},
    {"rcpt", 8, "when: {rcpt.to.domain: .partner#.example}, tag: partner"},
    {"rcpt", 6,
     "when: {auth.user: user#}, limit: {recipients: 50000/h, by: "
     "'user {auth.user}'}, defer: '450 4.7.1 Later'"},
    {"rcpt", 3,
     "when: {auth.groups: trial#, rcpt.to.domain: {not_in: '@partners'}}, "
     "reject: '550 5.7.1 Partners only'"},
    {"rcpt", 2,
     "when: {auth.user: user#, rcpt.to: '@suppressed'}, reject: '550 5.7.1 "
     "Wants no mail'"},
    {"rcpt", 2, "when: {rcpt.to: '/^(sales|info)#@/'}, tag: shop#"},

    {"data", 2, "when: {data.domains: competitor#.example}, tag: competitor"},

    {"header", 0,
     "when: {header.from: {not_in: '{auth.addresses}'}}, reject: '550 5.7.1 "
     "The From header must be one of your addresses'"},
    {"header", 5,
     "when: {header.subject: '/\\bproject #\\b/i'}, headers: {add: "
     "{X-Project: '#'}}"},
    {"header", 3,
     "when: {header.x-mailer: 'Mailer #'}, reject: '550 5.7.1 Not by this'"},
    {"header", 3,
     "when: {auth.user: user#, header.from.domain: {not_in: [site#.example, "
     "example.com]}}, reject: '550 5.7.1 Not your domain'"},
    {"header", 2, "when: {header.to: list#@example.com}, tag: list#"},

    {"message", 2,
     "when: {auth.groups: plan#}, limit: {size: 25M}, reject: '552 5.3.4 Too "
     "large'"},

    {"reply", 0,
     "limit: {rejects: 50/h, by: '{auth.user}'}, list: {add: {contained: "
     "'{auth.user}'}, for: 12h}"},
    {"reply", 2,
     "when: {reply.to.domain: gone#.example, reply.code: '>= 500'}, note: "
     "'gone'"},
};

#define KIND_COUNT (sizeof kinds / sizeof *kinds)

const struct rule_family rule_families[] = {
    {"equality, one fact", "mail", "when: {auth.user: nobody#}, tag: t"},
    {"one of a list, one fact", "mail",
     "when: {auth.user: [na#, nb#, nc#, nd#, ne#, nf#, ng#, nh#]}, tag: t"},
    {"limits by equality", "mail",
     "when: {auth.user: nobody#}, limit: {messages: 9/h, by: "
     "'{auth.user}'}, defer: '450 4.7.1 Later'"},
    {"any of two facts", "mail",
     "when: {any: [{auth.user: nobody#}, {mail.from: n#@x.example}]}, tag: t"},
    {"not, and equality", "mail",
     "when: {not: {auth.groups: board}, mail.from: n#@x.example}, tag: t"},
    {"domain and all below", "mail",
     "when: {mail.from.domain: .nowhere#.example}, tag: t"},
    {"addresses of a domain", "mail",
     "when: {mail.from: '*@nowhere#.example'}, tag: t"},
    {"network", "mail", "when: {client.ip: 10.~.%.0/24}, tag: t"},
    {"header that is absent", "header",
     "when: {header.x-kind: '/^kind #/'}, tag: t"},
    {"size above", "mail", "when: {mail.size: '> 9#M'}, tag: t"},
    {"outside a set", "mail",
     "when: {auth.user: {none_in: [user7, nobody#]}}, tag: t"},
    {"prefix", "mail", "when: {mail.from: 'bounce-#-*@x.example'}, tag: t"},
    {"pattern", "mail",
     "when: {mail.from: '/^(.+)@old#\\.example$/i'}, tag: t"},
    {NULL, NULL, NULL},
};

/* --- writing --- */

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

static size_t count_of(const struct kind *kind, size_t rules)
{
    return kind->share == 0 ? 1 : kind->share * (rules - SITE_BASE_RULES) / 100;
}

/* The kinds stand by stage. */
static void put_site(FILE *to, size_t rules)
{
    const char *stage = "";
    for (size_t k = 0; k < KIND_COUNT; k++) {
        size_t count = count_of(&kinds[k], rules);
        if (count > 0 && strcmp(kinds[k].stage, stage) != 0) {
            stage = kinds[k].stage;
            fprintf(to, "  %s:\n", stage);
        }
        for (size_t i = 0; i < count; i++)
            put_rule(to, kinds[k].body, k, i);
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
    fputs(head, to);
    if (family == NULL)
        put_site(to, rules);
    else
        fprintf(to, "  %s:\n", family->stage);
    for (size_t i = 0; family != NULL && i < rules; i++)
        put_rule(to, family->body, 0, i);
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
    return load_from_folder(family, rules, 1);
}
