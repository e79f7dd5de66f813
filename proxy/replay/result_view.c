#include "proxy/replay/result_view.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "proxy/log/printable.h"

#define BUSIEST 5

static const char *const WORDS[CHANGE_COUNT] = {
    [NEWLY_REFUSED] = "newly refused",
    [NEWLY_PASSED] = "newly passed",
    [CHANGED] = "changed",
};

static const char *const KEYS[CHANGE_COUNT] = {
    [NEWLY_REFUSED] = "newly_refused",
    [NEWLY_PASSED] = "newly_passed",
    [CHANGED] = "changed",
};

static uint64_t sum(const uint64_t counts[CHANGE_COUNT])
{
    uint64_t all = 0;
    for (size_t i = 0; i < CHANGE_COUNT; i++)
        all += counts[i];
    return all;
}

/* The rules that matter most come first. */
static int by_count(const void *a, const void *b)
{
    const struct replay_row *const *x = a;
    const struct replay_row *const *y = b;
    uint64_t m = sum((*x)->counts), n = sum((*y)->counts);
    return m > n ? -1 : m < n;
}

static const struct replay_row **sorted_rows(const struct replay *replay)
{
    const struct replay_row **rows =
        calloc(replay->row_count + 1, sizeof *rows);
    if (rows == NULL)
        return NULL;
    for (size_t i = 0; i < replay->row_count; i++)
        rows[i] = &replay->rows[i];
    qsort(rows, replay->row_count, sizeof *rows, by_count);
    return rows;
}

/* --- for people --- */

static void put_text(FILE *to, const char *text)
{
    char shown[1024];
    fwrite(shown, 1, printable(str_from(text), shown, sizeof shown), to);
}

static void put_time(FILE *to, uint64_t us)
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;
    char text[32];
    if (localtime_r(&seconds, &tm) != NULL &&
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm) > 0)
        fputs(text, to);
}

static void put_counts(FILE *to, const uint64_t counts[CHANGE_COUNT])
{
    const char *before = "";
    for (size_t i = 0; i < CHANGE_COUNT; i++) {
        if (counts[i] == 0)
            continue;
        fprintf(to, "%s%" PRIu64 " %s", before, counts[i], WORDS[i]);
        before = ", ";
    }
}

static void put_users(FILE *to, const struct replay_row *row)
{
    const struct replay_user *top[BUSIEST];
    size_t count = replay_busiest(row, top, BUSIEST);
    fputs("  busiest: ", to);
    for (size_t i = 0; i < count; i++) {
        fputs(i == 0 ? "" : ", ", to);
        put_text(to, top[i]->name);
        fprintf(to, " %" PRIu64, top[i]->count);
    }
    if (row->user_count > count || row->other_users > 0)
        fprintf(to, " and %zu%s others", row->user_count - count,
                row->other_users > 0 ? " or more" : "");
    fputc('\n', to);
}

static void put_row(FILE *to, const struct replay_row *row)
{
    fputs("\nrule \"", to);
    put_text(to, row->rule);
    fputs("\": ", to);
    put_counts(to, row->counts);
    fputs("\n  first ", to);
    put_time(to, row->first_us);
    fputs(", last ", to);
    put_time(to, row->last_us);
    fputc('\n', to);
    put_users(to, row);
    for (size_t i = 0; i < row->example_count; i++) {
        const struct replay_example *example = &row->examples[i];
        fputs("  ", to);
        put_text(to, example->id);
        fputc(' ', to);
        put_text(to, example->user[0] == '\0' ? "-" : example->user);
        fputs(": ", to);
        put_text(to, example->before);
        fputs(" -> ", to);
        put_text(to, example->after);
        fputc('\n', to);
    }
}

static void put_remark(FILE *to, uint64_t count, const char *what)
{
    if (count > 0)
        fprintf(to, "note: %" PRIu64 " %s\n", count, what);
}

static void put_gaps(FILE *to, const struct replay *replay)
{
    for (size_t i = 0; i < replay->gap_count; i++) {
        const struct replay_gap *gap = &replay->gaps[i];
        fputs("not judged for rule \"", to);
        put_text(to, gap->rule);
        fputs("\": ", to);
        put_text(to, gap->fact);
        fprintf(to, " is not in the log (%" PRIu64 " time%s)\n",
                gap->transactions, gap->transactions == 1 ? "" : "s");
    }
}

