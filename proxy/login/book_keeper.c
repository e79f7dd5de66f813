#include "proxy/login/book_keeper.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/file_stamp.h"

struct watched_file {
    const struct backend_settings *backend;
    struct file_stamp stamp; /* of what was read last */
    bool is_broken;          /* and could not be used */
};

struct book_keeper {
    const struct auth_settings *auth;
    pthread_rwlock_t lock; /* of the book */
    struct user_book book;
    atomic_uint_fast64_t edition;
    atomic_bool holds_scram;
    pthread_mutex_t looking;    /* of the files; one looks at a time */
    struct watched_file *files; /* as the book counts them */
};

/* Before they are read: what changes meanwhile is seen at the next look. */
static int stamp_files(struct book_keeper *keeper)
{
    const struct auth_settings *auth = keeper->auth;
    struct watched_file *file = keeper->files =
        calloc(auth->backend_count + 1, sizeof *keeper->files);
    if (file == NULL)
        return -1;
    for (size_t i = 0; i < auth->backend_count; i++) {
        const struct backend_settings *backend = &auth->backends[i];
        if (backend->users == NULL)
            continue;
        file->backend = backend;
        file->stamp = file_stamp_at(backend->users);
        file++;
    }
    return 0;
}

struct book_keeper *book_keeper_new(const struct auth_settings *auth,
                                    struct diags *diags)
{
    struct book_keeper *keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL) {
        diags_error(diags, (struct mark){.file = "users"}, "out of memory");
        return NULL;
    }
    keeper->auth = auth;
    pthread_rwlock_init(&keeper->lock, NULL);
    pthread_mutex_init(&keeper->looking, NULL);
    int stamped = stamp_files(keeper);
    if (stamped != 0)
        diags_error(diags, (struct mark){.file = "users"}, "out of memory");
    if (user_book_read(&keeper->book, auth, diags) != 0 || stamped != 0) {
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
    pthread_mutex_destroy(&keeper->looking);
    free(keeper->files);
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

bool book_keeper_has_files(const struct book_keeper *keeper)
{
    return keeper->files[0].backend != NULL;
}

/* The first of a level, with how many more there are. */
static void describe(const struct diags *diags, enum diag_level level,
                     char *out, size_t room)
{
    const struct diag *first = NULL;
    size_t more = 0;
    char rest[48] = "";
    for (size_t i = 0; i < diags->count; i++) {
        if (diags->items[i].level != level)
            continue;
        more += first != NULL;
        first = first == NULL ? &diags->items[i] : first;
    }
    out[0] = '\0';
    if (first == NULL)
        return;
    if (more > 0)
        snprintf(rest, sizeof rest, " (and %s%zu more)",
                 diags->dropped > 0 ? "over " : "", more);
    snprintf(out, room, "%s:%zu:%zu: %s%s", first->mark.file, first->mark.line,
             first->mark.column, first->text, rest);
}

static void tell(struct server_log *log, const char *path, int result,
                 size_t count, const struct diags *diags)
{
    char error[512], warning[512];
    describe(diags, DIAG_ERROR, error, sizeof error);
    describe(diags, DIAG_WARNING, warning, sizeof warning);
    if (result != 0)
        server_log_write(log, SERVER_ERROR,
                         "auth.backends: users: %s has changed and can't be "
                         "used: %s; the logins that were there before are kept",
                         path, error);
    else
        server_log_write(log, SERVER_INFO,
                         "auth.backends: users: %s has changed and was read: "
                         "%zu logins",
                         path, count);
    if (warning[0] != '\0')
        server_log_write(log, SERVER_WARNING, "auth.backends: users: %s",
                         warning);
}

/* `users` become what was there before. */
static void exchange(struct book_keeper *keeper, size_t i, struct users *users)
{
    pthread_rwlock_wrlock(&keeper->lock);
    user_book_exchange(&keeper->book, i, users);
    atomic_store(&keeper->holds_scram, keeper->book.holds_scram);
    atomic_fetch_add(&keeper->edition, 1);
    pthread_rwlock_unlock(&keeper->lock);
}

static int read_again(struct book_keeper *keeper, size_t i,
                      struct server_log *log, struct diags *diags)
{
    struct watched_file *file = &keeper->files[i];
    struct users users;
    int result =
        user_book_read_file(keeper->auth, file->backend, &users, diags);
    size_t count = users.count;
    file->is_broken = result != 0;
    if (result == 0)
        exchange(keeper, i, &users);
    users_release(&users);
    tell(log, file->backend->users, result, count, diags);
    return result;
}

bool book_keeper_look(struct book_keeper *keeper, struct server_log *log)
{
    bool waits = false;
    struct timespec now;
    pthread_mutex_lock(&keeper->looking);
    for (size_t i = 0; keeper->files[i].backend != NULL; i++) {
        struct watched_file *file = &keeper->files[i];
        struct file_stamp seen = file_stamp_at(file->backend->users);
        struct diags diags;
        if (file_stamp_equals(&seen, &file->stamp))
            continue;
        clock_gettime(CLOCK_REALTIME, &now);
        if (!file_stamp_rests(&seen, &now, BOOK_REST_MS)) {
            waits = true;
            continue;
        }
        file->stamp = seen;
        diags_init(&diags);
        read_again(keeper, i, log, &diags);
        diags_release(&diags);
    }
    pthread_mutex_unlock(&keeper->looking);
    return waits;
}

static void append(struct diags *to, const struct diags *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct diag *diag = &from->items[i];
        if (diag->level == DIAG_ERROR)
            diags_error(to, diag->mark, "%s", diag->text);
        else
            diags_warn(to, diag->mark, "%s", diag->text);
    }
}

int book_keeper_reread(struct book_keeper *keeper, struct server_log *log,
                       struct diags *diags)
{
    int result = 0;
    pthread_mutex_lock(&keeper->looking);
    for (size_t i = 0; keeper->files[i].backend != NULL; i++) {
        struct watched_file *file = &keeper->files[i];
        struct file_stamp seen = file_stamp_at(file->backend->users);
        struct diags own;
        if (file_stamp_equals(&seen, &file->stamp) && !file->is_broken)
            continue;
        file->stamp = seen;
        diags_init(&own);
        if (read_again(keeper, i, log, &own) != 0)
            result = -1;
        append(diags, &own);
        diags_release(&own);
    }
    pthread_mutex_unlock(&keeper->looking);
    return result;
}
