#include "proxy/upstream/credentials.h"

#include "config/secret_file.h"
#include "proxy/sasl/sasl_client.h"

#include <stdlib.h>
#include <string.h>

#define FILE_MAX ((size_t)64 * 1024 * 1024)

bool credentials_equal(const struct credentials *a, const struct credentials *b)
{
    return str_equals(a->user, b->user) && str_equals(a->secret, b->secret) &&
           str_equals(a->session, b->session);
}

static struct str put(struct kept_credentials *kept, struct str text)
{
    char *to = kept->octets + kept->length;
    if (text.n > 0)
        memcpy(to, text.p, text.n);
    kept->length += text.n;
    return str_span(to, text.n);
}

int credentials_keep(struct kept_credentials *kept,
                     const struct credentials *from)
{
    *kept = (struct kept_credentials){0};
    if (from == NULL)
        return 0;
    kept->octets = malloc(from->user.n + from->secret.n + from->session.n + 1);
    if (kept->octets == NULL)
        return -1;
    kept->credentials = (struct credentials){
        .user = put(kept, from->user),
        .secret = put(kept, from->secret),
        .session = put(kept, from->session),
    };
    return 0;
}

void credentials_release(struct kept_credentials *kept)
{
    secret_file_free(kept->octets, kept->length);
    *kept = (struct kept_credentials){0};
}

/* --- the files --- */

struct entry {
    struct str value; /* of the fact; n 0: of all mail */
    struct credentials credentials;
    size_t line;
};

struct credential_book {
    char *octets; /* of the file: the entries lie in it */
    size_t length;
    struct entry *entries; /* by value */
    size_t count;
    bool is_own;
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

static int check_doubles(const struct credential_book *book, const char *path,
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

static int parse_entries(struct credential_book *book, const char *path,
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

static int parse_password(struct credential_book *book, struct str user,
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
    book->is_own = true;
    return 0;
}

static int read_book(struct credential_book *book,
                     const struct login_settings *login, struct diags *diags)
{
    bool is_own = login->kind == LOGIN_PASSWORD;
    const char *path = is_own ? login->password_file : login->credentials_file;
    struct mark mark = is_own ? login->password_mark : login->credentials_mark;
    const char *wrong;
    book->octets = secret_file_read(path, FILE_MAX, &book->length, &wrong);
    if (book->octets == NULL) {
        diags_error(diags, mark, "%s can't be used: %s", path, wrong);
        return -1;
    }
    return is_own ? parse_password(book, login->user, path, diags)
                  : parse_entries(book, path, diags);
}

struct credential_book *
credential_book_new(const struct upstream_settings *settings,
                    struct diags *diags)
{
    const struct login_settings *login = &settings->login;
    struct credential_book *book = calloc(1, sizeof(*book));
    if (book == NULL) {
        diags_error(diags, login->mark, "out of memory");
        return NULL;
    }
    bool has_file =
        login->kind == LOGIN_PASSWORD || login->kind == LOGIN_BY_FACT;
    if (!has_file || read_book(book, login, diags) == 0)
        return book;
    credential_book_free(book);
    return NULL;
}

void credential_book_free(struct credential_book *book)
{
    if (book == NULL)
        return;
    secret_file_free(book->octets, book->length);
    free(book->entries);
    free(book);
}

const struct credentials *
credential_book_own(const struct credential_book *book)
{
    return book->is_own ? &book->entries[0].credentials : NULL;
}

const struct credentials *
credential_book_find(const struct credential_book *book, struct str value)
{
    size_t from = 0, to = book->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct entry *entry = &book->entries[middle];
        int order = compare_values(value, entry->value);
        if (order == 0)
            return &entry->credentials;
        if (order < 0)
            to = middle;
        else
            from = middle + 1;
    }
    return NULL;
}
