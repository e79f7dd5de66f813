#include "proxy/budgets/redis_words.h"

#define NO_PERMISSION                                                          \
    "its user may not do that: it needs ~postern:* and +@all or at least "     \
    "+@connection +@scripting +@read +@write +time"
#define NO_COMMAND                                                             \
    "it lacks a command: Redis 5 or newer, or Valkey, is needed, and none of " \
    "its commands may be renamed"

/* By what they start with, behind ERR. */
static const struct {
    const char *start;
    enum redis_error kind;
    const char *words;
} ERRORS[] = {
    {"NOSCRIPT", REDIS_ERROR_NOSCRIPT, NULL},
    {"LOADING", REDIS_ERROR_AWAY, "it is still loading its data"},
    {"BUSY", REDIS_ERROR_AWAY,
     "it is busy with a script that does not end; see `redis-cli script kill`"},
    {"READONLY", REDIS_ERROR_AWAY,
     "it is a replica, which can't be written to: limits.store must name the "
     "primary"},
    {"MASTERDOWN", REDIS_ERROR_AWAY,
     "it is a replica that has lost its primary"},
    {"NOREPLICAS", REDIS_ERROR_AWAY,
     "it has fewer replicas than its min-replicas-to-write asks for"},
    {"OOM", REDIS_ERROR_AWAY,
     "its memory is full: raise its maxmemory; its maxmemory-policy should be "
     "noeviction"},
    {"MISCONF", REDIS_ERROR_AWAY,
     "it can't save to its disk and so takes no changes: see its log"},
    {"MOVED", REDIS_ERROR_AWAY,
     "it is one of a cluster and the key is on another server: limits.store "
     "takes one server that has all"},
    {"ASK", REDIS_ERROR_AWAY,
     "it is one of a cluster and is moving the key to another server"},
    {"CROSSSLOT", REDIS_ERROR_AWAY, "it is one of a cluster"},
    {"CLUSTERDOWN", REDIS_ERROR_AWAY, "its cluster is down"},
    {"NOAUTH", REDIS_ERROR_AWAY,
     "it wants a password: set limits.store_password_file"},
    {"WRONGPASS", REDIS_ERROR_AWAY,
     "it refuses the user or the password of limits.store_password_file"},
    {"invalid password", REDIS_ERROR_AWAY,
     "it refuses the password of limits.store_password_file"},
    {"AUTH <password> called without any password", REDIS_ERROR_AWAY,
     "it has no password for its default user: remove "
     "limits.store_password_file, or set requirepass there"},
    {"Client sent AUTH, but no password is set", REDIS_ERROR_AWAY,
     "it has no password: remove limits.store_password_file, or set "
     "requirepass there"},
    {"wrong number of arguments for 'auth'", REDIS_ERROR_AWAY,
     "it is too old for users: it takes a password alone"},
    {"NOPERM", REDIS_ERROR_AWAY, NO_PERMISSION},
    {"The user executing the script can't", REDIS_ERROR_AWAY, NO_PERMISSION},
    {"DB index is out of range", REDIS_ERROR_AWAY,
     "it has no database of that number: see its `databases`"},
    {"max number of clients reached", REDIS_ERROR_AWAY,
     "it has too many clients: raise its maxclients"},
    {"DENIED", REDIS_ERROR_AWAY,
     "it is in protected mode: it takes only connections from its own machine "
     "until it has a password"},
    {"unknown command", REDIS_ERROR_AWAY, NO_COMMAND},
    {"Unknown Redis command called from", REDIS_ERROR_AWAY, NO_COMMAND},
};

/* Redis before 7 tells what failed within a script as "ERR Error running
 * script (call to f_0123): @user_script:1: @user_script: 1: -OOM command not
 * allowed", with a hyphen or without. */
static struct str cause_of(struct str error)
{
    static const struct str START = STR_INIT("Error running script");
    static const struct str MARK = STR_INIT("@user_script: ");
    struct str line, cause;
    if (str_starts_with(error, STR("ERR ")))
        error = str_skip(error, 4);
    if (!str_starts_with(error, START))
        return error;
    for (struct str rest = error; rest.n > 0; rest = str_skip(rest, 1))
        if (str_starts_with(rest, MARK) &&
            str_cut(str_skip(rest, MARK.n), ' ', &line, &cause))
            return str_starts_with(cause, STR("-")) ? str_skip(cause, 1)
                                                    : cause;
    return error;
}

enum redis_error redis_error_of(struct str error, const char **words)
{
    *words = NULL;
    error = cause_of(error);
    for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS; i++) {
        if (!str_starts_with_nocase(error, str_from(ERRORS[i].start)))
            continue;
        *words = ERRORS[i].words;
        return ERRORS[i].kind;
    }
    return REDIS_ERROR_COMMAND;
}
