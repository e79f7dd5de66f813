#include "proxy/command/explain_mail.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "proxy/command/subcommands.h"
#include "proxy/explain/known_login.h"
#include "proxy/log/log_time.h"
#include "rules/address.h"
#include "rules/cidr.h"
#include "rules/nearest.h"

struct maker {
    struct explain_mail *read;
    struct rehearsal_mail *mail;
    const struct explain_options *options;
    const struct settings *settings;
    struct story *story;
};

static int misuse(const char *what, const char *word)
{
    return subcommand_misuse("explain", what, word);
}

static void *room(struct maker *maker, size_t count, size_t bytes)
{
    void *items = arena_array(&maker->story->arena, count + 1, bytes);
    if (items == NULL)
        maker->story->is_full = true;
    return items;
}

/* `a,b,c` */
static const struct str *split(struct maker *maker, const char *text,
                               size_t *count)
{
    struct str rest = str_from(text), item;
    size_t most = 1;
    for (size_t i = 0; i < rest.n; i++)
        most += rest.p[i] == ',' ? 1 : 0;
    struct str *items = room(maker, most, sizeof *items);
    *count = 0;
    while (items != NULL && rest.n > 0) {
        str_cut(rest, ',', &item, &rest);
        item = str_trim(item);
        if (item.n > 0)
            items[(*count)++] = address_canonical(&maker->story->arena, item);
    }
    return items;
}

static int make_login(struct maker *maker)
{
    const struct explain_options *options = maker->options;
    struct rehearsal_mail *mail = maker->mail;
    struct known_login login;
    const char *auth = options->auth == NULL ? "ok" : options->auth;
    if (options->user == NULL)
        return options->auth == NULL && options->groups == NULL &&
                       options->addresses == NULL
                   ? EXIT_FINE
                   : misuse("--auth, --groups and --addresses go with --user",
                            NULL);
    if (strcmp(auth, "ok") == 0)
        mail->login = MAIL_LOGIN_OK;
    else if (strcmp(auth, "failed") == 0)
        mail->login = MAIL_LOGIN_FAILED;
    else if (strcmp(auth, "unavailable") == 0)
        mail->login = MAIL_LOGIN_UNAVAILABLE;
    else
        return misuse("--auth takes ok, failed or unavailable, not", auth);
    known_login_find(&login, maker->settings, str_from(options->user),
                     maker->story);
    mail->user =
        mail->login == MAIL_LOGIN_OK ? login.name : str_from(options->user);
    mail->addresses = login.addresses;
    mail->address_count = login.address_count;
    mail->groups = login.groups;
    mail->group_count = login.group_count;
    if (options->addresses != NULL)
        mail->addresses =
            split(maker, options->addresses, &mail->address_count);
    if (options->groups != NULL)
        mail->groups = split(maker, options->groups, &mail->group_count);
    if (!login.is_found && mail->login == MAIL_LOGIN_OK)
        story_add_note(maker->story, "note: no users file has the login %s; %s",
                       options->user,
                       options->addresses == NULL && options->groups == NULL
                           ? "it goes on without addresses and groups"
                           : "it has the addresses and groups that you gave");
    return EXIT_FINE;
}

