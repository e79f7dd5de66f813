#include "proxy/upstream/credential_book.h"

#include "config/secret_file.h"
#include "proxy/sasl/sasl_client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)64 * 1024 * 1024)

struct entry {
    struct str value; /* of the fact; n 0: of all mail */
    struct credentials credentials;
    size_t line;
};

/* What the files hold. */
struct contents {
    char *octets; /* the entries lie in it, and the user's name behind it */
    size_t length;
    struct entry *entries; /* by value */
    size_t count;
    const char *wrong; /* with a token's file; NULL: nothing */
};

struct credential_book {
    pthread_rwlock_t lock; /* of what follows */
    struct contents contents;
    atomic_uint_fast64_t edition;
    enum login_kind kind;
};

static int compare_values(struct str a, struct str b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        int difference = ascii_lower(a.p[i]) - ascii_lower(b.p[i]);
        if (difference != 0)
            return difference;
    }
    return (a.n > b.n) - (a.n < b.n);
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    int order = compare_values(left->value, right->value);
    if (order != 0)
        return order;
    return (left->line > right->line) - (left->line < right->line);
}

/* NULL, or what is wrong. Passwords may hold blanks. */
static const char *read_entry(struct str line, struct entry *entry)
{
    struct str rest;
    if (!str_cut(line, ' ', &entry->value, &rest) ||
        !str_cut(str_trim(rest), ' ', &entry->credentials.user,
                 &entry->credentials.secret))
        return "a line is VALUE USER PASSWORD, with a space between";
    entry->credentials.secret = str_trim(entry->credentials.secret);
    entry->credentials.session = STR("");
    if (entry->credentials.secret.n > SASL_SECRET_MAX)
        return "the password is too long";
    return entry->credentials.secret.n == 0
               ? "a line is VALUE USER PASSWORD, with a space between"
               : NULL;
}

static size_t count_lines(struct str octets)
{
    size_t count = 1;
    for (size_t i = 0; i < octets.n; i++)
        count += octets.p[i] == '\n';
    return count;
}

static int check_doubles(const struct contents *book, const char *path,
                         struct diags *diags)
{
    int result = 0;
    for (size_t i = 1; i < book->count; i++) {
        const struct entry *before = &book->entries[i - 1];
        const struct entry *here = &book->entries[i];
        if (compare_values(before->value, here->value) != 0)
            continue;
        diags_error(diags, (struct mark){path, here->line, 1},
                    "%.*s stands on line %zu already", (int)here->value.n,
                    here->value.p, before->line);
        result = -1;
    }
    return result;
}

static int parse_entries(struct contents *book, const char *path,
                         struct diags *diags)
{
    struct str rest = str_span(book->octets, book->length), line;
    int result = 0;
    book->entries = calloc(count_lines(rest), sizeof(*book->entries));
    if (book->entries == NULL) {
        diags_error(diags, (struct mark){.file = path}, "out of memory");
        return -1;
    }
    for (size_t number = 1; rest.n > 0; number++) {
        struct entry entry = {.line = number};
        str_cut(rest, '\n', &line, &rest);
        line = str_trim(line);
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        if (line.n == 0 || line.p[0] == '#')
            continue;
        const char *wrong = read_entry(line, &entry);
        if (wrong == NULL) {
            book->entries[book->count++] = entry;
            continue;
        }
        diags_error(diags, (struct mark){path, number, 1}, "%s", wrong);
        result = -1;
    }
    qsort(book->entries, book->count, sizeof(*book->entries), compare_entries);
    return check_doubles(book, path, diags) != 0 ? -1 : result;
}

static int parse_password(struct contents *book, struct str user,
                          const char *path, struct diags *diags)
{
    struct str line, rest;
    str_cut_line(str_span(book->octets, book->length), &line, &rest);
    book->entries = calloc(1, sizeof(*book->entries));
    const char *wrong = NULL;
    if (book->entries == NULL)
        wrong = "out of memory";
    else if (line.n == 0 || str_index(line, '\0') >= 0)
        wrong = "the password is expected in the first line";
    else if (line.n > SASL_SECRET_MAX)
        wrong = "the password is too long";
    if (wrong != NULL) {
        diags_error(diags, (struct mark){path, 1, 1}, "%s", wrong);
        return -1;
    }
    book->entries[book->count++] = (struct entry){
        .value = STR(""),
        .credentials = {.user = user, .secret = line, .session = STR("")},
    };
    return 0;
}

/* Copies, with the user's name behind. 0, or -1 when out of memory. */
static int keep_octets(struct contents *book, struct str octets,
                       struct str *user)
{
    book->octets = malloc(octets.n + user->n + 1);
    if (book->octets == NULL)
        return -1;
    if (octets.n > 0)
        memcpy(book->octets, octets.p, octets.n);
    if (user->n > 0)
        memcpy(book->octets + octets.n, user->p, user->n);
    book->length = octets.n;
    *user = str_span(book->octets + octets.n, user->n);
    return 0;
}

