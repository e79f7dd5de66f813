#include "proxy/explain/story_text.h"

#include <inttypes.h>

#include "proxy/explain/wording.h"
#include "proxy/log/printable.h"

#define SHOWN_MAX 4096

#define RED "\x1b[31m"
#define GREEN "\x1b[32m"
#define YELLOW "\x1b[33m"
#define DIM "\x1b[2m"
#define BOLD "\x1b[1m"
#define PLAIN "\x1b[0m"

struct teller {
    FILE *to;
    bool is_coloured;
    bool is_recorded;
    struct arena arena; /* of one number */
};

static struct teller begin(const struct story *story, FILE *to,
                           bool is_coloured)
{
    struct teller teller = {to, is_coloured, story->is_recorded, {0}};
    arena_init(&teller.arena, 64 * 1024);
    return teller;
}

static void colour(const struct teller *teller, const char *code)
{
    if (teller->is_coloured)
        fputs(code, teller->to);
}

static void put(const struct teller *teller, struct str text)
{
    char shown[SHOWN_MAX];
    fwrite(shown, 1, printable(text, shown, sizeof shown), teller->to);
}

/* The same of text that the policy's own author wrote: a backslash is one. */
static void put_own(const struct teller *teller, struct str text)
{
    char shown[SHOWN_MAX];
    size_t length = printable(text, shown, sizeof shown);
    for (size_t i = 0; i < length; i++) {
        if (shown[i] == '\\' && i + 1 < length && shown[i + 1] == '\\')
            i++;
        fputc(shown[i], teller->to);
    }
}

static void put_after(const struct teller *teller, const char *before,
                      struct str text)
{
    fputs(before, teller->to);
    put(teller, text);
}

/* --- a rule's tests and answers --- */

static void put_test(const struct teller *teller, const struct story_test *test)
{
    fputs(test->holds ? "      yes  " : "      no   ", teller->to);
    put_own(teller, test->text);
    if (test->has_value) {
        put_after(teller, "   (",
                  test->value.n == 0 ? STR("empty") : test->value);
        fputc(')', teller->to);
    }
    fputc('\n', teller->to);
}

static void put_limit(struct teller *teller, enum limit_unit unit,
                      const struct story_answer *answer)
{
    struct arena *arena = &teller->arena;
    put_after(teller, "      limit  ", answer->unit);
    put_after(teller, " ", wording_amount(arena, unit, answer->before));
    if (answer->kind == STORY_LIMIT)
        put_after(teller, " → ", wording_amount(arena, unit, answer->after));
    put_after(teller, " of ", wording_amount(arena, unit, answer->max));
    if (answer->key.n > 0)
        put_after(teller, " for ", answer->key);
    if (answer->rate.period_ms > 0)
        put_after(teller, ", ", wording_rate(arena, unit, &answer->rate));
    if (!answer->is_yes)
        fputs(": exceeded", teller->to);
    fputc('\n', teller->to);
    arena_reset(arena);
}

static void put_answer(struct teller *teller, const struct story_rule *rule,
                       const struct story_answer *answer)
{
    switch (answer->kind) {
    case STORY_LIMIT:
    case STORY_MEASURED:
        put_limit(teller, rule->rule->limit->unit, answer);
        return;
    case STORY_LISTED:
        put_after(teller, "      list   ", answer->name);
        fputs(answer->is_yes ? " holds " : " does not hold ", teller->to);
        put(teller, answer->key);
        break;
    case STORY_ASKED:
        put_after(teller, "      ask    ", answer->name);
        put_after(teller, ": ",
                  answer->reply.p == NULL ? STR("no answer") : answer->reply);
        if (!teller->is_recorded)
            fputs("   (taken to say so: nobody is asked)", teller->to);
        break;
    }
    fputc('\n', teller->to);
}

/* --- what it did --- */

static const char *const EDITS[] = {
    [STORY_REWRITE] = "",
    [STORY_HEADER_ADD] = "+ ",
    [STORY_HEADER_REMOVE] = "- ",
    [STORY_ROUTE] = "route → ",
    [STORY_TAG] = "tag ",
    [STORY_NOTE] = "note ",
    [STORY_LIST_ADD] = "list ",
    [STORY_LIST_REMOVE] = "list ",
    [STORY_RECIPIENT] = "one more recipient: ",
    [STORY_DELAY] = "the answer waits ",
};