static int make_listener(struct maker *maker)
{
    const struct settings *settings = maker->settings;
    const char *name = maker->options->listener;
    const char **names = room(maker, settings->listener_count, sizeof *names);
    char text[160];
    if (name == NULL && settings->listener_count == 1)
        maker->mail->listener = &settings->listeners[0];
    if (name == NULL || names == NULL)
        return EXIT_FINE;
    for (size_t i = 0; i < settings->listener_count; i++) {
        names[i] = settings->listeners[i].name.p;
        if (str_equals_nocase(settings->listeners[i].name, str_from(name)))
            maker->mail->listener = &settings->listeners[i];
    }
    if (maker->mail->listener != NULL)
        return EXIT_FINE;
    const char *nearest =
        nearest_word(str_from(name), names, settings->listener_count);
    snprintf(text, sizeof text, "there is no listener %.50s%s%.50s%s", name,
             nearest == NULL ? "" : ", did you mean ",
             nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
    return misuse(text, NULL);
}

static int make_session(struct maker *maker)
{
    const struct explain_options *options = maker->options;
    struct ip ip;
    if (options->client != NULL) {
        maker->mail->client = str_from(options->client);
        if (ip_parse(maker->mail->client, &ip) != 0)
            return misuse("--client takes an address such as 192.0.2.1, not",
                          options->client);
    }
    if (options->helo != NULL)
        maker->mail->helo = str_from(options->helo);
    return EXIT_FINE;
}

/* `<a@b>` and `a@b` are the same. */
static struct str without_brackets(struct str text)
{
    if (text.n >= 2 && text.p[0] == '<' && text.p[text.n - 1] == '>')
        return str_span(text.p + 1, text.n - 2);
    return text;
}

static int make_envelope(struct maker *maker)
{
    const struct explain_options *options = maker->options;
    struct rehearsal_mail *mail = maker->mail;
    struct address address;
    if (options->from != NULL) {
        mail->has_from = true;
        mail->from = without_brackets(str_from(options->from));
        if (mail->from.n > 0 && address_parse(mail->from, &address) != 0)
            return misuse("--from takes an address, or <>, not", options->from);
    }
    struct str *to = room(maker, options->to_count, sizeof *to);
    for (size_t i = 0; to != NULL && i < options->to_count; i++) {
        to[i] = without_brackets(str_from(options->to[i]));
        if (!str_equals_nocase(to[i], STR("postmaster")) &&
            address_parse(to[i], &address) != 0)
            return misuse("--to takes an address, not", options->to[i]);
    }
    mail->to = to;
    mail->to_count = to == NULL ? 0 : options->to_count;
    if (options->size == NULL)
        return EXIT_FINE;
    mail->has_size = true;
    return quantity_size(str_from(options->size), &mail->size) == 0
               ? EXIT_FINE
               : misuse("--size takes a size such as 20M, not", options->size);
}

/* `[RCPT|DATA] 550 5.1.1 no such user` */
static int make_reply(struct maker *maker)
{
    const char *text = maker->options->reply;
    struct rehearsal_mail *mail = maker->mail;
    struct str rest = str_from(text == NULL ? "" : text), word, tail;
    uint64_t code = 0;
    if (text == NULL)
        return EXIT_FINE;
    str_cut(rest, ' ', &word, &tail);
    mail->has_reply = true;
    mail->is_reply_to_rcpt = str_equals_nocase(word, STR("rcpt"));
    if (mail->is_reply_to_rcpt || str_equals_nocase(word, STR("data")))
        str_cut(tail, ' ', &word, &tail);
    if (word.n != 3 || str_to_u64(word, &code) != 0 || code < 200 || code > 599)
        return misuse("--reply takes \"550 5.1.1 text\", with RCPT in front "
                      "for an answer to RCPT, not",
                      text);
    mail->reply_code = (int)code;
    str_cut(tail, ' ', &word, &rest);
    bool is_enhanced = word.n >= 5 && word.p[1] == '.' &&
                       ascii_is_digit(word.p[0]) && ascii_is_digit(word.p[2]);
    mail->reply_enhanced = is_enhanced ? word : STR("");
    mail->reply_text = is_enhanced ? rest : tail;
    return EXIT_FINE;
}

static int make_time(struct maker *maker)
{
    const char *text = maker->options->at;
    uint64_t us = 0;
    struct timespec now;
    if (text == NULL) {
        clock_gettime(CLOCK_REALTIME, &now);
        us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    } else if (log_time_parse(str_from(text), &us) != 0) {
        return misuse("--at takes a time such as 2026-01-05T09:30, with Z for "
                      "UTC, not",
                      text);
    }
    maker->mail->at_ms = us / 1000;
    return EXIT_FINE;
}

static int make_fact(struct maker *maker, const char *text,
                     struct stated_fact *out)
{
    struct str name, value;
    const char *nearest = NULL;
    if (!str_cut(str_from(text), '=', &name, &value))
        return misuse("--fact takes NAME=VALUE, not", text);
    struct str lower = arena_lower(&maker->story->arena, name);
    if (fact_ref_parse(lower, &out->ref, &nearest) != 0) {
        char said[128];
        snprintf(said, sizeof said, "there is no fact %.40s%s%s%s", lower.p,
                 nearest == NULL ? "" : ", did you mean ",
                 nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
        return misuse(said, NULL);
    }
    if (out->ref.part != FACT_PART_ALL)
        return misuse("a part can't be stated, state the whole fact:", text);
    if (out->ref.fact == FACT_HEADER)
        return misuse("fields come with --message, not", text);
    if (fact_type(&out->ref) == FACT_TYPE_NUMBER)
        return quantity_size(value, &out->number) == 0
                   ? EXIT_FINE
                   : misuse("this fact is a number:", text);
    if (!fact_is_list(&out->ref)) {
        out->values = room(maker, 1, sizeof *out->values);
        if (out->values != NULL)
            out->values[out->count++] = value;
        return EXIT_FINE;
    }
    out->values = (struct str *)(uintptr_t)split(maker, value.p, &out->count);
    return EXIT_FINE;
}

static int make_facts(struct maker *maker)
{
    const struct explain_options *options = maker->options;
    struct stated_fact *facts = room(maker, options->fact_count, sizeof *facts);
    struct stated_answer *answers =
        room(maker, options->answer_count, sizeof *answers);
    int code = EXIT_FINE;
    if (facts == NULL || answers == NULL)
        return EXIT_FOUND;
    for (size_t i = 0; i < options->fact_count && code == EXIT_FINE; i++)
        code = make_fact(maker, options->facts[i], &facts[i]);
    for (size_t i = 0; i < options->answer_count && code == EXIT_FINE; i++)
        if (!str_cut(str_from(options->answers[i]), '=', &answers[i].server,
                     &answers[i].action))
            code = misuse("--answer takes SERVER=ACTION, not",
                          options->answers[i]);
    maker->mail->facts = facts;
    maker->mail->fact_count = options->fact_count;
    maker->mail->answers = answers;
    maker->mail->answer_count = options->answer_count;
    return code;
}

static int make_message(struct maker *maker)
{
    const char *path = maker->options->message;
    struct explain_mail *read = maker->read;
    char error[512];
    if (path == NULL)
        return EXIT_FINE;
    read->has_message = true;
    if (message_file_read(&read->message, path, &maker->settings->caps, error,
                          sizeof error) == 0) {
        read->mail.bytes = read->message.bytes;
        read->mail.lines = read->message.lines;
        read->mail.longest_line = read->message.longest_line;
        return EXIT_FINE;
    }
    fprintf(stderr, "postern explain: %s\n", error);
    return EXIT_FOUND;
}

int explain_mail_read(struct explain_mail *read,
                      const struct explain_options *options,
                      const struct settings *settings, struct story *story)
{
    static int (*const parts[])(struct maker *) = {
        make_listener, make_session, make_envelope, make_reply,
        make_time,     make_facts,   make_login,    make_message,
    };
    struct maker maker = {read, &read->mail, options, settings, story};
    int code = EXIT_FINE;
    *read = (struct explain_mail){0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts && code == EXIT_FINE;
         i++)
        code = parts[i](&maker);
    return code;
}

void explain_mail_release(struct explain_mail *read)
{
    if (read->has_message)
        message_file_release(&read->message);
}

int explain_mail_begin(struct explain_mail *read, struct header_fields *fields,
                       struct arena *arena)
{
    header_fields_init(fields, arena);
    if (!read->has_message)
        return 0;
    read->mail.header = fields;
    return header_reader_fields(&read->message.header, fields);
}
