#include "proxy/metrics/metrics_text_internal.h"

/* Users that have a name here. */
#define USERS_TOLD 20

static void put_budgets(const struct metrics_text *t)
{
    static const char NAME[] = "postern_budgets";
    static const struct str NAMES[FULLNESS_COUNT] = {
        [FULLNESS_UNDER_50] = STR_INIT("under_50"),
        [FULLNESS_50_80] = STR_INIT("50_to_80"),
        [FULLNESS_80_100] = STR_INIT("80_to_100"),
        [FULLNESS_FULL] = STR_INIT("full"),
    };
    const struct settings *policy = snapshots_newest(t->c->snapshots);
    struct fullness_sum sum = budget_fullness_look(
        t->c->fullness, t->c->ledger, policy->rules, control_now_ms());
    settings_unref(policy);
    prometheus_family(t->to, NAME, "gauge",
                      "Budgets in use in this server's memory, by how many "
                      "percent of what may be used at once are; up to ten "
                      "seconds old. Those in limits.store are not among them.");
    for (size_t i = 0; i < FULLNESS_COUNT; i++) {
        const struct prometheus_label label = {"used", NAMES[i]};
        prometheus_count(t->to, NAME, &label, 1, sum.keys[i]);
    }
    metrics_text_count(t, "postern_budget_keys", "gauge",
                       "Budgets and distinct members that are in use in this "
                       "server's memory.",
                       sum.in_use);
    metrics_text_count(t, "postern_budget_keys_max", "gauge",
                       "How many this server's memory has room for.",
                       shared_ledger_max_keys(t->c->ledger));
}

/* Those who send most, and no others: a label for each login would not be
 * bounded. */
static void put_users(const struct metrics_text *t)
{
    static const struct {
        const char *name, *help;
        size_t offset;
    } ROWS[] = {
        {"postern_top_user_messages", "Messages accepted of a user.",
         offsetof(struct top_user, messages)},
        {"postern_top_user_recipients", "Recipients of these.",
         offsetof(struct top_user, recipients)},
        {"postern_top_user_refused", "Transactions refused or deferred.",
         offsetof(struct top_user, refused)},
    };
    struct top_sum sum;
    top_sum_init(&sum);
    (void)metrics_top_users(t->c->metrics, metrics_minute_of(t->wall_us), &sum);
    for (size_t row = 0; row < sizeof ROWS / sizeof *ROWS; row++) {
        char help[256];
        snprintf(help, sizeof help,
                 "%s The last fifty to sixty minutes, of the %d who send most.",
                 ROWS[row].help, USERS_TOLD);
        prometheus_family(t->to, ROWS[row].name, "gauge", help);
        for (size_t i = 0; i < sum.count && i < USERS_TOLD; i++) {
            const struct top_user *user = &sum.users[i];
            const struct prometheus_label label = {
                "user", str_span(user->name, user->name_length)};
            prometheus_count(
                t->to, ROWS[row].name, &label, 1,
                *(const uint64_t *)((const char *)user + ROWS[row].offset));
        }
    }
    top_sum_release(&sum);
}

/* What each question came to, and what was told without an answer. */
static void put_store_counts(const struct metrics_text *t,
                             const uint64_t *counts)
{
    static const char QUESTIONS[] = "postern_store_questions_total";
    static const enum store_count RESULTS[] = {
        STORE_WITHIN, STORE_EXCEEDED, STORE_LISTED, STORE_UNLISTED,
        STORE_AWAY,   STORE_FULL,     STORE_LATE,   STORE_BROKEN};
    prometheus_family(
        t->to, QUESTIONS, "counter",
        "Questions to the store, by what came: an answer (within, "
        "exceeded, listed, unlisted), or none (away, full, late, "
        "broken).");
    for (size_t i = 0; i < sizeof RESULTS / sizeof *RESULTS; i++) {
        const struct prometheus_label label = {
            "result", str_from(store_count_name(RESULTS[i]))};
        prometheus_count(t->to, QUESTIONS, &label, 1, counts[RESULTS[i]]);
    }
    metrics_text_count(
        t, "postern_store_told_total", "counter",
        "Commits, returns, renewals and changes of lists that were sent.",
        counts[STORE_TOLD]);
    metrics_text_count(
        t, "postern_store_lost_total", "counter",
        "Of these, what could not be kept while the store was away.",
        counts[STORE_LOST]);
    metrics_text_count(t, "postern_store_connects_total", "counter",
                       "Connections to the store.", counts[STORE_CONNECTS]);
    metrics_text_count(t, "postern_store_script_loads_total", "counter",
                       "Scripts that the store did not have.",
                       counts[STORE_LOADS]);
}

static void put_store(const struct metrics_text *t)
{
    static const char LATENCY_NAME[] = "postern_store_answer_seconds";
    bool is_memory = t->c->settings->limits.store == STORE_MEMORY;
    uint64_t counts[STORE_COUNTS] = {0};
    struct histogram_sum latency = {0};
    const struct prometheus_label label = {"kind", is_memory ? STR("memory")
                                                             : STR("redis")};
    prometheus_family(t->to, "postern_store_up", "gauge",
                      "1: the store of budgets and dynamic lists answers.");
    prometheus_count(t->to, "postern_store_up", &label, 1,
                     is_memory ||
                         metrics_has_store(t->c->metrics, t->c->workers));
    if (is_memory)
        return;
    metrics_store(t->c->metrics, counts, &latency);
    put_store_counts(t, counts);
    prometheus_family(t->to, LATENCY_NAME, "histogram",
                      "How long the store took to answer.");
    prometheus_histogram(t->to, LATENCY_NAME, NULL, 0, &latency,
                         &histogram_scale_work);
}

void metrics_text_budgets(const struct metrics_text *t)
{
    put_budgets(t);
    put_users(t);
    put_store(t);
}
