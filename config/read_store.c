/* limits.store: in memory, or a Redis by its URL. */
#include "config/sections.h"

#include "config/endpoint.h"
#include "config/secret_file.h"
#include "rules/problem.h"

#define DATABASE_MAX 1000000
#define REDIS_PORT 6379

#define FORMS "memory, redis://host:port/db or redis+unix:///path?db=N"

/* What a message may tell of it: other programs' URLs hold passwords before a @
 * and behind a ?. */
static struct str without_secrets(struct str text)
{
    ptrdiff_t at = str_last_index(text, '@');
    ptrdiff_t end = str_index(text, at < 0 ? '=' : ':');
    return end < 0 ? text : str_head(text, (size_t)end + 1);
}

static void refuse(struct reader *reader, const struct node *node,
                   const char *why)
{
    diags_error(reader->diags, node->mark, "store: %s", why);
}

static bool read_database(struct reader *reader, const struct node *node,
                          struct str text, struct limits_settings *limits)
{
    if (text.n == 0)
        return true;
    if (str_to_u64(text, &limits->store_database) == 0 &&
        limits->store_database <= DATABASE_MAX)
        return true;
    diags_error(reader->diags, node->mark,
                "store: the number of a database is expected, not \"%.*s\"",
                PROBLEM_STR(text));
    return false;
}

/* user@host; a password has no place in a file that many may read. */
static bool read_user(struct reader *reader, const struct node *node,
                      struct str *rest, struct limits_settings *limits)
{
    ptrdiff_t at = str_last_index(*rest, '@');
    if (at < 0)
        return true;
    struct str user = str_head(*rest, (size_t)at);
    *rest = str_skip(*rest, (size_t)at + 1);
    if (str_index(user, ':') >= 0) {
        refuse(reader, node,
               "a password does not belong here: put it into a file of its "
               "own, and that into store_password_file");
        return false;
    }
    limits->store_user = user;
    return true;
}

static bool read_address(struct str text, struct endpoint *address)
{
    if (endpoint_parse(text, address) == 0)
        return true;
    /* Without a port. */
    bool is_bracketed =
        text.n > 2 && text.p[0] == '[' && text.p[text.n - 1] == ']';
    if (text.n == 0 || text.n > 255 ||
        (!is_bracketed && str_index(text, ':') >= 0) ||
        str_index(text, '/') >= 0)
        return false;
    address->text = text;
    address->host =
        is_bracketed ? str_head(str_skip(text, 1), text.n - 2) : text;
    address->port = REDIS_PORT;
    return true;
}

static bool read_tcp(struct reader *reader, const struct node *node,
                     struct str rest, struct limits_settings *limits)
{
    struct str authority, database = STR("");
    if (!str_cut(rest, '/', &authority, &database))
        authority = rest;
    if (!read_user(reader, node, &authority, limits))
        return false;
    if (!read_address(authority, &limits->store_address)) {
        diags_error(reader->diags, node->mark,
                    "store: host:port is expected behind redis://, not "
                    "\"%.*s\"",
                    PROBLEM_STR(without_secrets(authority)));
        return false;
    }
    limits->store_address.mark = node->mark;
    return read_database(reader, node, database, limits);
}

static bool read_unix(struct reader *reader, const struct node *node,
                      struct str rest, struct limits_settings *limits)
{
    struct str path, query = STR("");
    if (!str_cut(rest, '?', &path, &query))
        path = rest;
    if (path.n < 2 || path.p[0] != '/') {
        refuse(reader, node,
               "redis+unix:// takes an absolute path: "
               "redis+unix:///run/redis/redis-server.sock");
        return false;
    }
    limits->store_socket = reader_socket_path(reader, node->mark, path);
    if (query.n == 0)
        return limits->store_socket != NULL;
    if (!str_starts_with(query, STR("db="))) {
        diags_error(reader->diags, node->mark,
                    "store: ?db=N is all that may follow the path, not "
                    "\"?%.*s\"",
                    PROBLEM_STR(without_secrets(query)));
        return false;
    }
    return limits->store_socket != NULL &&
           read_database(reader, node, str_skip(query, 3), limits);
}

void read_store(struct reader *reader, const struct node *node, void *into)
{
    struct limits_settings *limits = into;
    struct str text, kept;
    limits->store_mark = node->mark;
    if (!node_text(reader, node, "store", &text) ||
        str_equals(text, STR("memory")))
        return;
    kept = reader_keep(reader, node->mark, text);
    if (kept.p == NULL)
        return;
    limits->store_text = kept;
    bool is_good = false;
    if (str_starts_with(kept, STR("redis://")))
        is_good = read_tcp(reader, node, str_skip(kept, 8), limits);
    else if (str_starts_with(kept, STR("redis+unix://")))
        is_good = read_unix(reader, node, str_skip(kept, 13), limits);
    else if (str_starts_with(kept, STR("rediss://")))
        refuse(reader, node,
               "rediss:// (TLS) is not built: use redis+unix://, a network "
               "that is private, or a tunnel such as stunnel or WireGuard");
    else
        diags_error(reader->diags, node->mark,
                    "store takes " FORMS ", not \"%.*s\"",
                    PROBLEM_STR(without_secrets(text)));
    if (is_good)
        limits->store = STORE_REDIS;
}

/* The URL may name the user too. */
void read_store_user(struct reader *reader, const struct node *node, void *into)
{
    struct limits_settings *limits = into;
    struct str text;
    if (!node_text(reader, node, "store_user", &text))
        return;
    if (limits->store_user.n > 0 && !str_equals(limits->store_user, text))
        diags_error(reader->diags, node->mark,
                    "store_user: store names another one, %.*s",
                    PROBLEM_STR(limits->store_user));
    else
        limits->store_user = reader_keep(reader, node->mark, text);
}

static const char *read_store_password(const struct limits_settings *limits,
                                       struct files *files,
                                       struct str *password)
{
    struct str line, rest;
    const char *wrong;
    struct str octets =
        secret_file_read(files, FILE_SECRET, limits->store_password_file,
                         STORE_PASSWORD_MAX, &wrong);
    if (octets.p == NULL)
        return wrong;
    str_cut_line(octets, &line, &rest);
    if (line.n == 0 || str_index(line, '\0') >= 0)
        return "the password is expected in its first line";
    *password = line;
    return NULL;
}

void read_store_password_file(struct reader *reader, const struct node *node,
                              void *into)
{
    struct limits_settings *limits = into;
    struct str text, password;
    if (!node_text(reader, node, "store_password_file", &text))
        return;
    limits->store_password_mark = node->mark;
    limits->store_password_file = reader_path(reader, node->mark, text);
    if (limits->store_password_file == NULL || reader->source == NULL)
        return;
    /* Who only explains a policy need not be able to read it: whoever serves
     * is told by limits_check(). */
    if (read_store_password(limits, reader->source, &password) == NULL)
        limits->store_password = reader_keep(reader, node->mark, password);
}

int limits_check(const struct limits_settings *limits, struct files *files,
                 struct diags *diags)
{
    struct str password;
    const char *wrong = NULL;
    if (limits->store == STORE_MEMORY)
        return 0;
    if (limits->store_password_file != NULL)
        wrong = read_store_password(limits, files, &password);
    if (wrong != NULL) {
        diags_error(diags, limits->store_password_mark, "%s can't be used: %s",
                    limits->store_password_file, wrong);
        return -1;
    }
    if (limits->store_user.n == 0 || limits->store_password_file != NULL)
        return 0;
    diags_error(diags, limits->store_mark,
                "a user of the store needs a password: set "
                "limits.store_password_file");
    return -1;
}
