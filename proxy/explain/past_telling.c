#include "proxy/explain/past_telling.h"

#include <string.h>

#include "proxy/explain/past_text.h"
#include "proxy/explain/retelling.h"
#include "proxy/explain/story_json.h"
#include "proxy/explain/story_text.h"

/* What is printed, and where to. */
struct telling {
    FILE *to;
    const struct settings *settings; /* NULL: no policy at hand */
    const struct past *past;
    const struct past_line *subject; /* the transaction or session; or NULL */
    struct story story;
    bool has_story;
    bool is_same_policy;
    const char *recorded; /* the policy's digest then; NULL: not in the line */
    bool is_coloured;
};

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
    FILE *to = telling->to;
    const struct settings *settings = telling->settings;
    if (telling->is_same_policy)
        fprintf(to, "\nthe rules of %s, the policy of then, say:\n\n",
                settings->path);
    else if (telling->recorded != NULL)
        fprintf(to,
                "\nthe policy has changed since: then %s, now %s;\n"
                "the rules of %s now say:\n\n",
                telling->recorded, settings->policy_digest, settings->path);
    else
        fprintf(to, "\nthe rules of %s now say:\n\n", settings->path);
}

static void print_text(struct telling *telling)
{
    FILE *to = telling->to;
    const struct past *past = telling->past;
    if (telling->has_story && telling->recorded != NULL &&
        !telling->is_same_policy)
        fprintf(to, "the policy of %s is not the one of then (see below)\n\n",
                telling->settings->path);
    if (past->is_session)
        past_text_session(past, to, telling->is_coloured);
    else
        past_text_transaction(past, telling->subject->entry, to,
                              telling->is_coloured);
    if (!telling->has_story)
        return;
    print_policy(telling);
    story_text_stages(&telling->story, to, telling->is_coloured);
    story_text_verdict(&telling->story, to, telling->is_coloured);
}

static void print_json(struct telling *telling)
{
    FILE *to = telling->to;
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
    json_dumpf(object, to, JSON_INDENT(1));
    fputc('\n', to);
    json_decref(object);
}

static const struct past_line *subject_of(const struct past *past)
{
    return past_line(past, past->is_session ? "session" : "transaction");
}

bool past_is_found(const struct past *past)
{
    return past->is_session ? past->count > 0 : subject_of(past) != NULL;
}

int past_tell(const struct past *past, const struct settings *settings,
              FILE *to, enum past_form form)
{
    struct telling telling = {.to = to,
                              .settings = settings,
                              .past = past,
                              .subject = subject_of(past),
                              .is_coloured = form == PAST_COLOURED};
    compare_policies(&telling);
    int rc = evaluate_again(&telling);
    if (form == PAST_JSON)
        print_json(&telling);
    else
        print_text(&telling);
    if (telling.has_story)
        story_release(&telling.story);
    return rc;
}
