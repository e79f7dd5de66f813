/* upstreams: NAME: login: — who Postern is for the servers. */
#include "config/sections.h"

#include "config/endpoint.h"
#include "rules/problem.h"

#include <stddef.h>

#define WORDS_MAX 32

#define OF_PASSWORDS                                                           \
    (1U << MECHANISM_PLAIN | 1U << MECHANISM_LOGIN |                           \
     1U << MECHANISM_SCRAM_SHA_256)
#define OF_TOKENS (1U << MECHANISM_XOAUTH2 | 1U << MECHANISM_OAUTHBEARER)

static const char *const mechanisms[] = {
    [MECHANISM_PLAIN] = "PLAIN",
    [MECHANISM_LOGIN] = "LOGIN",
    [MECHANISM_SCRAM_SHA_256] = "SCRAM-SHA-256",
    [MECHANISM_XOAUTH2] = "XOAUTH2",
    [MECHANISM_OAUTHBEARER] = "OAUTHBEARER",
    [MECHANISM_COUNT] = NULL,
};

static void read_mechanism(struct reader *reader, const struct node *node,
                           void *into)
{
    struct login_settings *login = into;
    unsigned word = 0;
    if (schema_word(reader, node, "mechanism", mechanisms, &word))
        login->mechanisms = 1U << word;
}

static void read_token_command(struct reader *reader, const struct node *node,
                               void *into)
{
    struct login_settings *login = into;
    size_t count = node_list_count(node);
    const char **words = arena_array(reader->arena, count + 1, sizeof *words);
    if (words == NULL) {
        reader_full(reader, node->mark);
        return;
    }
    for (size_t i = 0; i < count && i < WORDS_MAX; i++) {
        const struct node *item = node_list_item(node, i);
        struct str text;
        if (!node_text(reader, item, "token_command", &text))
            return;
        words[i] = reader_keep(reader, item->mark, text).p;
    }
    login->token_command = words;
    if (count == 0 || count > WORDS_MAX ||
        (words[0] != NULL && words[0][0] != '/'))
        diags_error(reader->diags, node->mark,
                    "token_command takes a program by its whole path and its "
                    "arguments, %d words at most: [/usr/bin/token, --mail]; "
                    "there is no shell",
                    WORDS_MAX);
}

/* "{auth.user}": a fact with one value that is known once MAIL was vetted. */
static void read_by(struct reader *reader, const struct node *node, void *into)
{
    struct login_settings *login = into;
    const char *nearest = NULL;
    struct str text;
    if (!node_template(reader, node, "by", &text))
        return;
    bool is_fact = text.n > 2 && text.p[0] == '{' && text.p[text.n - 1] == '}';
    struct str name = is_fact ? str_head(str_skip(text, 1), text.n - 2) : text;
    if (!is_fact || fact_ref_parse(name, &login->by, &nearest) != 0)
        diags_error(reader->diags, node->mark,
                    "by takes one fact, such as \"{auth.user}\", not "
                    "\"%.*s\"%s%s%s",
                    PROBLEM_STR(text), DIAG_NEAREST(nearest));
    else if (fact_stage(&login->by) > STAGE_MAIL || fact_is_list(&login->by))
        diags_error(reader->diags, node->mark,
                    "by takes a fact with one value that is known before the "
                    "first recipient; {%.*s} is not",
                    PROBLEM_STR(name));
    else
        login->by.header = STR("");
}

/* These keys fill the login's struct itself. */
static const struct key credentials_keys[] = {
    {.name = "by",
     .type = KEY_OWN,
     .content = CONTENT_TEMPLATE,
     .is_required = true,
     .help = "the fact that is looked up, such as \"{auth.user}\"",
     .read = read_by},
    {.name = "file",
     .type = KEY_PATH,
     .is_required = true,
     .help = "a line for each of its values: VALUE USER PASSWORD",
     .offset = offsetof(struct login_settings, credentials_file),
     .mark_offset = offsetof(struct login_settings, credentials_mark)},
};

static const struct schema credentials_schema = {
    "credentials", credentials_keys,
    sizeof credentials_keys / sizeof *credentials_keys};

static const struct key login_keys[] = {
    {.name = "mechanism",
     .type = KEY_OWN,
     .content = CONTENT_WORD,
     .words = mechanisms,
     .help = "the one that is used; default: the safest that the server offers",
     .read = read_mechanism},
    {.name = "user",
     .type = KEY_TEXT,
     .help = "the name to log in with, for all mail",
     .offset = offsetof(struct login_settings, user)},
    {.name = "password_file",
     .type = KEY_PATH,
     .help = "file with the password of `user` in its first line",
     .offset = offsetof(struct login_settings, password_file),
     .mark_offset = offsetof(struct login_settings, password_mark)},
    {.name = "token_file",
     .type = KEY_PATH,
     .help = "file with an OAuth 2 token; read again when it changes",
     .offset = offsetof(struct login_settings, token_file),
     .mark_offset = offsetof(struct login_settings, token_file_mark)},
    {.name = "token_command",
     .type = KEY_OWN,
     .shape = SHAPE_ONE_OR_LIST,
     .help = "program that prints an OAuth 2 token, or a token endpoint's JSON",
     .read = read_token_command},
    {.name = "credentials",
     .type = KEY_SECTION,
     .section = &credentials_schema,
     .help = "another user for each value of a fact"},
    {.name = "client",
     .type = KEY_FLAG,
     .fallback = "false",
     .help = "log in with what the client logged in to Postern with",
     .offset = offsetof(struct login_settings, is_of_client)},
};

