#include "proxy/confine/confine.h"

#include "proxy/confine/syscall_rows.h"
#include "proxy/confine/syscalls.h"
#include "rules/regex.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

/* Of a directory with one entry: itself, its parent's link to it, the entry. */
#define LINKS_OF_ONE_TASK 3

/* What holds, in words. */
struct hold {
    char user[64];
    char seccomp[16];
    char landlock[32];
};

/* The thread sanitizer has a thread of its own from the first. */
static bool has_threads(void)
{
    struct stat tasks;
    return !CONFINE_SANITIZED && stat("/proc/self/task", &tasks) == 0 &&
           tasks.st_nlink > LINKS_OF_ONE_TASK;
}

/* A configured path that is missing is told: later it would be a file that
 * can't be opened, for no reason that its mode shows. */
static int allow_paths(const struct confinement *confinement,
                       const struct landlock *landlock, struct server_log *log)
{
    for (size_t i = 0; i < confinement->count; i++) {
        const struct confined_path *one = &confinement->paths[i];
        int number = landlock_allow(landlock, one->path, one->use);
        if (number == ENOMEM)
            return number;
        if (number != 0 && one->key != NULL)
            server_log_write(log, SERVER_WARNING,
                             "%s: %s: %s; what serves clients can use no file "
                             "there: make it, then restart",
                             one->key, one->path, strerrordesc_np(number));
    }
    return 0;
}

static void tell_without_landlock(struct server_log *log, int number)
{
    const char *why = "it can't be used here";
    if (number == ENOSYS)
        why = "this kernel is without it, or older than Linux 5.19";
    else if (number == EOPNOTSUPP)
        why = "it is switched off: add landlock to the kernel's lsm= option";
    server_log_write(log, SERVER_WARNING,
                     "no Landlock: %s (%s); going on, as the modes of files "
                     "still hold",
                     why, strerrordesc_np(number));
}

/* While the process may look everywhere. */
static void prepare_landlock(const struct confinement *confinement,
                             struct landlock *landlock, struct server_log *log)
{
    int number = landlock_begin(landlock);
    if (number == 0)
        number = allow_paths(confinement, landlock, log);
    if (number == 0)
        return;
    tell_without_landlock(log, number);
    landlock_end(landlock);
}

static void enforce_landlock(struct landlock *landlock, struct hold *hold,
                             struct server_log *log)
{
    if (landlock->fd < 0)
        return;
    int number = landlock_enforce(landlock);
    if (number == 0)
        snprintf(hold->landlock, sizeof hold->landlock, ", Landlock ABI %d",
                 landlock->version);
    else
        tell_without_landlock(log, number);
    landlock_end(landlock);
}

static void enforce_syscalls(struct hold *hold, struct server_log *log)
{
    int number = syscalls_restrict();
    if (number == 0)
        snprintf(hold->seccomp, sizeof hold->seccomp, ", seccomp");
    else
        server_log_write(log, SERVER_WARNING,
                         "no seccomp: the kernel takes no filter of system "
                         "calls (%s); going on without",
                         strerrordesc_np(number));
}

/* A change of the user has made it so; and where there was none, another
 * process of the same user could read what is in memory. */
static void hide_memory(const struct confinement *confinement)
{
    bool is_open = confinement->has_core_dumps || CONFINE_SANITIZED;
    (void)prctl(PR_SET_DUMPABLE, is_open ? 1 : 0, 0, 0, 0);
}

static int drop(const struct confinement *confinement, struct hold *hold,
                struct server_log *log, char *error, size_t room)
{
    struct privileges privileges;
    enum privileges_result found =
        confinement_user(confinement, &privileges, error, room);
    if (found == PRIVILEGES_FAILED)
        return -1;
    if (found == PRIVILEGES_NO_USER)
        server_log_write(log, SERVER_WARNING,
                         "what serves clients stays root, without its "
                         "capabilities: %s, or name another by `user:`",
                         error);
    if (!privileges.is_kept)
        snprintf(hold->user, sizeof hold->user, "user %s", confinement->user);
    else
        snprintf(hold->user, sizeof hold->user, "%s",
                 privileges.uid == 0 ? "root without capabilities"
                                     : "the user that started it");
    return privileges_drop(&privileges, error, room);
}

static void tell(const struct hold *hold, struct server_log *log)
{
    static const char *const patterns[] = {
        [REGEX_JIT_ON] = "patterns are compiled (JIT on)",
        [REGEX_JIT_NOT_BUILT] =
            "patterns are interpreted (this PCRE2 is without JIT)",
        [REGEX_JIT_REFUSED] =
            "patterns are interpreted, which is slower: the system gives no "
            "memory for machine code (MemoryDenyWriteExecute= of the service, "
            "or SELinux)",
    };
    enum regex_jit jit = regex_jit_try();
    server_log_write(log, jit == REGEX_JIT_ON ? SERVER_INFO : SERVER_WARNING,
                     "confined: %s%s%s; %s", hold->user, hold->seccomp,
                     hold->landlock, patterns[jit]);
}

int confine(const struct confinement *confinement, struct server_log *log,
            char *error, size_t room)
{
    struct hold hold = {0};
    struct landlock landlock = {.fd = -1};
    if (has_threads()) {
        snprintf(error, room, "threads run already, which stay unconfined");
        return -1;
    }
    if (confinement->is_strict)
        prepare_landlock(confinement, &landlock, log);
    if (drop(confinement, &hold, log, error, room) != 0) {
        landlock_end(&landlock);
        return -1;
    }
    hide_memory(confinement);
    if (confinement->is_strict) {
        enforce_landlock(&landlock, &hold, log);
        enforce_syscalls(&hold, log);
    } else {
        server_log_write(log, SERVER_WARNING,
                         "confine: false: whoever breaks into what serves "
                         "clients may do all that its user may");
    }
    tell(&hold, log);
    return 0;
}
