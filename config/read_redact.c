/* log.redact and its key. */
#include "config/sections.h"

#include <string.h>

#include "config/redaction.h"
#include "config/secret_file.h"
#include "rules/problem.h"

#define KEY_FILE_MAX 4096
#define KEY_MIN 16
#define NAMES_MAX 64

/* What the log holds, and what hides with it: other names of the same, and
 * what can be told from it. Each row ends with itself. */
static const struct row {
    enum fact fact;
    enum fact with[5];
} rows[] = {
    {FACT_CLIENT_IP, {FACT_CLIENT_NET, FACT_CLIENT_IP}},
    {FACT_HELO_NAME, {FACT_HELO_NAME}},
    {FACT_TLS_SNI, {FACT_TLS_SNI}},
    {FACT_TLS_CLIENT_FINGERPRINT, {FACT_TLS_CLIENT_FINGERPRINT}},
    {FACT_TLS_CLIENT_NAMES, {FACT_TLS_CLIENT_NAMES}},
    {FACT_AUTH_NAME, {FACT_AUTH_USER, FACT_AUTH_NAME}},
    {FACT_AUTH_USER, {FACT_AUTH_NAME, FACT_AUTH_USER}},
    {FACT_AUTH_ADDRESSES, {FACT_AUTH_ADDRESSES}},
    {FACT_AUTH_GROUPS, {FACT_AUTH_GROUPS}},
    {FACT_MAIL_FROM, {FACT_MAIL_ORIGINAL, FACT_MAIL_FROM}},
    {FACT_MAIL_ORIGINAL, {FACT_MAIL_FROM, FACT_MAIL_ORIGINAL}},
    {FACT_MAIL_ENVID, {FACT_MAIL_ENVID}},
    {FACT_RCPT_TO,
     {FACT_RCPT_ORIGINAL, FACT_RCPT_DOMAINS, FACT_DATA_DOMAINS, FACT_REPLY_TO,
      FACT_RCPT_TO}},
    {FACT_RCPT_ORIGINAL,
     {FACT_RCPT_TO, FACT_RCPT_DOMAINS, FACT_DATA_DOMAINS, FACT_REPLY_TO,
      FACT_RCPT_ORIGINAL}},
};

static const struct row *find_row(enum fact fact)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].fact == fact)
            return &rows[i];
    return NULL;
}

static void hide(struct redaction *redaction, const struct row *row)
{
    for (size_t i = 0;; i++) {
        redaction->hides[row->with[i]] = true;
        if (row->with[i] == row->fact)
            return;
    }
}

static void hide_header(struct redaction *redaction, struct str *headers,
                        struct str name)
{
    if (redaction_hides_header(redaction, name))
        return;
    headers[redaction->header_count++] = name;
    redaction->headers = headers;
}

static void read_fact(struct reader *reader, const struct node *node,
                      struct redaction *redaction, struct str *headers)
{
    struct str text;
    struct fact_ref ref;
    const char *nearest;
    const struct row *row;
    if (!node_scalar(reader, node, "redact", &text))
        return;
    text = reader_keep(reader, node->mark, text);
    if (text.p == NULL)
        return;
    if (fact_ref_parse(text, &ref, &nearest) != 0)
        diags_error(reader->diags, node->mark,
                    "redact: there is no fact %.*s%s%s%s", PROBLEM_STR(text),
                    DIAG_NEAREST(nearest));
    else if (ref.part != FACT_PART_ALL)
        diags_error(
            reader->diags, node->mark, "redact takes whole facts: %s, not %.*s",
            ref.fact == FACT_HEADER ? "header.NAME" : fact_name(ref.fact),
            PROBLEM_STR(text));
    else if (ref.fact == FACT_HEADER)
        hide_header(redaction, headers, ref.header);
    else if ((row = find_row(ref.fact)) != NULL)
        hide(redaction, row);
    else
        diags_error(reader->diags, node->mark,
                    "redact: %.*s can't be hidden: take facts that tell of "
                    "people, such as client.ip, auth.user, mail.from, rcpt.to "
                    "or header.subject",
                    PROBLEM_STR(text));
}

static void name_all(struct reader *reader, struct redaction *redaction)
{
    struct arena *arena = reader->arena;
    struct str *names =
        arena_array(arena, FACT_COUNT + redaction->header_count, sizeof *names);
    size_t count = 0;
    for (enum fact fact = 0; names != NULL && fact < FACT_COUNT; fact++)
        if (redaction->hides[fact])
            names[count++] = str_from(fact_name(fact));
    for (size_t i = 0; names != NULL && i < redaction->header_count; i++)
        names[count++] =
            ARENA_JOIN(arena, STR("header."), redaction->headers[i]);
    redaction->names = names;
    redaction->name_count = count;
}

void read_redact(struct reader *reader, const struct node *node, void *into)
{
    struct redaction *redaction = &((struct log_settings *)into)->redaction;
    size_t count = node_list_count(node);
    redaction->mark = node->mark;
    if (count > NAMES_MAX) {
        diags_error(reader->diags, node->mark, "redact takes at most %d facts",
                    NAMES_MAX);
        return;
    }
    struct str *headers =
        arena_array(reader->arena, count == 0 ? 1 : count, sizeof *headers);
    for (size_t i = 0; headers != NULL && i < count; i++)
        read_fact(reader, node_list_item(node, i), redaction, headers);
    name_all(reader, redaction);
    if (headers == NULL || redaction->names == NULL)
        reader_full(reader, node->mark);
}

bool redaction_hides_header(const struct redaction *redaction, struct str name)
{
    for (size_t i = 0; i < redaction->header_count; i++)
        if (str_equals_nocase(redaction->headers[i], name))
            return true;
    return false;
}

/* --- the key --- */

/* Any octets: they are hashed to the length that is wanted. */
static const char *read_key(const struct redaction *redaction,
                            struct files *files,
                            uint8_t secret[KEYED_HASH_SECRET])
{
    const char *wrong;
    struct str octets = secret_file_read(
        files, FILE_SECRET, redaction->key_file, KEY_FILE_MAX, &wrong);
    if (octets.p == NULL)
        return wrong;
    if (str_trim(octets).n < KEY_MIN)
        return "16 octets or more are expected in it, such as `openssl rand "
               "-hex 32` prints";
    keyed_hash_secret(octets, secret);
    return NULL;
}

void read_redact_key_file(struct reader *reader, const struct node *node,
                          void *into)
{
    struct redaction *redaction = &((struct log_settings *)into)->redaction;
    struct str text;
    if (!node_text(reader, node, "redact_key_file", &text))
        return;
    redaction->key_mark = node->mark;
    redaction->key_file = reader_path(reader, node->mark, text);
    /* Who only explains a policy need not be able to read it: whoever serves is
     * told by redaction_check(). */
    if (redaction->key_file != NULL && reader->source != NULL)
        (void)read_key(redaction, reader->source, redaction->secret);
}

int redaction_check(const struct redaction *redaction, struct files *files,
                    struct diags *diags)
{
    uint8_t secret[KEYED_HASH_SECRET];
    if (redaction->name_count == 0)
        return 0;
    const char *wrong = read_key(redaction, files, secret);
    explicit_bzero(secret, sizeof secret);
    if (wrong == NULL)
        return 0;
    diags_error(diags, redaction->key_mark, "%s can't be used: %s",
                redaction->key_file, wrong);
    return -1;
}
