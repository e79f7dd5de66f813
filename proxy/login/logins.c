#include "proxy/login/logins.h"

#include <stdlib.h>
#include <string.h>

#define CACHED_MAX 16384
#define FAILURES_MAX 65536 /* networks and names that are remembered */

/* All faults are found before it gives up. */
static int prepare(struct logins *logins, struct files *files,
                   struct diags *diags)
{
    logins->keeper = book_keeper_new(logins->auth, files, diags);
    logins->users = (struct users_shared){logins->keeper, logins->threads};
    int result = logins->keeper == NULL ? -1 : 0;
    return back_ends_prepare(&logins->back_ends, logins->auth, &logins->users,
                             files, diags) == 0
               ? result
               : -1;
}

static int start_threads(struct logins *logins, struct diags *diags)
{
    int error = book_keeper_has_files(logins->keeper)
                    ? hash_threads_start(logins->threads)
                    : 0;
    if (error != 0)
        diags_error(diags, logins->auth->backends[0].mark,
                    "no thread for hashing can be started: %s",
                    strerrordesc_np(error));
    return error == 0 ? 0 : -1;
}

struct logins *logins_new(const struct settings *settings, struct files *files,
                          struct diags *diags)
{
    struct logins *logins = calloc(1, sizeof *logins);
    if (logins != NULL) {
        logins->auth = &settings->auth;
        logins->threads = hash_threads_new();
        logins->cache = login_cache_new(CACHED_MAX);
        logins->failures = failure_delay_new(FAILURES_MAX);
    }
    if (logins == NULL || logins->threads == NULL || logins->cache == NULL ||
        logins->failures == NULL)
        diags_error(diags, (struct mark){.file = settings->path},
                    "out of memory");
    else if (prepare(logins, files, diags) == 0 &&
             start_threads(logins, diags) == 0)
        return logins;
    logins_free(logins);
    return NULL;
}

void logins_keep_stand_ins(struct logins *logins,
                           const uint8_t secret[KEYED_HASH_SECRET])
{
    book_keeper_keep_secret(logins->keeper, secret);
}

struct logins_renewal {
    struct user_book book;
    struct users_shared users; /* for back_ends_prepare() alone */
    struct back_ends back_ends;
};

struct logins_renewal *logins_prepare(const struct settings *settings,
                                      struct files *files, struct diags *diags)
{
    struct logins_renewal *renewal = calloc(1, sizeof *renewal);
    if (renewal == NULL) {
        diags_error(diags, (struct mark){.file = settings->path},
                    "out of memory");
        return NULL;
    }
    int books = user_book_read(&renewal->book, &settings->auth, files, diags);
    int others = back_ends_prepare(&renewal->back_ends, &settings->auth,
                                   &renewal->users, files, diags);
    if (books == 0 && others == 0)
        return renewal;
    logins_renewal_free(renewal);
    return NULL;
}

void logins_renewal_free(struct logins_renewal *renewal)
{
    if (renewal == NULL)
        return;
    user_book_release(&renewal->book);
    back_ends_release(&renewal->back_ends);
    free(renewal);
}

void logins_renew(struct logins *logins, struct logins_renewal *renewal,
                  struct server_log *log)
{
    /* Before the edition changes: what was asked of the old ones is void. */
    bool has_changed =
        back_ends_renew(&logins->back_ends, &renewal->back_ends, log);
    book_keeper_renew(logins->keeper, &renewal->book, has_changed, log);
    logins_renewal_free(renewal);
}

void logins_free(struct logins *logins)
{
    if (logins == NULL)
        return;
    hash_threads_free(logins->threads);
    back_ends_release(&logins->back_ends);
    login_cache_free(logins->cache);
    failure_delay_free(logins->failures);
    book_keeper_free(logins->keeper);
    free(logins);
}
