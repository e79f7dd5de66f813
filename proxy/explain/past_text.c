#include "proxy/explain/past_text.h"

#include <string.h>

#include "proxy/log/entry_view.h"
#include "proxy/log/printable.h"

#define SHOWN_MAX 4096

static void put(FILE *to, const json_t *value)
{
    char shown[SHOWN_MAX];
    if (json_is_integer(value))
        fprintf(to, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (!json_is_string(value))
        return;
    struct str text =
        str_span(json_string_value(value), json_string_length(value));
    fwrite(shown, 1, printable(text, shown, sizeof shown), to);
}

/* Nothing where there is no such value. */
static void put_at(FILE *to, const char *before, const json_t *object,
                   const char *key, const char *after)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value) && !json_is_integer(value))
        return;
    fputs(before, to);
    put(to, value);
    fputs(after, to);
}

static void put_list(FILE *to, const char *before, const json_t *object,
                     const char *key)
{
    const json_t *array = json_object_get(object, key);
    for (size_t i = 0; i < json_array_size(array); i++) {
        fputs(i == 0 ? before : ", ", to);
        put(to, json_array_get(array, i));
    }
}

static void put_client(FILE *to, const json_t *entry)
{
    const json_t *client = json_object_get(entry, "client");
    const json_t *auth = json_object_get(entry, "auth");
    const json_t *tls = json_object_get(entry, "tls");
    put_at(to, "client    ", client, "ip", "");
    put_at(to, " port ", client, "port", "");
    put_at(to, ", helo ", client, "helo", "");
    put_at(to, ", listener ", entry, "listener", "");
    put_at(to, ", TLS ", tls, "version", "");
    fputc('\n', to);
    if (auth == NULL)
        return;
    if (json_object_get(auth, "user") != NULL)
        put_at(to, "login     ", auth, "user", "");
    else
        put_at(to, "login     ", auth, "name", "");
    put_at(to, ", ", auth, "mechanism", "");
    put_list(to, ", groups ", auth, "groups");
    put_list(to, ", addresses ", auth, "addresses");
    fputc('\n', to);
}

static bool differs(const json_t *object, const char *key, const char *other)
{
    const char *a = json_string_value(json_object_get(object, key));
    const char *b = json_string_value(json_object_get(object, other));
    return a != NULL && b != NULL && strcmp(a, b) != 0;
}

static void put_envelope(FILE *to, const json_t *entry)
{
    const json_t *mail = json_object_get(entry, "mail");
    const json_t *recipients = json_object_get(entry, "rcpt");
    put_at(to, "mail      <", mail, "from", ">");
    if (differs(mail, "from", "sent"))
        put_at(to, ", sent as <", mail, "sent", ">");
    put_at(to, ", size ", mail, "size", "");
    if (mail != NULL)
        fputc('\n', to);
    for (size_t i = 0; i < json_array_size(recipients); i++) {
        const json_t *recipient = json_array_get(recipients, i);
        put_at(to, "rcpt      <", recipient, "to", ">");
        if (differs(recipient, "to", "sent"))
            put_at(to, ", sent as <", recipient, "sent", ">");
        put_at(to, ": ", recipient, "reply", "");
        put_at(to, " (by the rule \"", recipient, "rule", "\")");
        fputc('\n', to);
    }
}

static void put_message(FILE *to, const json_t *entry)
{
    const json_t *header = json_object_get(entry, "header");
    const json_t *message = json_object_get(entry, "message");
    if (header != NULL) {
        fputs("header   ", to);
        put_at(to, " ", header, "count", " fields");
        put_at(to, ", ", header, "bytes", " octets");
        put_list(to, ", from ", header, "from");
        put_at(to, ", message id ", header, "message_id", "");
        fputc('\n', to);
    }
    if (message != NULL) {
        put_at(to, "message   ", message, "bytes", " octets");
        put_at(to, ", ", message, "lines", " lines");
        if (json_is_true(json_object_get(message, "repaired")))
            fputs(", line ends repaired", to);
        fputc('\n', to);
    }
}