static void put_edit(struct teller *teller, const struct story_edit *edit)
{
    fputs("      does   ", teller->to);
    put_after(teller, EDITS[edit->kind], edit->name);
    switch (edit->kind) {
    case STORY_REWRITE:
        put_after(teller, ": ", edit->before.n == 0 ? STR("<>") : edit->before);
        put_after(teller, " → ", edit->after.n == 0 ? STR("<>") : edit->after);
        break;
    case STORY_HEADER_ADD:
    case STORY_HEADER_REMOVE:
        if (edit->after.n > 0)
            put_after(teller, ": ", edit->after);
        break;
    case STORY_LIST_ADD:
        put_after(teller, " + ", edit->after);
        if (edit->ms > 0)
            put_after(teller, " for ",
                      quantity_wait_text(&teller->arena, edit->ms));
        break;
    case STORY_LIST_REMOVE:
        put_after(teller, " - ", edit->after);
        break;
    case STORY_DELAY:
        fprintf(teller->to, "%" PRIu64 " ms", edit->ms);
        break;
    default:
        put(teller, edit->after);
    }
    if (edit->kind == STORY_RECIPIENT && !edit->is_required)
        fputs(" (not required)", teller->to);
    fputc('\n', teller->to);
    arena_reset(&teller->arena);
}

static void put_absent(const struct teller *teller,
                       const struct story_rule *rule)
{
    struct fact_ref ref;
    const char *nearest;
    if (rule->absent.n == 0) {
        fputs(": something that it names is not known", teller->to);
        return;
    }
    put_after(teller, ": ", rule->absent);
    fputs(" is not known", teller->to);
    if (teller->is_recorded)
        fputs(" (not in the log)", teller->to);
    else if (fact_ref_parse(rule->absent, &ref, &nearest) == 0)
        fprintf(teller->to, " (give %s)", wording_option(ref.fact));
}

static void put_fate(const struct teller *teller, const struct story_rule *rule)
{
    static const char *const words[] = {
        [FATE_ACTED] = "acts",
        [FATE_PRETENDED] = "would act, but its mode is shadow",
        [FATE_NOT_HELD] = "does not hold",
        [FATE_ABSENT] = "not asked",
        [FATE_WITHIN] = "within its limit",
        [FATE_NOT_COUNTED] = "nothing here that its limit counts",
        [FATE_UNLISTED] = "the list of its limit has no such key",
        [FATE_OFF] = "off",
        [FATE_NOT_REACHED] = "not reached",
    };
    const char *word = words[rule->fate];
    const char *code = DIM;
    if (rule->fate == FATE_ACTED && rule->fault != NULL)
        word = "fails";
    else if (rule->fate == FATE_ACTED && rule->has_reply)
        word = "refuses";
    else if (rule->fate == FATE_ACTED &&
             rule->rule->decision == DECISION_ACCEPT)
        word = "accepts: ends this stage";
    if (rule->fate == FATE_ACTED)
        code = rule->has_reply ? RED : GREEN;
    else if (rule->fate == FATE_PRETENDED)
        code = YELLOW;
    put_after(teller, "  ", rule_name(rule->rule));
    fputs(": ", teller->to);
    colour(teller, code);
    fputs(word, teller->to);
    colour(teller, PLAIN);
    if (rule->fate == FATE_ABSENT)
        put_absent(teller, rule);
    fputc('\n', teller->to);
}

static void put_rule(struct teller *teller, const struct story_rule *rule)
{
    put_fate(teller, rule);
    for (size_t i = 0; i < rule->test_count; i++)
        put_test(teller, &rule->tests[i]);
    for (size_t i = 0; i < rule->answer_count; i++)
        put_answer(teller, rule, &rule->answers[i]);
    for (size_t i = 0; i < rule->edit_count; i++)
        put_edit(teller, &rule->edits[i]);
    if (rule->has_reply) {
        put_after(teller, "      says   ", rule->reply);
        fputc('\n', teller->to);
    }
    if (rule->fault != NULL) {
        put_after(teller, "      fault  ", str_from(rule->fault));
        fputc('\n', teller->to);
    }
    for (size_t i = 0; i < rule->remedy_count; i++) {
        fputs(i == 0 ? "      to pass: " : "           or: ", teller->to);
        put_own(teller, rule->remedies[i]);
        fputc('\n', teller->to);
    }
}

