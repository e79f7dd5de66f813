#include "proxy/control/diagnostics.h"

#include <string.h>

#include "proxy/control/control_verbs.h"

#define TEXT_MAX 4096

static json_t *text_of(const char *text)
{
    return control_text(str_from(text));
}

static json_t *item_of(const struct diag *diag)
{
    const char *file = diag->mark.file == NULL ? "" : diag->mark.file;
    return json_pack("{s:s, s:o, s:I, s:I, s:o}", "level",
                     diag->level == DIAG_ERROR ? "error" : "warning", "file",
                     text_of(file), "line", (json_int_t)diag->mark.line,
                     "column", (json_int_t)diag->mark.column, "text",
                     text_of(diag->text));
}

void diagnostics_add(json_t *reply, const struct diags *diags)
{
    if (reply == NULL || diags->count == 0)
        return;
    json_t *items = json_array();
    for (size_t i = 0; i < diags->count; i++)
        json_array_append_new(items, item_of(&diags->items[i]));
    json_object_set_new(reply, "diagnostics", items);
    json_object_set_new(reply, "not_shown",
                        json_integer((json_int_t)diags->dropped));
}

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

#define LINE_MAX_OCTETS (2 * TEXT_MAX)

static void describe(const json_t *item, char *line, size_t room)
{
    char place[64] = "";
    json_int_t number = json_integer_value(json_object_get(item, "line"));
    json_int_t column = json_integer_value(json_object_get(item, "column"));
    if (number > 0)
        snprintf(place, sizeof place, ":%lld:%lld", (long long)number,
                 (long long)column);
    snprintf(line, room, "%s%s: %s: %s", text_at(item, "file"), place,
             text_at(item, "level"), text_at(item, "text"));
}

void diagnostics_print(const json_t *reply, FILE *to)
{
    char line[LINE_MAX_OCTETS];
    const json_t *items = json_object_get(reply, "diagnostics");
    json_int_t more = json_integer_value(json_object_get(reply, "not_shown"));
    size_t i;
    const json_t *item;
    json_array_foreach(items, i, item)
    {
        describe(item, line, sizeof line);
        fprintf(to, "%s\n", line);
    }
    if (items != NULL && more > 0)
        fprintf(to, "%lld more not shown: mend these first\n", (long long)more);
}

void diagnostics_take(const json_t *reply, struct diags *diags)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(reply, "diagnostics"), i, item)
    {
        bool is_error = strcmp(text_at(item, "level"), "error") == 0;
        const struct mark mark = {
            .file = text_at(item, "file"),
            .line = (size_t)json_integer_value(json_object_get(item, "line")),
            .column =
                (size_t)json_integer_value(json_object_get(item, "column")),
        };
        if (is_error)
            diags_error(diags, mark, "%s", text_at(item, "text"));
        else
            diags_warn(diags, mark, "%s", text_at(item, "text"));
    }
}

void diagnostics_log(const json_t *reply, struct server_log *log)
{
    char line[LINE_MAX_OCTETS];
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(reply, "diagnostics"), i, item)
    {
        bool is_error = strcmp(text_at(item, "level"), "error") == 0;
        describe(item, line, sizeof line);
        server_log_write(log, is_error ? SERVER_ERROR : SERVER_WARNING, "%s",
                         line);
    }
}
