#include "proxy/command/explain_dry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/budgets/journal.h"
#include "proxy/command/explain_mail.h"
#include "proxy/command/subcommands.h"
#include "proxy/explain/difference.h"
#include "proxy/explain/story_json.h"
#include "proxy/explain/story_text.h"
#include "proxy/log/printable.h"

#define KEYS_MAX 200000
#define HEADER_ARENA_CAP ((size_t)16 * 1024 * 1024)

static struct ledger *empty_ledger(void)
{
    static const uint8_t secret[16] = {0};
    return ledger_new(KEYS_MAX, secret);
}

static uint64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Budgets as they are, or none; the story says which. */
static struct ledger *open_ledger(const struct settings *settings,
                                  struct story *story)
{
    const char *state = settings->limits.state;
    char error[256];
    if (state == NULL) {
        story_add_note(story, "budgets: empty, since limits.state is not set");
        return empty_ledger();
    }
    struct ledger *ledger =
        journal_open_copy(state, KEYS_MAX, wall_ms(), error, sizeof error);
    if (ledger != NULL) {
        story_add_note(story, "budgets: as they are in %s", state);
        return ledger;
    }
    story_add_note(story, "budgets: empty, since %s", error);
    return empty_ledger();
}

/* One policy over the mail. */
static int tell(struct explain_mail *read, const struct settings *settings,
                const struct ruleset *rules, struct ledger *ledger,
                struct story *story)
{
    struct arena arena;
    struct header_fields fields;
    arena_init(&arena, HEADER_ARENA_CAP);
    int rc = ledger == NULL || explain_mail_begin(read, &fields, &arena) != 0
                 ? -1
                 : rehearse(settings, rules, ledger, &read->mail, story);
    arena_release(&arena);
    return rc;
}

static void print_json(const struct settings *settings,
                       const struct story *story, const struct story *shadow)
{
    json_t *object = story_json(story);
    json_object_set_new(object, "policy",
                        json_pack("{s:o, s:s}", "file",
                                  story_json_text(str_from(settings->path)),
                                  "digest", settings->policy_digest));
    if (shadow != NULL) {
        char what[DIFFERENCE_ROOM];
        json_t *told = story_json(shadow);
        bool differs = difference_find(story, shadow, what);
        json_object_set_new(told, "differs", json_boolean(differs));
        if (differs)
            json_object_set_new(told, "difference",
                                story_json_text(str_from(what)));
        json_object_set_new(object, "shadow", told);
    }
    json_dumpf(object, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(object);
}

static void put_printable(const char *text)
{
    char shown[1024];
    fwrite(shown, 1, printable(str_from(text), shown, sizeof shown), stdout);
}

static void print_shadow(const struct settings *settings,
                         const struct story *story, const struct story *shadow)
{
    char what[DIFFERENCE_ROOM];
    fputs("\nthe shadow policy ", stdout);
    put_printable(settings->shadow_path);
    if (difference_find(story, shadow, what)) {
        fputs(" would differ: ", stdout);
        put_printable(what);
    } else {
        fputs(" would do the same", stdout);
    }
    putchar('\n');
}

static void print_text(const struct settings *settings,
                       const struct story *story, const struct story *shadow,
                       bool is_coloured)
{
    story_text_stages(story, stdout, is_coloured);
    story_text_outcome(story, stdout, is_coloured);
    if (shadow != NULL)
        print_shadow(settings, story, shadow);
}

/* The candidate has budgets of its own; here they are empty. */
static int tell_shadow(struct explain_mail *read,
                       const struct settings *settings, struct story *shadow)
{
    if (settings->shadow == NULL)
        return 0;
    struct ledger *ledger = empty_ledger();
    int rc = tell(read, settings, settings->shadow, ledger, shadow);
    ledger_free(ledger);
    return rc;
}

static int out_of_memory(void)
{
    fputs("postern explain: out of memory\n", stderr);
    return EXIT_FOUND;
}

static int explain(struct explain_mail *read,
                   const struct explain_options *options,
                   const struct settings *settings, struct story *story,
                   bool is_coloured)
{
    struct story shadow;
    struct ledger *ledger = open_ledger(settings, story);
    story_init(&shadow);
    int rc = tell(read, settings, settings->rules, ledger, story);
    if (rc == 0)
        rc = tell_shadow(read, settings, &shadow);
    const struct story *other = settings->shadow == NULL ? NULL : &shadow;
    if (rc == 0 && options->is_json)
        print_json(settings, story, other);
    else if (rc == 0)
        print_text(settings, story, other, is_coloured);
    ledger_free(ledger);
    story_release(&shadow);
    if (rc != 0)
        return out_of_memory();
    return story->is_accepted && !story_has_refusal(story) ? EXIT_FINE
                                                           : EXIT_FOUND;
}

int explain_dry(const struct explain_options *options,
                const struct settings *settings, bool is_coloured)
{
    struct story story;
    struct explain_mail read;
    story_init(&story);
    int code = explain_mail_read(&read, options, settings, &story);
    if (code == EXIT_FINE)
        code = explain(&read, options, settings, &story, is_coloured);
    explain_mail_release(&read);
    story_release(&story);
    return code;
}
