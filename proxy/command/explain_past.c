#include "proxy/command/explain_past.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/command/subcommands.h"
#include "proxy/explain/past_text.h"
#include "proxy/explain/retelling.h"
#include "proxy/explain/story_json.h"
#include "proxy/explain/story_text.h"

/* What is printed. */
struct telling {
    const struct settings *settings; /* NULL: no policy at hand */
    const struct past *past;
    const struct past_line *subject; /* the transaction or session; or NULL */
    struct story story;
    bool has_story;
    bool is_same_policy;
    const char *recorded; /* the policy's digest then; NULL: not in the line */
    bool is_coloured;
};

/* --- finding it --- */

static int look(struct past *past, const char *log)
{
    char older[4096];
    int length = snprintf(older, sizeof older, "%s.1", log);
    bool has_older = false;
    if (length > 0 && (size_t)length < sizeof older && strcmp(log, "-") != 0)
        has_older = past_look(past, older) == 0;
    if (past_look(past, log) == 0)
        return EXIT_FINE;
    if (errno == ENOENT && has_older)
        return EXIT_FINE;
    fprintf(stderr, "postern explain: %s: %s\n", log, strerror(errno));
    return EXIT_FOUND;
}

static int say_nothing(const struct past *past, const char *log)
{
    fprintf(stderr, "postern explain: there is no %s in %s%s%s\n", past->id,
            log, past->files > 1 ? " or the file before it, " : "",
            past->files > 1 ? "*.1" : "");
    return EXIT_FOUND;
}

/* --- evaluating it once more --- */

static bool read_line(const struct past_line *line, struct recorded *out)
{
    return line != NULL &&
           recorded_read(out, str_span(line->text, line->length)) == 0;
}

/* A login that was refused, in a session that came to nothing else. */
static const struct past_line *last_attempt(const struct past *past)
{
    const struct past_line *found = NULL;
    for (size_t i = 0; i < past->count; i++) {
        const char *event =
            json_string_value(json_object_get(past->lines[i].entry, "event"));
        if (event != NULL && strcmp(event, "auth") == 0)
            found = &past->lines[i];
    }
    return found;
}

static int evaluate_again(struct telling *telling)
{
    struct recorded first, second;
    const struct past *past = telling->past;
    const struct past_line *other =
        past->is_session ? last_attempt(past) : past_line(past, "session");
    int rc = 0;
    if (telling->settings == NULL || !read_line(telling->subject, &first))
        return 0;
    bool has_second = read_line(other, &second);
    story_init(&telling->story);
    telling->has_story = true;
    if (past->is_session)
        rc = retell_session(telling->settings, &first,
                            has_second ? &second : NULL, &telling->story);
    else
        rc = retell(telling->settings, &first, has_second ? &second : NULL,
                    &telling->story);
    if (has_second)
        recorded_release(&second);
    recorded_release(&first);
    return rc;
}

static void compare_policies(struct telling *telling)
{
    const char *recorded = NULL;
    if (telling->subject != NULL)
        recorded = json_string_value(
            json_object_get(telling->subject->entry, "policy"));
    telling->recorded = recorded;
    telling->is_same_policy =
        recorded != NULL && telling->settings != NULL &&
        strcmp(recorded, telling->settings->policy_digest) == 0;
}

/* --- telling it --- */

static void print_policy(const struct telling *telling)
{
    const struct settings *settings = telling->settings;
    if (telling->is_same_policy)
        printf("\nthe rules of %s, the policy of then, say:\n\n",
               settings->path);
    else if (telling->recorded != NULL)
        printf("\nthe policy has changed since: then %s, now %s;\n"
               "the rules of %s now say:\n\n",
               telling->recorded, settings->policy_digest, settings->path);
    else
        printf("\nthe rules of %s now say:\n\n", settings->path);
}

static void print_text(struct telling *telling)
{
    const struct past *past = telling->past;
    if (telling->has_story && telling->recorded != NULL &&
        !telling->is_same_policy)
        printf("the policy of %s is not the one of then (see below)\n\n",
               telling->settings->path);
    if (past->is_session)
        past_text_session(past, stdout, telling->is_coloured);
    else
        past_text_transaction(past, telling->subject->entry, stdout,
                              telling->is_coloured);
    if (!telling->has_story)
        return;
    print_policy(telling);
    story_text_stages(&telling->story, stdout, telling->is_coloured);
    story_text_verdict(&telling->story, stdout, telling->is_coloured);
}

static void print_json(struct telling *telling)
{
    json_t *object = json_object();
    json_t *lines = json_array();
    for (size_t i = 0; i < telling->past->count; i++)
        json_array_append(lines, telling->past->lines[i].entry);
    json_object_set_new(object, "id", json_string(telling->past->id));
    if (telling->subject != NULL)
        json_object_set(object, "record", telling->subject->entry);
    json_object_set_new(object, "lines", lines);
    if (telling->has_story) {
        json_object_set_new(
            object, "policy",
            json_pack("{s:o, s:s, s:b}", "file",
                      story_json_text(str_from(telling->settings->path)),
                      "digest", telling->settings->policy_digest, "same",
                      telling->is_same_policy));
        json_object_set_new(object, "story", story_json(&telling->story));
    }
    json_dumpf(object, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(object);
}

static int tell(struct telling *telling, bool is_json)
{
    compare_policies(telling);
    int rc = evaluate_again(telling);
    if (is_json)
        print_json(telling);
    else
        print_text(telling);
    if (telling->has_story)
        story_release(&telling->story);
    if (rc == 0)
        return EXIT_FINE;
    fputs("postern explain: out of memory\n", stderr);
    return EXIT_FOUND;
}

static const char *find_log(const struct explain_options *options,
                            const struct settings *settings)
{
    return options->log != NULL ? options->log : settings->log.decisions;
}

int explain_past(const struct explain_options *options,
                 const struct settings *settings, bool is_coloured)
{
    struct past past;
    const char *log = find_log(options, settings);
    if (past_init(&past, options->id) != 0)
        return subcommand_misuse("explain",
                                 "an id is the ten or twelve letters and "
                                 "digits at the end of a reply, not",
                                 options->id);
    if (log == NULL)
        return subcommand_misuse("explain",
                                 "the configuration names no file as "
                                 "log.decisions: give --log FILE",
                                 NULL);
    int code = look(&past, log);
    struct telling telling = {
        .settings = settings, .past = &past, .is_coloured = is_coloured};
    telling.subject =
        past_line(&past, past.is_session ? "session" : "transaction");
    bool is_found = past.is_session ? past.count > 0 : telling.subject != NULL;
    if (code == EXIT_FINE)
        code = is_found ? tell(&telling, options->is_json)
                        : say_nothing(&past, log);
    past_release(&past);
    return code;
}