/* The file of a login, and where it is named; NULL: it has none. */
static const char *file_of(const struct login_settings *login,
                           struct mark *mark)
{
    switch (login->kind) {
    case LOGIN_PASSWORD:
        *mark = login->password_mark;
        return login->password_file;
    case LOGIN_BY_FACT:
        *mark = login->credentials_mark;
        return login->credentials_file;
    case LOGIN_TOKEN:
        *mark = login->token_file_mark;
        return login->token_file;
    case LOGIN_NONE:
    case LOGIN_OF_CLIENT:
        break;
    }
    return NULL;
}

static int read_book(struct contents *book, const struct login_settings *login,
                     struct files *files, struct diags *diags)
{
    struct mark mark;
    const char *path = file_of(login, &mark), *wrong;
    struct str user = login->kind == LOGIN_PASSWORD ? login->user : STR("");
    if (path == NULL)
        return 0;
    struct str octets = secret_file_read(
        files, FILE_SECRET, path,
        login->kind == LOGIN_TOKEN ? CREDENTIALS_TOKEN_MAX : FILE_MAX, &wrong);
    if (login->kind == LOGIN_TOKEN)
        book->wrong = wrong;
    else if (octets.p == NULL)
        diags_error(diags, mark, "%s can't be used: %s", path, wrong);
    if (octets.p == NULL)
        return login->kind == LOGIN_TOKEN ? 0 : -1;
    if (keep_octets(book, octets, &user) != 0) {
        diags_error(diags, mark, "out of memory");
        return -1;
    }
    if (login->kind == LOGIN_TOKEN)
        return 0;
    return login->kind == LOGIN_PASSWORD
               ? parse_password(book, user, path, diags)
               : parse_entries(book, path, diags);
}

struct credential_book *
credential_book_new(const struct upstream_settings *settings,
                    struct files *files, struct diags *diags)
{
    const struct login_settings *login = &settings->login;
    struct credential_book *book = calloc(1, sizeof(*book));
    if (book == NULL) {
        diags_error(diags, login->mark, "out of memory");
        return NULL;
    }
    pthread_rwlock_init(&book->lock, NULL);
    book->kind = login->kind;
    if (read_book(&book->contents, login, files, diags) == 0)
        return book;
    credential_book_free(book);
    return NULL;
}

void credential_book_free(struct credential_book *book)
{
    if (book == NULL)
        return;
    secret_free(book->contents.octets, book->contents.length);
    free(book->contents.entries);
    pthread_rwlock_destroy(&book->lock);
    free(book);
}

static bool is_same(const struct contents *a, const struct contents *b)
{
    return a->wrong == b->wrong && str_equals(str_span(a->octets, a->length),
                                              str_span(b->octets, b->length));
}

void credential_book_renew(struct credential_book *book,
                           struct credential_book *fresh)
{
    pthread_rwlock_wrlock(&book->lock);
    if (!is_same(&book->contents, &fresh->contents)) {
        struct contents before = book->contents;
        book->contents = fresh->contents;
        fresh->contents = before;
        atomic_fetch_add(&book->edition, 1);
    }
    pthread_rwlock_unlock(&book->lock);
    credential_book_free(fresh);
}

uint64_t credential_book_edition(const struct credential_book *book)
{
    return atomic_load(&book->edition);
}

static const struct entry *find(const struct contents *book, struct str value)
{
    size_t from = 0, to = book->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct entry *entry = &book->entries[middle];
        int order = compare_values(value, entry->value);
        if (order == 0)
            return entry;
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

static int keep_entry(struct credential_book *book, struct str value,
                      struct kept_credentials *out)
{
    pthread_rwlock_rdlock(&book->lock);
    const struct entry *entry = find(&book->contents, value);
    int result =
        credentials_keep(out, entry == NULL ? NULL : &entry->credentials);
    pthread_rwlock_unlock(&book->lock);
    return result;
}

int credential_book_own(struct credential_book *book,
                        struct kept_credentials *out)
{
    *out = (struct kept_credentials){0};
    return book->kind == LOGIN_PASSWORD ? keep_entry(book, STR(""), out) : 0;
}

int credential_book_find(struct credential_book *book, struct str value,
                         struct kept_credentials *out)
{
    return keep_entry(book, value, out);
}

const char *credential_book_token(struct credential_book *book,
                                  char to[CREDENTIALS_TOKEN_MAX],
                                  size_t *length)
{
    pthread_rwlock_rdlock(&book->lock);
    const struct contents *contents = &book->contents;
    const char *wrong = contents->wrong;
    *length = contents->length;
    if (contents->length > 0)
        memcpy(to, contents->octets, contents->length);
    pthread_rwlock_unlock(&book->lock);
    return wrong;
}
