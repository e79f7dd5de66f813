#include "tests/bench/rules/rule_kinds.h"

const struct rule_kind rule_kinds[] = {
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

const size_t rule_kind_count = sizeof rule_kinds / sizeof *rule_kinds;

const struct rule_family rule_families[] = {
    {.name = "equality, one fact",
     .stage = "mail",
     .body = "when: {auth.user: nobody#}, tag: t"},
    {.name = "a list in the rule",
     .stage = "mail",
     .body = "when: {auth.user: [na#, nb#, nc#, nd#, ne#, nf#, ng#, nh#]}, "
             "tag: t"},
    {.name = "one of 500 lists of 100",
     .stage = "mail",
     .body = "when: {auth.user: '@own!'}, tag: t",
     .entries = 100},
    {.name = "one of 500 lists of 500",
     .stage = "mail",
     .body = "when: {auth.user: '@own!'}, tag: t",
     .entries = 500},
    {.name = "one list of 10,000",
     .stage = "rcpt",
     .body = "when: {rcpt.to: '@suppressed'}, tag: t#"},
    {.name = "limits by equality",
     .stage = "mail",
     .body = "when: {auth.user: nobody#}, limit: {messages: 9/h, by: "
             "'{auth.user}'}, defer: '450 4.7.1 Later'"},
    {.name = "any of two facts",
     .stage = "mail",
     .body = "when: {any: [{auth.user: nobody#}, {mail.from: n#@x.example}]}, "
             "tag: t"},
    {.name = "not, and equality",
     .stage = "mail",
     .body = "when: {not: {auth.groups: board}, mail.from: n#@x.example}, "
             "tag: t"},
    {.name = "a domain and all below",
     .stage = "mail",
     .body = "when: {mail.from.domain: .nowhere#.example}, tag: t"},
    {.name = "addresses of a domain",
     .stage = "mail",
     .body = "when: {mail.from: '*@nowhere#.example'}, tag: t"},
    {.name = "network",
     .stage = "mail",
     .body = "when: {client.ip: 10.~.%.0/24}, tag: t"},
    {.name = "a header that is absent",
     .stage = "header",
     .body = "when: {header.x-kind: '/^kind #/'}, tag: t"},
    {.name = "size above",
     .stage = "mail",
     .body = "when: {mail.size: '> 9#M'}, tag: t"},
    {.name = "prefix",
     .stage = "mail",
     .body = "when: {mail.from: 'bounce-#-*@x.example'}, tag: t"},
    {.name = "pattern",
     .stage = "mail",
     .body = "when: {mail.from: '/^(.+)@old#\\.example$/i'}, tag: t"},
    {.name = "outside a set",
     .stage = "mail",
     .body = "when: {auth.user: {none_in: [user7, nobody#]}}, tag: t"},
    {.name = NULL},
};