const struct schema login_schema = {"login", login_keys,
                                    sizeof login_keys / sizeof *login_keys};

static void find_kind(struct reader *reader, const struct node *node,
                      struct login_settings *login)
{
    const struct {
        const char *key;
        enum login_kind kind;
        bool is_given;
    } ways[] = {
        {"password_file", LOGIN_PASSWORD, login->password_file != NULL},
        {"token_file", LOGIN_TOKEN, login->token_file != NULL},
        {"token_command", LOGIN_TOKEN, login->token_command != NULL},
        {"credentials", LOGIN_BY_FACT, node_get(node, "credentials") != NULL},
        {"client", LOGIN_OF_CLIENT, login->is_of_client},
    };
    const char *first = NULL;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (!ways[i].is_given)
            continue;
        if (first != NULL)
            diags_error(reader->diags, node->mark,
                        "login takes either %s or %s, not both", first,
                        ways[i].key);
        first = ways[i].key;
        login->kind = ways[i].kind;
    }
    if (first == NULL)
        diags_error(reader->diags, node->mark,
                    "login lacks what to log in with: user and password_file, "
                    "user and token_file or token_command, credentials, or "
                    "client: true");
}

static void check_user(struct reader *reader, const struct node *node,
                       const struct login_settings *login)
{
    bool wants_user =
        login->kind == LOGIN_PASSWORD || login->kind == LOGIN_TOKEN;
    const struct node *user = node_get(node, "user");
    if (wants_user && user == NULL)
        diags_error(reader->diags, node->mark,
                    "login lacks the key user: whose is the %s?",
                    login->kind == LOGIN_TOKEN ? "token" : "password");
    else if (!wants_user && user != NULL && login->kind != LOGIN_NONE)
        diags_error(reader->diags, user->mark,
                    "user has no meaning beside %s: remove it",
                    login->kind == LOGIN_BY_FACT ? "credentials" : "client");
}

static void check_mechanism(struct reader *reader, const struct node *node,
                            struct login_settings *login)
{
    bool is_token = login->kind == LOGIN_TOKEN;
    unsigned fitting = is_token ? OF_TOKENS : OF_PASSWORDS;
    if (login->mechanisms == 0)
        login->mechanisms = fitting;
    else if ((login->mechanisms & fitting) == 0)
        diags_error(reader->diags, node_get(node, "mechanism")->mark,
                    "this mechanism takes a %s; for a %s there are %s",
                    is_token ? "password" : "token",
                    is_token ? "token" : "password",
                    is_token ? "OAUTHBEARER and XOAUTH2"
                             : "SCRAM-SHA-256, PLAIN and LOGIN");
}

/* A name may look like an address, and mean any machine. */
static bool is_on_this_machine(const struct endpoint *server)
{
    return endpoint_is_numeric(server) &&
           (str_starts_with(server->host, STR("127.")) ||
            str_equals(server->host, STR("::1")));
}

/* Whoever listens on the way would have the password. */
static void check_secrecy(struct reader *reader, const struct node *node,
                          const struct upstream_settings *upstream)
{
    const struct login_settings *login = &upstream->login;
    bool is_told = login->mechanisms != 1U << MECHANISM_SCRAM_SHA_256;
    bool is_near = true;
    for (size_t i = 0; i < upstream->server_count; i++)
        is_near = is_near && is_on_this_machine(&upstream->servers[i]);
    if (!is_told || is_near)
        return;
    if (upstream->tls == UPSTREAM_CLEAR)
        diags_error(reader->diags, node->mark,
                    "login over clear text tells everybody on the way: write "
                    "tls: {mode: starttls} or implicit, or mechanism: "
                    "SCRAM-SHA-256");
    else if (!upstream->is_verified)
        diags_warn(reader->diags, node->mark,
                   "with verify: false the login is told to whoever answers");
}

void check_login(struct reader *reader, const struct node *upstream_node,
                 struct upstream_settings *upstream)
{
    const struct node *node = node_get(upstream_node, "login");
    size_t errors = reader->diags->errors;
    if (node == NULL || node->kind != NODE_MAP)
        return;
    upstream->login.mark = node->mark;
    find_kind(reader, node, &upstream->login);
    check_user(reader, node, &upstream->login);
    if (reader->diags->errors != errors)
        return;
    check_mechanism(reader, node, &upstream->login);
    check_secrecy(reader, node, upstream);
}
