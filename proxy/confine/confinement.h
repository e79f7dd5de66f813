/* What the process that serves clients keeps when it is confined: a user and
 * paths. A value that the settings give; owns its paths, and nothing else. */
#ifndef PROXY_CONFINE_CONFINEMENT_H
#define PROXY_CONFINE_CONFINEMENT_H

#include "config/settings.h"
#include "proxy/confine/landlock.h"
#include "proxy/confine/privileges.h"

struct confined_path {
    char *path;
    enum landlock_use use;
    const char *key;  /* of the configuration; NULL: the system's, and it may be
                         missing */
    struct mark mark; /* where that stands; line 0: not known */
};

struct confinement {
    const char *user;   /* borrowed from the settings */
    bool is_user_named; /* by the configuration; else it may be missing */
    bool is_strict;     /* system calls and files; else the user alone */
    bool has_core_dumps;
    struct confined_path *paths;
    size_t count, room;
};

/* 0, or -1 when out of memory. The settings must outlive it. */
int confinement_of(struct confinement *confinement,
                   const struct settings *settings);
void confinement_release(struct confinement *confinement);

/* The user that confine() will become: with a warning where it stays root. */
enum privileges_result confinement_user(const struct confinement *confinement,
                                        struct privileges *privileges,
                                        char *error, size_t room);

/* For whoever starts the process, while it may: makes the directories that the
 * configuration names and that are missing, for that user. Adds an error for
 * each in which the user may not write. 0, or -1. */
int confinement_prepare(const struct confinement *confinement,
                        struct diags *diags);

#endif
