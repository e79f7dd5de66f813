#include "proxy/confine/confinement.h"

#include "config/endpoint.h"
#include "proxy/confine/syscall_rows.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESOLVER "/etc/resolv.conf"

/* What the C library reads while the server runs. */
static const char *const system_paths[] = {
    "/dev/urandom", /* jansson's hashes begin with it */
    "/dev/null",    /* what a listener keeps for when there are no others */
    RESOLVER,
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/nsswitch.conf",
    "/etc/ld.so.cache", /* nsswitch.conf names libraries */
    "/usr/lib",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/sys/devices/system/cpu/online", /* how many heaps malloc() keeps */
#if CONFINE_SANITIZED
    "/proc",          /* maps and tasks of this process, by its id */
    "/proc/self/exe", /* names of functions */
#endif
};

/* A key of the configuration that names a path. */
struct origin {
    const char *key;
    struct mark mark;
};

/* Takes the path over, also when it fails. `origin` NULL: the system's. */
static int take_path(struct confinement *confinement, char *path,
                     enum landlock_use use, const struct origin *origin)
{
    if (path != NULL && confinement->count == confinement->room) {
        size_t room = confinement->room == 0 ? 32 : confinement->room * 2;
        struct confined_path *paths =
            realloc(confinement->paths, room * sizeof *paths);
        if (paths != NULL) {
            confinement->paths = paths;
            confinement->room = room;
        }
    }
    if (path == NULL || confinement->count == confinement->room) {
        free(path);
        return -1;
    }
    confinement->paths[confinement->count++] =
        (struct confined_path){.path = path, .use = use};
    if (origin != NULL) {
        struct confined_path *added =
            &confinement->paths[confinement->count - 1];
        added->key = origin->key;
        added->mark = origin->mark;
    }
    return 0;
}

static int add_path(struct confinement *confinement, const char *path,
                    enum landlock_use use, const struct origin *origin)
{
    return take_path(confinement, strdup(path), use, origin);
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int add_folder_of(struct confinement *confinement, const char *path,
                         enum landlock_use use, const struct origin *origin)
{
    return take_path(confinement, folder_of(path), use, origin);
}

/* A rotated log is a new file, so that the directory counts; a pipe or a
 * terminal stays what it is. */
static int add_log(struct confinement *confinement, const char *path,
                   const struct origin *origin)
{
    struct stat status;
    if (path == NULL)
        return 0;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return add_path(confinement, path, LANDLOCK_APPEND, origin);
    return add_folder_of(confinement, path, LANDLOCK_APPEND, origin);
}

static int add_system(struct confinement *confinement)
{
    for (size_t i = 0; i < sizeof system_paths / sizeof *system_paths; i++)
        if (add_path(confinement, system_paths[i], LANDLOCK_READ, NULL) != 0)
            return -1;
    return 0;
}

static bool has_names(const struct settings *settings)
{
    for (size_t i = 0; i < settings->upstream_count; i++)
        for (size_t j = 0; j < settings->upstreams[i].server_count; j++)
            if (!endpoint_is_numeric(&settings->upstreams[i].servers[j]))
                return true;
    for (size_t i = 0; i < settings->policy_server_count; i++)
        if (settings->policy_servers[i].socket == NULL &&
            !endpoint_is_numeric(&settings->policy_servers[i].address))
            return true;
    if (settings->limits.store == STORE_REDIS &&
        settings->limits.store_socket == NULL &&
        !endpoint_is_numeric(&settings->limits.store_address))
        return true;
    for (size_t i = 0; i < settings->auth.backend_count; i++)
        if (settings->auth.backends[i].kind == BACKEND_INTROSPECT)
            return true;
    return false;
}

/* The file is replaced now and then, and what replaces it is another file: so
 * the directory in which it really stands counts, where names are looked up. */
static int add_resolver(struct confinement *confinement,
                        const struct settings *settings)
{
    char real[PATH_MAX];
    if (!has_names(settings) || realpath(RESOLVER, real) == NULL)
        return 0;
    return add_folder_of(confinement, real, LANDLOCK_READ, NULL);
}

static int add_maildirs(struct confinement *confinement,
                        const struct settings *settings)
{
    for (size_t i = 0; i < settings->upstream_count; i++) {
        const struct upstream_settings *upstream = &settings->upstreams[i];
        const struct origin origin = {"maildir", upstream->maildir_mark};
        if (upstream->maildir != NULL &&
            add_path(confinement, upstream->maildir, LANDLOCK_OWN, &origin) !=
                0)
            return -1;
    }
    return 0;
}

static int add_configured(struct confinement *confinement,
                          const struct settings *settings)
{
    const struct limits_settings *limits = &settings->limits;
    const struct log_settings *log = &settings->log;
    const struct origin state = {"limits.state", limits->state_mark};
    const struct origin decisions = {"log.decisions", log->decisions_mark};
    const struct origin server = {"log.server", {0}};
    /* The default may be missing: budgets are kept in memory then. */
    bool is_named = limits->state_mark.line > 0;
    if (limits->state != NULL &&
        add_folder_of(confinement, limits->state, LANDLOCK_OWN,
                      is_named ? &state : NULL) != 0)
        return -1;
    if (add_maildirs(confinement, settings) != 0 ||
        add_log(confinement, log->decisions, &decisions) != 0)
        return -1;
    return add_log(confinement, log->server, &server);
}

int confinement_of(struct confinement *confinement,
                   const struct settings *settings)
{
    *confinement =
        (struct confinement){.user = settings->user,
                             .is_user_named = settings->user_mark.line > 0,
                             .is_strict = settings->confine,
                             .has_core_dumps = settings->core_dumps};
    if (add_configured(confinement, settings) == 0 &&
        add_system(confinement) == 0 &&
        add_resolver(confinement, settings) == 0)
        return 0;
    confinement_release(confinement);
    return -1;
}

void confinement_release(struct confinement *confinement)
{
    for (size_t i = 0; i < confinement->count; i++)
        free(confinement->paths[i].path);
    free(confinement->paths);
    *confinement = (struct confinement){0};
}

enum privileges_result confinement_user(const struct confinement *confinement,
                                        struct privileges *privileges,
                                        char *error, size_t room)
{
    enum privileges_result result =
        privileges_find(privileges, confinement->user, error, room);
    if (result == PRIVILEGES_NO_USER && confinement->is_user_named)
        return PRIVILEGES_FAILED;
    return result;
}
