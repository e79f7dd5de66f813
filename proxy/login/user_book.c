#include "proxy/login/user_book.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* SCRAM is offered to all or to none. */
static void warn_of_scram(const struct auth_settings *auth,
                          const struct users *users, const char *path,
                          struct diags *diags)
{
    const unsigned scram =
        1U << SASL_SCRAM_SHA_256 | 1U << SASL_SCRAM_SHA_256_PLUS;
    const struct user *lacking = users_lack(users, PASSWORD_SCRAM);
    if (lacking == NULL || (auth->mechanisms & scram) == 0)
        return;
    diags_warn(diags, (struct mark){path, lacking->line, 1},
               "SCRAM is not offered: %.*s has no keys for it, and clients "
               "that are offered it use nothing else; `postern passwd %.*s "
               "--scram` makes some, and a listener that names SCRAM in "
               "mechanisms of its own offers it all the same",
               (int)lacking->name.n, lacking->name.p, (int)lacking->name.n,
               lacking->name.p);
}

static int read_file(const struct auth_settings *auth,
                     const struct backend_settings *backend,
                     struct files *files, struct users *users,
                     struct diags *diags)
{
    users_init(users);
    if (users_read(users, files, backend->users, backend->mark, diags) != 0)
        return -1;
    warn_of_scram(auth, users, backend->users, diags);
    return 0;
}

static void count_users(struct user_book *book)
{
    size_t lacking = 0;
    book->user_count = 0;
    for (size_t i = 0; i < book->file_count; i++) {
        const struct users *users = &book->files[i];
        book->user_count += users->count;
        lacking += users->with_password.count - users->with_scram.count;
    }
    book->holds_scram = book->user_count > 0 && lacking == 0;
}

void user_book_exchange(struct user_book *book, struct user_book *fresh)
{
    struct users *before = book->files;
    size_t count = book->file_count;
    book->files = fresh->files;
    book->file_count = fresh->file_count;
    fresh->files = before;
    fresh->file_count = count;
    count_users(book);
}

static int read_files(struct user_book *book, const struct auth_settings *auth,
                      struct files *files, struct diags *diags)
{
    int result = 0;
    for (size_t i = 0; i < auth->backend_count; i++) {
        const struct backend_settings *backend = &auth->backends[i];
        if (backend->users != NULL &&
            read_file(auth, backend, files, &book->files[book->file_count++],
                      diags) != 0)
            result = -1;
    }
    count_users(book);
    return result;
}

int user_book_read(struct user_book *book, const struct auth_settings *auth,
                   struct files *files, struct diags *diags)
{
    const struct mark mark = {.file = "users"};
    book->files = calloc(auth->backend_count + 1, sizeof *book->files);
    if (book->files == NULL) {
        diags_error(diags, mark, "out of memory");
        return -1;
    }
    if (getrandom(book->secret, sizeof book->secret, 0) !=
        (ssize_t)sizeof book->secret) {
        diags_error(diags, mark, "there is no randomness");
        return -1;
    }
    return read_files(book, auth, files, diags);
}

void user_book_release(struct user_book *book)
{
    for (size_t i = 0; i < book->file_count; i++)
        users_release(&book->files[i]);
    free(book->files);
    explicit_bzero(book, sizeof *book);
}

const struct user *user_book_find(const struct user_book *book, struct str name)
{
    const struct user *user = NULL;
    for (size_t i = 0; i < book->file_count && user == NULL; i++)
        user = users_find(&book->files[i], name);
    return user;
}

const struct user *user_book_find_name(const struct user_book *book,
                                       struct str name)
{
    char to[LOGIN_NAME_ROOM];
    struct str normal = login_normalise_to(name, to);
    return normal.p == NULL ? NULL : user_book_find(book, normal);
}

/* The lists of which one login is chosen. */
static const struct user_list *list_of(const struct users *users,
                                       enum password_kind kind)
{
    return kind == PASSWORD_SCRAM      ? &users->with_scram
           : kind == PASSWORD_CRAM_MD5 ? &users->with_cram
                                       : &users->with_password;
}

static const struct user *nth_user(const struct user_book *book,
                                   enum password_kind kind, size_t n)
{
    for (size_t i = 0; i < book->file_count; i++) {
        const struct user_list *list = list_of(&book->files[i], kind);
        if (n < list->count)
            return list->users[n];
        n -= list->count;
    }
    return NULL;
}

const struct user *user_book_choose(const struct user_book *book,
                                    enum password_kind kind, struct str name)
{
    size_t count = 0;
    for (size_t i = 0; i < book->file_count; i++)
        count += list_of(&book->files[i], kind)->count;
    if (count == 0)
        return NULL;
    /* As it is looked up, so that no other way to write it costs otherwise. */
    char key[LOGIN_NAME_ROOM];
    uint64_t chosen = keyed_hash(book->secret, login_name_key(name, key));
    return nth_user(book, kind, (size_t)(chosen % count));
}

const struct user *user_book_stand_in(const struct user_book *book,
                                      struct str name)
{
    return user_book_choose(book, PASSWORD_NONE, name);
}
