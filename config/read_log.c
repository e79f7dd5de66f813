/* log: the decision log and the server's own. */
#include "config/sections.h"

#include <stddef.h>

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
     .type = KEY_PATH,
     .help = "file to which each decision is appended, a JSON object a line",
     .offset = offsetof(struct log_settings, decisions),
     .mark_offset = offsetof(struct log_settings, decisions_mark)},
    {.name = "strict",
     .is_planned = true,
     .help = "whether mail waits while decisions can't be logged"},
    {.name = "redact",
     .is_planned = true,
     .help = "facts that the log holds as a keyed hash only"},
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
