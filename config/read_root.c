/* The top level, and what no section can see alone. */
#include "config/sections.h"

#include "rules/address.h"
#include "rules/domain_name.h"
#include "rules/problem.h"

#include <stddef.h>

static void read_hostname(struct reader *reader, const struct node *node,
                          void *into)
{
    struct settings *settings = into;
    struct str text;
    if (!node_text(reader, node, "hostname", &text))
        return;
    if (domain_is_host(text))
        settings->hostname = reader_keep(reader, node->mark, text);
    else
        diags_error(reader->diags, node->mark,
                    "hostname takes a host name such as mail.example.com, not "
                    "\"%.*s\"%s",
                    PROBLEM_STR(text),
                    domain_is_valid(text) ? "; write xn--…, as `idn2` prints it"
                                          : "");
}

static void read_default_upstream(struct reader *reader,
                                  const struct node *node, void *into)
{
    struct settings *settings = into;
    reader->has_upstream = true;
    settings->upstream = read_upstream_name(reader, node);
}

static void read_timezone(struct reader *reader, const struct node *node,
                          void *into)
{
    struct settings *settings = into;
    struct str text;
    if (node_text(reader, node, "timezone", &text))
        settings->timezone = reader_keep(reader, node->mark, text).p;
}

static void read_user(struct reader *reader, const struct node *node,
                      void *into)
{
    struct settings *settings = into;
    struct str text;
    if (!node_text(reader, node, "user", &text))
        return;
    settings->user = reader_keep(reader, node->mark, text).p;
    settings->user_mark = node->mark;
}

static void fill_user(void *into)
{
    struct settings *settings = into;
    settings->user = "postern";
}

static const char *const splits[] = {"defer", "first", NULL};

static const struct key root_keys[] = {
    {.name = "hostname",
     .type = KEY_OWN,
     .content = CONTENT_HOST,
     .is_required = true,
     .help = "the name this server gives itself, such as mail.example.com",
     .read = read_hostname},
    {.name = "upstreams",
     .type = KEY_OWN,
     .shape = SHAPE_NAMED,
     .is_required = true,
     .section = &upstream_schema,
     .help = "where mail can go, a name each: {servers} or {maildir}",
     .read = read_upstreams},
    {.name = "upstream",
     .type = KEY_OWN,
     .help = "the upstream that takes what no listener or rule sends elsewhere",
     .read = read_default_upstream},
    {.name = "split",
     .type = KEY_WORD,
     .fallback = "defer",
     .words = splits,
     .help = "a recipient that routes elsewhere than the first: defer it, or "
             "let it follow the first",
     .offset = offsetof(struct settings, split)},
    {.name = "tls",
     .type = KEY_SECTION,
     .section = &tls_schema,
     .help = "certificates and versions for all listeners",
     .offset = offsetof(struct settings, tls)},
    {.name = "auth",
     .type = KEY_SECTION,
     .section = &auth_schema,
     .help = "how clients log in",
     .offset = offsetof(struct settings, auth)},
    {.name = "listeners",
     .type = KEY_OWN,
     .shape = SHAPE_NAMED,
     .is_required = true,
     .section = &listener_schema,
     .help = "where clients come in, a name each: {address, tls}",
     .read = read_listeners},
    {.name = "log",
     .type = KEY_SECTION,
     .section = &log_schema,
     .help = "the decision log and the server's own",
     .offset = offsetof(struct settings, log)},
    {.name = "received",
     .type = KEY_SECTION,
     .section = &received_schema,
     .help = "what the Received field says",
     .offset = offsetof(struct settings, received)},
    {.name = "caps",
     .type = KEY_SECTION,
     .section = &caps_schema,
     .help = "how much of anything one client may use",
     .offset = offsetof(struct settings, caps)},
    {.name = "timeouts",
     .type = KEY_SECTION,
     .section = &timeouts_schema,
     .help = "how long anything is waited for",
     .offset = offsetof(struct settings, timeouts)},
    {.name = "workers",
     .type = KEY_NUMBER,
     .fallback = "0",
     .max = 256,
     .help = "threads that serve clients; 0: one a core",
     .offset = offsetof(struct settings, workers)},
    {.name = "user",
     .type = KEY_OWN,
     .fallback = "postern",
     .help = "the user as which clients are served, when started by root",
     .read = read_user,
     .fill = fill_user},
    {.name = "confine",
     .type = KEY_FLAG,
     .fallback = "true",
     .help = "let what serves clients use only the calls and the files that "
             "it needs",
     .offset = offsetof(struct settings, confine)},
    {.name = "core_dumps",
     .type = KEY_FLAG,
     .fallback = "false",
     .help = "let a crash write what is in memory, passwords too, to a file",
     .offset = offsetof(struct settings, core_dumps)},
    {.name = "timezone",
     .type = KEY_OWN,
     .help = "where time.hour and time.weekday are read, such as Europe/Rome",
     .read = read_timezone},
    {.name = "policy_servers",
     .type = KEY_OWN,
     .shape = SHAPE_NAMED,
     .section = &policy_server_schema,
     .help = "Postfix policy services that rules may ask, a name each",
     .read = read_policy_servers},
    {.name = "limits",
     .type = KEY_SECTION,
     .section = &limits_schema,
     .help = "where budgets and dynamic lists are kept",
     .offset = offsetof(struct settings, limits)},
    {.name = "control",
     .type = KEY_PATH,
     .fallback = "/run/postern/control",
     .help = "the socket on which the running server takes orders",
     .offset = offsetof(struct settings, control),
     .mark_offset = offsetof(struct settings, control_mark)},
    {.name = "shadow",
     .type = KEY_PATH,
     .help = "a second configuration whose policy and lists are only watched",
     .offset = offsetof(struct settings, shadow_path),
     .mark_offset = offsetof(struct settings, shadow_mark)},
    {.name = "reload",
     .type = KEY_SECTION,
     .section = &reload_schema,
     .help = "what a changed policy must pass before it goes live",
     .offset = offsetof(struct settings, reload)},
    {.name = "lists",
     .type = KEY_OWN,
     .shape = SHAPE_NAMED,
     .content = CONTENT_LISTS,
     .section = &list_schema,
     .help =
         "lists that rules name as \"@NAME\": entries, {file} or {dynamic}"},
    {.name = "policy",
     .type = KEY_OWN,
     .content = CONTENT_RULES,
     .help = "the rules, a list a stage"},
    {.name = "tests",
     .type = KEY_OWN,
     .shape = SHAPE_LIST,
     .section = &test_schema,
     .help = "given facts and expected answers, checked before it goes live"},
    {.name = "include",
     .type = KEY_OWN,
     .shape = SHAPE_ONE_OR_LIST,
     .help = "more files, such as [policy.d/*.yaml], read after this one"},
    {.name = "http",
     .type = KEY_SECTION,
     .section = &http_schema,
     .help = "metrics and the dashboard: {address, dashboard}",
     .offset = offsetof(struct settings, http)},
};

