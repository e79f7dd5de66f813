/* Configurations in files of their own: a test works in a fresh folder, which
 * goes with it. */
#ifndef TESTS_UNIT_CONFIG_FOLDER_H
#define TESTS_UNIT_CONFIG_FOLDER_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/load.h"

/* All that a configuration needs. */
#define GOOD                                                                   \
    "hostname: mail.example.com\n"                                             \
    "listeners:\n"                                                             \
    "  a: {address: \"127.0.0.1:5870\", tls: starttls}\n"                      \
    "upstreams: {mta: {servers: [\"127.0.0.1:10025\"]}}\n"                     \
    "upstream: mta\n"                                                          \
    "tls: {certificates: [{chain: cert.pem, key: key.pem}]}\n"                 \
    "auth: {backends: [{users: users}]}\n"

struct folder {
    char root[1024]; /* of the sources */
    char before[1024];
    char name[32];
};

static inline int setup(void **state)
{
    static struct folder folder;
    /* .../tests/unit/config/folder.h */
    snprintf(folder.root, sizeof folder.root, "%s", __FILE__);
    for (int i = 0; i < 4; i++) {
        char *slash = strrchr(folder.root, '/');
        if (slash == NULL)
            return -1;
        *slash = '\0';
    }
    snprintf(folder.name, sizeof folder.name, "config_test.XXXXXX");
    *state = &folder;
    if (getcwd(folder.before, sizeof folder.before) == NULL ||
        mkdtemp(folder.name) == NULL)
        return -1;
    return chdir(folder.name);
}

static inline int remove_one(const char *path, const struct stat *status,
                             int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

static inline int teardown(void **state)
{
    struct folder *folder = *state;
    if (chdir(folder->before) != 0)
        return -1;
    return nftw(folder->name, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static inline void assert_printed(const struct diags *diags, const char *want)
{
    char *got = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&got, &size);
    assert_non_null(out);
    diags_print(diags, out);
    fclose(out);
    assert_string_equal(got, want);
    free(got);
}

static inline void assert_refused(const char *path, const char *want)
{
    struct diags diags;
    diags_init(&diags);
    assert_null(config_load(path, &diags));
    assert_printed(&diags, want);
    diags_release(&diags);
}

/* The caller gives it back. */
static inline const struct settings *load(const char *path)
{
    struct diags diags;
    diags_init(&diags);
    const struct settings *settings = config_load(path, &diags);
    assert_printed(&diags, "");
    assert_non_null(settings);
    diags_release(&diags);
    return settings;
}

#endif
