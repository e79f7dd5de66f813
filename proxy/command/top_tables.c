#include "proxy/command/top_tables.h"

#include <string.h>

#include "proxy/command/overview_values.h"

/* A budget that drains while it is looked at is as good as used up. */
#define NEARLY_FULL 0.95
#define COLUMNS_MAX 8
/* Of a name, where all else has its place. */
#define NAME_LEAST 16

struct column {
    const char *title;
    size_t width; /* 0: of the name, which takes what is left */
    bool is_right;
};

struct table {
    const struct column *columns;
    size_t count;
    size_t name_width;
    /* Writes the cells of one row; false: it is not shown. */
    bool (*fill)(const json_t *row, char cells[][256]);
};

/* The last columns are left out where there is no room. */
static void fit(struct table *table, size_t width)
{
    for (;;) {
        size_t taken = 0;
        for (size_t i = 0; i < table->count; i++)
            taken += table->columns[i].width + (i > 0 ? 2 : 0);
        if (taken + NAME_LEAST <= width || table->count == 1) {
            table->name_width = taken < width ? width - taken : 1;
            return;
        }
        table->count--;
    }
}

static size_t width_of(const struct table *table, size_t column)
{
    size_t width = table->columns[column].width;
    return width > 0 ? width : table->name_width;
}

static bool print_head(const struct table *table, struct screen *screen)
{
    screen_style(screen, STYLE_HEAD);
    for (size_t i = 0; i < table->count; i++) {
        if (i > 0)
            screen_put(screen, STR("  "));
        screen_cell(screen, str_from(table->columns[i].title),
                    width_of(table, i), table->columns[i].is_right);
    }
    return screen_end_line(screen);
}

static bool is_wanted(const struct top_view *view, struct str name)
{
    return view->filter[0] == '\0' ||
           memmem(name.p, name.n, view->filter, strlen(view->filter)) != NULL;
}

static void cell_text(char *cell, struct str text)
{
    struct str head = str_head(text, 255);
    memcpy(cell, head.p, head.n);
    cell[head.n] = '\0';
}

static void cell_number(char *cell, long long number)
{
    snprintf(cell, 256, "%lld", number);
}

/* --- upstreams --- */

static const struct column UPSTREAM_COLUMNS[] = {
    {"SERVER", 0, false}, {"STATE", 5, false}, {"P50 ms", 7, true},
    {"P99 ms", 7, true},  {"IN USE", 6, true}, {"IDLE", 5, true},
    {"SINCE", 8, false},
};

static bool fill_upstream(const json_t *row, char cells[][256])
{
    const json_t *latency = json_object_get(row, "latency_ms");
    struct str upstream = overview_text(row, "upstream");
    struct str server = overview_text(row, "server");
    snprintf(cells[0], 256, "%.*s %.*s", (int)upstream.n, upstream.p,
             (int)server.n, server.p);
    cell_text(cells[1], json_is_true(json_object_get(row, "up")) ? STR("up")
                                                                 : STR("DOWN"));
    snprintf(cells[2], 256, "%.1f", overview_real(latency, "p50"));
    snprintf(cells[3], 256, "%.1f", overview_real(latency, "p99"));
    cell_number(cells[4], overview_number(row, "in_use"));
    cell_number(cells[5], overview_number(row, "idle"));
    cell_text(cells[6], overview_clock(overview_text(row, "since")));
    return json_is_true(json_object_get(row, "up"));
}

/* --- rules --- */

static const struct column RULE_COLUMNS[] = {
    {"RULE", 0, false},  {"DID", 6, false}, {"HOUR", 8, true},
    {"STAGE", 7, false}, {"ALL", 9, true},  {"LAST 30 MINUTES", 30, false},
};

static bool fill_rule(const json_t *row, char cells[][256])
{
    cell_text(cells[0], overview_text(row, "rule"));
    cell_text(cells[1], overview_text(row, "did"));
    cell_number(cells[2], overview_number(row, "hour"));
    cell_text(cells[3], overview_text(row, "stage"));
    cell_number(cells[4], overview_number(row, "total"));
    cells[5][0] = '\0';
    return true;
}

/* --- users --- */

static const struct column USER_COLUMNS[] = {
    {"USER", 0, false},           {"MESSAGES", 8, true},
    {"RECIPIENTS", 10, true},     {"REFUSED", 7, true},
    {"FULLEST BUDGET", 14, true}, {"OF RULE", 30, false},
};

static double share_of(const json_t *budget)
{
    double max = (double)overview_number(budget, "max");
    double taken = (double)(overview_number(budget, "used") +
                            overview_number(budget, "held"));
    return max > 0.0 ? taken / max : 0.0;
}