static void put_rules(FILE *to, const json_t *entry)
{
    const json_t *rules = json_object_get(entry, "rules");
    const json_t *limits = json_object_get(entry, "limits");
    const json_t *asks = json_object_get(entry, "asks");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        put_at(to, "rule      ", rule, "stage", "");
        put_at(to, ": ", rule, "rule", "");
        put_at(to, ": ", rule, "did", "");
        put_at(to, " (mode: ", rule, "mode", ")");
        fputc('\n', to);
    }
    for (size_t i = 0; i < json_array_size(limits); i++) {
        const json_t *limit = json_array_get(limits, i);
        put_at(to, "limit     ", limit, "rule", "");
        put_at(to, " for ", limit, "key", "");
        put_at(to, ": ", limit, "before", "");
        put_at(to, " → ", limit, "after", "");
        put_at(to, " of ", limit, "max", "");
        fputc('\n', to);
    }
    for (size_t i = 0; i < json_array_size(asks); i++) {
        const json_t *ask = json_array_get(asks, i);
        put_at(to, "ask       ", ask, "server", "");
        put_at(to, ": ", ask, "action", "");
        put_at(to, ": ", ask, "failure", "");
        fputc('\n', to);
    }
    if (json_array_size(json_object_get(entry, "tags")) > 0) {
        put_list(to, "tags      ", entry, "tags");
        fputc('\n', to);
    }
    if (json_array_size(json_object_get(entry, "notes")) > 0) {
        put_list(to, "notes     ", entry, "notes");
        fputc('\n', to);
    }
}

static void put_caps(FILE *to, const json_t *entry)
{
    if (json_array_size(json_object_get(entry, "caps")) == 0)
        return;
    put_list(to, "crossed   ", entry, "caps");
    fputc('\n', to);
}

static void put_upstream(FILE *to, const json_t *entry)
{
    const json_t *upstream = json_object_get(entry, "upstream");
    if (upstream == NULL)
        return;
    put_at(to, "upstream  ", upstream, "name", "");
    put_at(to, " ", upstream, "server", "");
    put_at(to, ": ", upstream, "reply", "");
    put_at(to, ", fault: ", upstream, "fault", "");
    fputc('\n', to);
    if (json_is_true(json_object_get(entry, "uncertain")))
        fputs("          whether it took the message is uncertain\n", to);
}

static void put_changes(const struct past *past, FILE *to)
{
    for (size_t i = 0; i < past->count; i++) {
        const json_t *entry = past->lines[i].entry;
        const char *event = json_string_value(json_object_get(entry, "event"));
        const char *id = json_string_value(json_object_get(entry, "id"));
        if (event == NULL || id == NULL || strcmp(event, "list") != 0 ||
            strcmp(id, past->id) != 0)
            continue;
        put_at(to, "list      ", entry, "list", "");
        put_at(to, ": ", entry, "did", "");
        put_at(to, " ", entry, "value", "");
        put_at(to, " for ", entry, "for_ms", " ms");
        fputc('\n', to);
    }
}

void past_text_transaction(const struct past *past, const json_t *entry,
                           FILE *to, bool is_coloured)
{
    entry_view_print(to, entry, is_coloured);
    fputc('\n', to);
    put_client(to, entry);
    put_envelope(to, entry);
    put_message(to, entry);
    put_rules(to, entry);
    put_changes(past, to);
    put_upstream(to, entry);
    put_caps(to, entry);
    put_at(to, "answer    ", entry, "reply", "\n");
}

void past_text_session(const struct past *past, FILE *to, bool is_coloured)
{
    const struct past_line *session = past_line(past, "session");
    for (size_t i = 0; i < past->count; i++)
        entry_view_print(to, past->lines[i].entry, is_coloured);
    fputc('\n', to);
    if (session == NULL) {
        fputs("the log has no line of the session's end: it goes on, or the "
              "line is in another file\n",
              to);
        return;
    }
    put_client(to, session->entry);
    put_rules(to, session->entry);
    put_changes(past, to);
    put_at(to, "refused   ", session->entry, "refused", "\n");
    put_at(to, "end       ", session->entry, "end", "\n");
    put_caps(to, session->entry);
}