static void put_totals(FILE *to, const struct replay *replay,
                       const char *policy)
{
    fprintf(to, "%" PRIu64 " transaction%s from ", replay->transactions,
            replay->transactions == 1 ? "" : "s");
    put_time(to, replay->first_us);
    fputs(" to ", to);
    put_time(to, replay->last_us);
    fputs(" under ", to);
    put_text(to, policy);
    fputs(": ", to);
    if (sum(replay->counts) == 0)
        fputs("nothing changes", to);
    else
        put_counts(to, replay->counts);
    fputc('\n', to);
    if (sum(replay->session_counts) == 0)
        return;
    fputs("connections, greetings and logins: ", to);
    put_counts(to, replay->session_counts);
    fputc('\n', to);
}

void replay_print(FILE *to, const struct replay *replay, const char *policy)
{
    const struct replay_row **rows = sorted_rows(replay);
    put_totals(to, replay, policy);
    for (size_t i = 0; rows != NULL && i < replay->row_count; i++)
        put_row(to, rows[i]);
    free(rows);
    if (replay->row_count > 0)
        fputc('\n', to);
    put_gaps(to, replay);
    put_remark(to, replay->assumed,
               "mails were never shown to an upstream; it is taken to accept "
               "them");
    put_remark(to, replay->not_asked,
               "questions to policy servers have no answer in the log; they "
               "are taken as DUNNO");
    put_remark(to, replay->primed,
               "budgets were in use before the log begins; they start at "
               "what it says of them");
    put_remark(to, replay->unreadable, "lines can't be read and are left out");
    put_remark(to, replay->rows_left_out,
               "changes are of more rules than are kept apart");
}

/* --- for programs --- */

static json_t *counts_object(const uint64_t counts[CHANGE_COUNT])
{
    json_t *object = json_object();
    for (size_t i = 0; i < CHANGE_COUNT; i++)
        json_object_set_new(object, KEYS[i],
                            json_integer((json_int_t)counts[i]));
    return object;
}

static json_t *time_text(uint64_t us)
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;
    char text[64];
    if (gmtime_r(&seconds, &tm) == NULL)
        return json_null();
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + n, sizeof text - n, ".%06uZ", (unsigned)(us % 1000000));
    return json_string(text);
}

static json_t *users_array(const struct replay_row *row)
{
    const struct replay_user *top[BUSIEST];
    size_t count = replay_busiest(row, top, BUSIEST);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array,
                              json_pack("{s:s*, s:I}", "user", top[i]->name,
                                        "count", (json_int_t)top[i]->count));
    return array;
}

static json_t *examples_array(const struct replay_row *row)
{
    json_t *array = json_array();
    for (size_t i = 0; i < row->example_count; i++) {
        const struct replay_example *example = &row->examples[i];
        json_array_append_new(
            array, json_pack("{s:s, s:s*, s:s*, s:s*, s:s*}", "change",
                             KEYS[example->change], "id", example->id, "user",
                             example->user, "before", example->before, "after",
                             example->after));
    }
    return array;
}

static json_t *row_object(const struct replay_row *row)
{
    json_t *object = counts_object(row->counts);
    json_object_set_new(object, "rule", json_string(row->rule));
    json_object_set_new(object, "first", time_text(row->first_us));
    json_object_set_new(object, "last", time_text(row->last_us));
    json_object_set_new(object, "users", users_array(row));
    json_object_set_new(object, "examples", examples_array(row));
    return object;
}

static void set_number(json_t *object, const char *key, uint64_t value)
{
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void set_rows(json_t *object, const struct replay *replay)
{
    const struct replay_row **rows = sorted_rows(replay);
    json_t *array = json_array();
    for (size_t i = 0; rows != NULL && i < replay->row_count; i++)
        json_array_append_new(array, row_object(rows[i]));
    free(rows);
    json_object_set_new(object, "rules", array);
    array = json_array();
    for (size_t i = 0; i < replay->gap_count; i++)
        json_array_append_new(
            array, json_pack("{s:s*, s:s*, s:I}", "rule", replay->gaps[i].rule,
                             "fact", replay->gaps[i].fact, "times",
                             (json_int_t)replay->gaps[i].transactions));
    json_object_set_new(object, "missing_facts", array);
}

int replay_print_json(FILE *to, const struct replay *replay)
{
    json_t *object = counts_object(replay->counts);
    set_number(object, "transactions", replay->transactions);
    json_object_set_new(object, "from", time_text(replay->first_us));
    json_object_set_new(object, "to", time_text(replay->last_us));
    json_object_set_new(object, "sessions",
                        counts_object(replay->session_counts));
    set_number(object, "not_judged", replay->not_judged);
    set_number(object, "assumed", replay->assumed);
    set_number(object, "not_asked", replay->not_asked);
    set_number(object, "primed", replay->primed);
    set_number(object, "unreadable", replay->unreadable);
    set_rows(object, replay);
    int rc = json_dumpf(object, to, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    fputc('\n', to);
    json_decref(object);
    return rc;
}
