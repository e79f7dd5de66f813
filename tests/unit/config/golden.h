/* Golden tests of diagnostics: a configuration, and each line that is printed
 * about it. A case holds what is wrong; the sections that any configuration
 * needs are put behind it, unless it says `without`. */
#ifndef TESTS_UNIT_CONFIG_GOLDEN_H
#define TESTS_UNIT_CONFIG_GOLDEN_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"

enum golden_section {
    GOLDEN_HOSTNAME = 1,
    GOLDEN_LISTENERS = 2,
    GOLDEN_UPSTREAMS = 4,
    GOLDEN_TLS = 8,
    GOLDEN_AUTH = 16,
    GOLDEN_ALL = 31
};

struct golden {
    const char *name;
    const char *text;
    unsigned without;
    const char *want; /* all lines, or "" */
};

static const struct {
    enum golden_section section;
    const char *text;
} golden_sections[] = {
    {GOLDEN_HOSTNAME, "hostname: mail.example.com\n"},
    {GOLDEN_LISTENERS,
     "listeners:\n"
     "  submission: {address: \"127.0.0.1:5870\", tls: starttls}\n"},
    {GOLDEN_UPSTREAMS, "upstreams:\n"
                       "  mta: {servers: [\"127.0.0.1:10025\"]}\n"
                       "upstream: mta\n"},
    {GOLDEN_TLS, "tls:\n  certificates: [{chain: cert.pem, key: key.pem}]\n"},
    {GOLDEN_AUTH, "auth:\n  backends: [{users: users}]\n"},
};

static inline const struct settings *
golden_load(const char *text, unsigned without, struct diags *diags)
{
    char *whole = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&whole, &size);
    assert_non_null(out);
    fputs(text, out);
    for (size_t i = 0; i < sizeof golden_sections / sizeof *golden_sections;
         i++)
        if ((without & golden_sections[i].section) == 0)
            fputs(golden_sections[i].text, out);
    fclose(out);
    const struct settings *settings =
        config_load_octets("t.yaml", (struct str){whole, size}, diags);
    free(whole);
    return settings;
}

/* What is printed; the caller frees it. */
static inline char *golden_print(const struct diags *diags)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    diags_print(diags, out);
    fclose(out);
    return text;
}

static inline void golden_check(const struct golden *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct diags diags;
        diags_init(&diags);
        const struct settings *settings =
            golden_load(cases[i].text, cases[i].without, &diags);
        char *got = golden_print(&diags);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s:\n--- got\n%s--- want\n%s", cases[i].name, got,
                     cases[i].want);
        assert_true((settings == NULL) == (diags.errors > 0));
        free(got);
        settings_unref(settings);
        diags_release(&diags);
    }
}

#endif
