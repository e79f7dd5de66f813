/* log: the decision log and the server's own. */
#include "config/sections.h"

#include <stddef.h>

/* A file of that name in this directory is ./stdout. */
static void read_decisions(struct reader *reader, const struct node *node,
                           void *into)
{
    struct log_settings *log = into;
    struct str text;
    if (!node_text(reader, node, "decisions", &text))
        return;
    log->decisions_mark = node->mark;
    log->is_on_stdout = str_equals(text, STR("stdout"));
    if (!log->is_on_stdout)
        log->decisions = reader_path(reader, node->mark, text);
}

static const char *const formats[] = {"json", "text", NULL};

/* What other commands read again is JSON. */
static void read_format(struct reader *reader, const struct node *node,
                        void *into)
{
    struct log_settings *log = into;
    unsigned word;
    if (!schema_word(reader, node, "format", formats, &word))
        return;
    if (!log->is_on_stdout)
        diags_error(reader->diags, node->mark,
                    "log.format is for `decisions: stdout`; a file is always "
                    "JSON, and `postern tail` shows it as text");
    log->is_text = word == 1;
}

static void read_server(struct reader *reader, const struct node *node,
                        void *into)
{
    struct log_settings *log = into;
    struct str text;
    if (!node_text(reader, node, "server", &text))
        return;
    if (!str_equals(text, STR("stderr")))
        log->server = reader_path(reader, node->mark, text);
}

static const char *const levels[] = {"info", "debug", NULL};

static const struct key log_keys[] = {
    {.name = "decisions",
     .type = KEY_OWN,
     .help = "where each decision is appended: a file, or stdout",
     .read = read_decisions},
    {.name = "format",
     .type = KEY_OWN,
     .content = CONTENT_WORD,
     .fallback = "json",
     .words = formats,
     .help = "of decisions on stdout: a JSON object a line, or text as "
             "`postern tail` shows it",
     .read = read_format},
    {.name = "strict",
     .type = KEY_FLAG,
     .fallback = "false",
     .help = "whether new mail is deferred while decisions can't be logged",
     .offset = offsetof(struct log_settings, is_strict)},
    {.name = "redact",
     .type = KEY_OWN,
     .shape = SHAPE_ONE_OR_LIST,
     .help = "facts that the log holds as a keyed hash only",
     .read = read_redact},
    {.name = "redact_key_file",
     .type = KEY_OWN,
     .help = "file with the key of that hash",
     .read = read_redact_key_file},
    {.name = "server",
     .type = KEY_OWN,
     .fallback = "stderr",
     .help = "where the server's own messages go: stderr or a file",
     .read = read_server},
    {.name = "level",
     .type = KEY_SWITCH,
     .fallback = "info",
     .words = levels,
     .help = "how much the server's own log says",
     .offset = offsetof(struct log_settings, is_debug)},
};

const struct schema log_schema = {"log", log_keys,
                                  sizeof log_keys / sizeof *log_keys};