const struct schema root_schema = {"the configuration", root_keys,
                                   sizeof root_keys / sizeof *root_keys};

/* Whether a section lacks a list, or has an empty one; a wrong one has been
 * told already. */
static bool lacks(const struct node *root, const char *section,
                  const char *list)
{
    const struct node *map = node_get(root, section);
    const struct node *found = map == NULL ? NULL : node_get(map, list);
    if (map != NULL && map->kind != NODE_MAP)
        return false;
    return found == NULL || (found->kind == NODE_SEQUENCE && found->count == 0);
}

static void check_not_empty(struct reader *reader, const struct node *root,
                            const char *name, const char *question)
{
    const struct node *map = node_get(root, name);
    if (map != NULL && map->kind == NODE_MAP && map->count == 0)
        diags_error(reader->diags, map->mark, "%s is empty: %s", name,
                    question);
}

static const struct listener_settings *
first_with_tls(const struct settings *settings, bool has_auth)
{
    for (size_t i = 0; i < settings->listener_count; i++) {
        const struct listener_settings *listener = &settings->listeners[i];
        if (listener->tls != LISTENER_CLEAR &&
            (!has_auth || listener->auth != AUTH_NONE))
            return listener;
    }
    return NULL;
}

static void check_log(struct reader *reader, const struct node *root)
{
    const struct log_settings *log = &reader->settings->log;
    if (log->is_strict && log->decisions == NULL && !log->is_on_stdout)
        diags_error(reader->diags,
                    node_get(node_get(root, "log"), "strict")->mark,
                    "there is no log to be strict about: say where decisions "
                    "go, log: {decisions: FILE}");
    if (log->redaction.name_count > 0 && log->redaction.key_file == NULL)
        diags_error(reader->diags, log->redaction.mark,
                    "redact needs a key, without which hashes could be "
                    "guessed: say redact_key_file: FILE, of what `openssl rand "
                    "-hex 32` prints");
}

void read_check(struct reader *reader, const struct node *root)
{
    const struct listener_settings *tls =
        first_with_tls(reader->settings, false);
    const struct listener_settings *auth =
        first_with_tls(reader->settings, true);
    check_not_empty(reader, root, "listeners", "where do clients come in?");
    check_not_empty(reader, root, "upstreams", "where does mail go?");
    if (tls != NULL && lacks(root, "tls", "certificates"))
        diags_error(reader->diags, tls->mark,
                    "TLS needs a certificate: say tls: {certificates: [{chain: "
                    "FILE, key: FILE}]} at the top level");
    if (auth != NULL && lacks(root, "auth", "backends"))
        diags_error(reader->diags, auth->mark,
                    "logins need a back-end: say auth: {backends: [{users: "
                    "FILE}]} at the top level, or auth: none here");
    check_log(reader, root);
    read_check_mechanisms(reader, root);
    read_check_http(reader);
}
