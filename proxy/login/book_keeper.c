#include "proxy/login/book_keeper.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct book_keeper {
    const struct auth_settings *auth;
    pthread_rwlock_t lock; /* of the book */
    struct user_book book;
    atomic_uint_fast64_t edition;
    atomic_bool holds_scram;
};

struct book_keeper *book_keeper_new(const struct auth_settings *auth,
                                    struct files *files, struct diags *diags)
{
    struct book_keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL) {
        diags_error(diags, (struct mark){.file = "users"}, "out of memory");
        return NULL;
    }
    keeper->auth = auth;
    pthread_rwlock_init(&keeper->lock, NULL);
    if (user_book_read(&keeper->book, auth, files, diags) != 0) {
        book_keeper_free(keeper);
        return NULL;
    }
    keeper->holds_scram = keeper->book.holds_scram;
    return keeper;
}

void book_keeper_free(struct book_keeper *keeper)
{
    if (keeper == NULL)
        return;
    user_book_release(&keeper->book);
    pthread_rwlock_destroy(&keeper->lock);
    free(keeper);
}

void book_keeper_keep_secret(struct book_keeper *keeper,
                             const uint8_t secret[KEYED_HASH_SECRET])
{
    memcpy(keeper->book.secret, secret, KEYED_HASH_SECRET);
}

const struct user_book *book_keeper_lend(struct book_keeper *keeper)
{
    pthread_rwlock_rdlock(&keeper->lock);
    return &keeper->book;
}

void book_keeper_give_back(struct book_keeper *keeper)
{
    pthread_rwlock_unlock(&keeper->lock);
}

uint64_t book_keeper_edition(const struct book_keeper *keeper)
{
    return atomic_load(&keeper->edition);
}

bool book_keeper_holds_scram(const struct book_keeper *keeper)
{
    return atomic_load(&keeper->holds_scram);
}

static const struct backend_settings *
next_file(const struct auth_settings *auth, size_t *at)
{
    while (*at < auth->backend_count) {
        const struct backend_settings *backend = &auth->backends[(*at)++];
        if (backend->users != NULL)
            return backend;
    }
    return NULL;
}

bool book_keeper_has_files(const struct book_keeper *keeper)
{
    size_t at = 0;
    return next_file(keeper->auth, &at) != NULL;
}

/* Whether any file has changed. This thread alone writes the book. */
static bool tell_changes(const struct book_keeper *keeper,
                         const struct user_book *fresh, struct server_log *log)
{
    bool has_changed = false;
    size_t at = 0;
    for (size_t i = 0; i < fresh->file_count; i++) {
        const struct backend_settings *backend = next_file(keeper->auth, &at);
        const struct users *users = &fresh->files[i];
        if (strcmp(users->digest, keeper->book.files[i].digest) == 0)
            continue;
        has_changed = true;
        server_log_write(log, SERVER_INFO,
                         "auth.backends: users: %s has changed and was read: "
                         "%zu logins",
                         backend->users, users->count);
    }
    return has_changed;
}

void book_keeper_renew(struct book_keeper *keeper, struct user_book *fresh,
                       bool others_changed, struct server_log *log)
{
    bool has_changed = tell_changes(keeper, fresh, log) || others_changed;
    pthread_rwlock_wrlock(&keeper->lock);
    user_book_exchange(&keeper->book, fresh);
    atomic_store(&keeper->holds_scram, keeper->book.holds_scram);
    if (has_changed)
        atomic_fetch_add(&keeper->edition, 1);
    pthread_rwlock_unlock(&keeper->lock);
}
