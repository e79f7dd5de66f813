/* The part of a world that outlives a run: the settings, and the folder with
 * the configuration and the maildir in it. */
#include "tests/dialogue/world.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/load.h"
#include "tests/support/from_disk.h"

#define LEDGER_KEYS 1024

static const char *const PARTS[] = {"tmp", "new", "cur"};

static void path_in(const struct scene *scene, char *path, size_t room,
                    const char *part, const char *name)
{
    snprintf(path, room, "%s/mail/%s/%s", scene->folder, part, name);
}

/* The YAML with every $MAILDIR replaced. */
static int write_config(const struct scene *scene, const char *path,
                        struct str yaml)
{
    FILE *file = fopen(path, "w");
    if (!file)
        return -1;
    for (;;) {
        const char *at = yaml.n ? memmem(yaml.p, yaml.n, "$MAILDIR", 8) : NULL;
        size_t n = at ? (size_t)(at - yaml.p) : yaml.n;
        if (n > 0)
            if (n)
                fwrite(yaml.p, 1, n, file);
        if (!at)
            return fclose(file);
        fprintf(file, "%s/mail", scene->folder);
        yaml = str_skip(yaml, n + 8);
    }
}

static void make_maildir(const struct scene *scene)
{
    char path[512];
    snprintf(path, sizeof path, "%s/mail", scene->folder);
    mkdir(path, 0700);
    for (size_t i = 0; i < 3; i++) {
        path_in(scene, path, sizeof path, PARTS[i], "");
        mkdir(path, 0700);
    }
}

const struct settings *scene_load(const struct scene *scene, const char *name)
{
    struct diags diags;
    char path[128];
    snprintf(path, sizeof path, "%s/%s", scene->folder, name);
    diags_init(&diags);
    const struct settings *settings = config_load(path, &diags);
    if (!settings)
        diags_print(&diags, stderr);
    diags_release(&diags);
    return settings;
}

/* The logins at the upstreams, out of the file `secrets`. */
static int open_books(struct scene *scene)
{
    const struct settings *settings = scene->settings;
    struct diags diags;
    int result = 0;
    diags_init(&diags);
    scene->books = calloc(settings->upstream_count + 1, sizeof *scene->books);
    for (size_t i = 0; scene->books && i < settings->upstream_count; i++) {
        if (settings->upstreams[i].login.kind == LOGIN_NONE)
            continue;
        scene->books[i] = FROM_DISK(
            credential_book_new(&settings->upstreams[i], disk, &diags));
        if (!scene->books[i])
            result = -1;
    }
    if (result)
        diags_print(&diags, stderr);
    diags_release(&diags);
    return scene->books ? result : -1;
}

static void close_books(struct scene *scene)
{
    for (size_t i = 0; scene->books && i < scene->settings->upstream_count; i++)
        credential_book_free(scene->books[i]);
    free(scene->books);
}

int scene_open(struct scene *scene, const struct script *script)
{
    char path[128];
    *scene = (struct scene){.script = script, .ledger_keys = LEDGER_KEYS};
    snprintf(scene->folder, sizeof scene->folder, "%s/dialogue.XXXXXX",
             P_tmpdir);
    if (!mkdtemp(scene->folder))
        return -1;
    make_maildir(scene);
    snprintf(path, sizeof path, "%s/candidate.yaml", scene->folder);
    int failed = write_config(scene, path, script->candidate);
    snprintf(path, sizeof path, "%s/next.yaml", scene->folder);
    if (!failed)
        failed = write_config(scene, path, script->next);
    snprintf(path, sizeof path, "%s/secrets", scene->folder);
    if (!failed)
        failed = write_config(scene, path, script->secrets);
    chmod(path, 0600);
    snprintf(path, sizeof path, "%s/postern.yaml", scene->folder);
    if (!failed && write_config(scene, path, script->config) == 0)
        scene->settings = scene_load(scene, "postern.yaml");
    return scene->settings ? open_books(scene) : -1;
}

void scene_clean(const struct scene *scene)
{
    char path[768];
    for (size_t i = 0; i < 3; i++) {
        path_in(scene, path, sizeof path, PARTS[i], "");
        DIR *folder = opendir(path);
        struct dirent *entry;
        while (folder && (entry = readdir(folder)) != NULL) {
            path_in(scene, path, sizeof path, PARTS[i], entry->d_name);
            unlink(path);
        }
        if (folder)
            closedir(folder);
    }
}

void scene_close(struct scene *scene)
{
    char path[512];
    scene_clean(scene);
    for (size_t i = 0; i < 3; i++) {
        path_in(scene, path, sizeof path, PARTS[i], "");
        rmdir(path);
    }
    snprintf(path, sizeof path, "%s/mail", scene->folder);
    rmdir(path);
    snprintf(path, sizeof path, "%s/candidate.yaml", scene->folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/next.yaml", scene->folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/secrets", scene->folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/postern.yaml", scene->folder);
    unlink(path);
    rmdir(scene->folder);
    if (scene->settings)
        close_books(scene);
    settings_unref(scene->settings);
}

static size_t scan(const struct scene *scene, char *newest, size_t room)
{
    char path[768];
    size_t count = 0;
    struct stat status;
    struct timespec best = {0};
    path_in(scene, path, sizeof path, "new", "");
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)) != NULL) {
        path_in(scene, path, sizeof path, "new", entry->d_name);
        if (entry->d_name[0] == '.' || stat(path, &status))
            continue;
        count++;
        if (status.st_mtim.tv_sec > best.tv_sec ||
            (status.st_mtim.tv_sec == best.tv_sec &&
             status.st_mtim.tv_nsec >= best.tv_nsec)) {
            best = status.st_mtim;
            snprintf(newest, room, "%s", path);
        }
    }
    if (folder)
        closedir(folder);
    return count;
}

size_t world_count_messages(const struct world *world)
{
    char newest[768];
    return scan(world->scene, newest, sizeof newest);
}

struct octets world_newest_message(const struct world *world)
{
    struct octets octets = {0};
    char path[768] = "", chunk[4096];
    scan(world->scene, path, sizeof path);
    FILE *file = fopen(path, "r");
    size_t n;
    while (file && (n = fread(chunk, 1, sizeof chunk, file)) > 0)
        octets_append(&octets, str_span(chunk, n));
    if (file)
        fclose(file);
    return octets;
}
