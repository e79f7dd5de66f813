/* Lines out of a stream, cut anywhere, and each through the grammar of its
 * command. What comes out must not depend on the cuts. */
#include "proxy/smtp/command.h"

#include "proxy/smtp/line_reader.h"
#include "proxy/smtp/helo_name.h"
#include "proxy/smtp/params.h"
#include "proxy/smtp/path.h"
#include "tests/fuzz/pieces.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read, written down: equal journals, equal readings. */
struct journal {
    char *text;
    size_t length;
};

static void note(struct journal *journal, const void *p, size_t n)
{
    journal->text = realloc(journal->text, journal->length + n + 1);
    assert(journal->text != NULL);
    if (n > 0)
        memcpy(journal->text + journal->length, p, n);
    journal->length += n;
}

static void assert_clean(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        assert((uint8_t)text.p[i] >= ' ');
    assert(str_index(text, 0x7f) < 0);
}

static void read_envelope(const struct command *command)
{
    struct str text = command->argument;
    struct str mailbox;
    struct str what;
    struct mail_params params;
    struct rcpt_params rcpt;
    if (command->verb == VERB_MAIL && path_reverse(&text, &mailbox) == PATH_OK)
        mail_params_parse(text, &params, &what);
    if (command->verb == VERB_RCPT && path_forward(&text, &mailbox) == PATH_OK)
        rcpt_params_parse(text, &rcpt, &what);
    if (command->verb == VERB_EHLO && helo_name_is_valid(command->argument))
        assert(str_index(command->argument, ' ') < 0);
}

static void read_line(struct journal *journal, struct str line)
{
    struct command command;
    assert(str_index(line, '\r') < 0 && str_index(line, '\n') < 0 &&
           str_index(line, '\0') < 0);
    int parsed = command_parse(line, &command);
    note(journal, &parsed, sizeof parsed);
    note(journal, line.p, line.n);
    if (parsed < 0 || command.verb == VERB_FOREIGN)
        return;
    assert_clean(command.argument);
    assert(verb_name(command.verb) != NULL);
    read_envelope(&command);
}

static void read_piece(struct line_reader *reader, struct str input,
                       struct journal *journal)
{
    struct str line;
    enum line_next next;
    while ((next = line_reader_next(reader, &input, LIMIT, &line)) !=
           LINE_MORE) {
        assert(next != LINE_MEMORY);
        note(journal, &next, sizeof next);
        if (next == LINE_READY)
            read_line(journal, line);
    }
    assert(input.n == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str text = {(const char *)data + 1, size - 1};
    struct pieces pieces = {text, data[0]};
    struct journal cut = {NULL, 0};
    struct journal slow = {NULL, 0};
    struct line_reader reader;
    struct str piece;
    line_reader_init(&reader);
    while (pieces_next(&pieces, &piece))
        read_piece(&reader, piece, &cut);
    line_reader_release(&reader);
    for (size_t i = 0; i < text.n; i++)
        read_piece(&reader, str_span(text.p + i, 1), &slow);
    line_reader_release(&reader);
    assert(cut.length == slow.length);
    assert(cut.length == 0 || memcmp(cut.text, slow.text, cut.length) == 0);
    free(cut.text);
    free(slow.text);
    return 0;
}