static const json_t *fullest(const json_t *budgets)
{
    const json_t *best = json_array_get(budgets, 0);
    for (size_t i = 1; i < json_array_size(budgets); i++) {
        const json_t *budget = json_array_get(budgets, i);
        if (share_of(budget) > share_of(best))
            best = budget;
    }
    return best;
}

static bool fill_user(const json_t *row, char cells[][256])
{
    const json_t *budget = fullest(json_object_get(row, "budgets"));
    cell_text(cells[0], overview_text(row, "user"));
    cell_number(cells[1], overview_number(row, "messages"));
    cell_number(cells[2], overview_number(row, "recipients"));
    cell_number(cells[3], overview_number(row, "refused"));
    cells[4][0] = cells[5][0] = '\0';
    if (budget == NULL)
        return true;
    snprintf(cells[4], 256, "%lld/%lld",
             overview_number(budget, "used") + overview_number(budget, "held"),
             overview_number(budget, "max"));
    cell_text(cells[5], overview_text(budget, "rule"));
    return share_of(budget) < NEARLY_FULL;
}

const char *const top_sort_keys[TOP_SORTS] = {
    [TOP_BY_SENT] = "recipients",
    [TOP_BY_MESSAGES] = "messages",
    [TOP_BY_REFUSED] = "refused",
};

/* Few rows, and most of them in order already. */
static void sort_users(const struct top_view *view, json_t *users)
{
    const char *key = top_sort_keys[view->sort];
    for (size_t i = 1; i < json_array_size(users); i++)
        for (size_t j = i;
             j > 0 && overview_number(json_array_get(users, j), key) >
                          overview_number(json_array_get(users, j - 1), key);
             j--) {
            json_t *one = json_incref(json_array_get(users, j));
            json_array_set(users, j, json_array_get(users, j - 1));
            json_array_set_new(users, j - 1, one);
        }
}

/* --- rows --- */

static void print_row(const struct table *table, const json_t *row,
                      struct screen *screen)
{
    char cells[COLUMNS_MAX][256];
    unsigned long long bars[OVERVIEW_MINUTES];
    bool is_fine = table->fill(row, cells);
    const json_t *minutes = json_object_get(row, "minutes");
    screen_style(screen, is_fine ? STYLE_PLAIN : STYLE_BAD);
    for (size_t i = 0; i < table->count; i++) {
        if (i > 0)
            screen_put(screen, STR("  "));
        if (i + 1 == sizeof RULE_COLUMNS / sizeof *RULE_COLUMNS &&
            minutes != NULL) {
            overview_minutes(minutes, bars);
            screen_bars(screen, bars, OVERVIEW_MINUTES, width_of(table, i));
            continue;
        }
        screen_cell(screen, str_from(cells[i]), width_of(table, i),
                    table->columns[i].is_right);
    }
}

/* Of an upstream's server that is down, in a line of its own. */
static bool print_error(const json_t *row, struct screen *screen)
{
    struct str error = overview_text(row, "error");
    if (error.n == 0)
        return true;
    screen_put(screen, STR("    "));
    screen_put(screen, error);
    return screen_end_line(screen);
}

static bool print_table(struct table *table, const struct top_view *view,
                        const json_t *rows, const char *name, size_t most,
                        struct screen *screen)
{
    size_t i, shown = 0;
    const json_t *row;
    fit(table, screen->width);
    if (!print_head(table, screen))
        return false;
    json_array_foreach(rows, i, row)
    {
        if (shown == most)
            break;
        if (!is_wanted(view, overview_text(row, name)))
            continue;
        shown++;
        print_row(table, row, screen);
        if (!screen_end_line(screen) || !print_error(row, screen))
            return false;
    }
    return screen_end_line(screen);
}

#define TABLE(columns, fill_row)                                               \
    (struct table)                                                             \
    {                                                                          \
        columns, sizeof columns / sizeof *columns, 0, fill_row                 \
    }

/* Upstreams get up to a third of the room, rules half of the rest. */
void top_tables_print(const struct top_view *view, json_t *overview,
                      struct screen *screen)
{
    struct table upstreams = TABLE(UPSTREAM_COLUMNS, fill_upstream);
    struct table rules = TABLE(RULE_COLUMNS, fill_rule);
    struct table users = TABLE(USER_COLUMNS, fill_user);
    json_t *all_users = json_object_get(overview, "users");
    struct top_view all = *view;
    all.filter[0] = '\0';
    sort_users(view, all_users);
    if (json_array_size(json_object_get(overview, "upstreams")) > 0 &&
        !print_table(&upstreams, &all, json_object_get(overview, "upstreams"),
                     "server", screen->lines_left / 3, screen))
        return;
    size_t rest = screen->lines_left;
    if (print_table(&rules, view, json_object_get(overview, "rules"), "rule",
                    rest > 8 ? rest / 2 - 2 : 2, screen))
        (void)print_table(&users, view, all_users, "user", rest, screen);
}