static void put_stage(struct teller *teller, const struct story_stage *stage)
{
    colour(teller, BOLD);
    fputs(stage_name(stage->stage), teller->to);
    colour(teller, PLAIN);
    if (stage->subject.n > 0)
        put_after(teller, " ", stage->subject);
    else if (stage->stage == STAGE_MAIL)
        fputs(" <>", teller->to);
    if (stage->reply.n > 0 && stage->rule == NULL)
        put_after(teller, ": ", stage->reply);
    else if (stage->rule_count == 0)
        fputs(": no rules", teller->to);
    fputc('\n', teller->to);
    for (size_t i = 0; i < stage->rule_count; i++)
        put_rule(teller, &stage->rules[i]);
}

void story_text_stages(const struct story *story, FILE *to, bool is_coloured)
{
    struct teller teller = begin(story, to, is_coloured);
    for (size_t i = 0; i < story->note_count; i++) {
        put(&teller, story->notes[i]);
        fputc('\n', to);
    }
    if (story->note_count > 0)
        fputc('\n', to);
    for (size_t i = 0; i < story->stage_count; i++)
        put_stage(&teller, &story->stages[i]);
    if (story->is_full)
        fputs("The story is too long: something is missing.\n", to);
    arena_release(&teller.arena);
}

/* --- how it ends --- */

static void put_verdict(const struct teller *teller, const struct story *story)
{
    const struct story_stage *refusal = story_refusal(story);
    if (story->is_accepted) {
        colour(teller, GREEN);
        fputs(story->recipient_count > 0 ? "accepted" : "nothing refuses it",
              teller->to);
        colour(teller, PLAIN);
        return;
    }
    colour(teller, RED);
    fputs("refused", teller->to);
    colour(teller, PLAIN);
    if (refusal == NULL)
        return;
    fprintf(teller->to, " at %s", stage_name(refusal->stage));
    if (refusal->rule != NULL) {
        const struct mark *mark = refusal->rule->origin;
        put_after(teller, " by the rule \"", rule_name(refusal->rule));
        fputc('"', teller->to);
        if (mark != NULL && mark->line > 0)
            fprintf(teller->to, " (%s:%zu:%zu)", mark->file, mark->line,
                    mark->column);
    } else {
        fputs(" by Postern itself", teller->to);
    }
    put_after(teller, ": ", refusal->reply);
}

void story_text_verdict(const struct story *story, FILE *to, bool is_coloured)
{
    struct teller teller = begin(story, to, is_coloured);
    put_verdict(&teller, story);
    fputc('\n', to);
}

/* Recipients that are refused though the mail is accepted. */
static void put_refused(const struct teller *teller, const struct story *story)
{
    for (size_t i = 0; i < story->stage_count; i++) {
        const struct story_stage *stage = &story->stages[i];
        if (stage->reply.n == 0)
            continue;
        put_after(teller, "but refused: ", stage->subject);
        put_after(teller, ": ", stage->reply);
        fputc('\n', teller->to);
    }
}

static void put_envelope(const struct teller *teller, const struct story *story)
{
    put_after(teller, "\nto the upstream ", story->upstream);
    put_after(teller, ":\n  MAIL FROM:<", story->reverse_path);
    fputs(">\n", teller->to);
    for (size_t i = 0; i < story->recipient_count; i++) {
        const struct story_recipient *to = &story->recipients[i];
        put_after(teller, "  RCPT TO:<", to->address);
        fputs(to->is_added ? ">   (added)" : ">", teller->to);
        if (to->route.n > 0) {
            put_after(teller, "   (with the first, not to ", to->route);
            fputc(')', teller->to);
        }
        fputc('\n', teller->to);
    }
}

static void put_header(const struct teller *teller, const struct story *story)
{
    if (!story->has_header)
        return;
    fputs("\n  Received: (Postern's own)\n", teller->to);
    for (size_t i = 0; i < story->header_count; i++) {
        struct str rest = story->header[i], line;
        while (rest.n > 0) {
            str_cut_line(rest, &line, &rest);
            put_after(teller, "  ", line);
            fputc('\n', teller->to);
        }
    }
}

void story_text_outcome(const struct story *story, FILE *to, bool is_coloured)
{
    struct teller teller = begin(story, to, is_coloured);
    fputc('\n', to);
    put_verdict(&teller, story);
    fputc('\n', to);
    if (story->end.n > 0 &&
        (story->is_accepted || story_refusal(story) == NULL)) {
        put_after(&teller, "ends here: ", story->end);
        fputc('\n', to);
    }
    if (story->is_accepted)
        put_refused(&teller, story);
    if (story->recipient_count > 0 && story->is_accepted) {
        put_envelope(&teller, story);
        put_header(&teller, story);
    }
}
