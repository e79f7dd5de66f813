#include "proxy/command/top_view.h"

#include <string.h>

#include "rules/quantity.h"

/* A budget that drains while it is looked at is as good as used up. */
#define NEARLY_FULL 0.95
#define BARS 60
#define COLUMNS_MAX 8
/* Of a name, where all else has its place. */
#define NAME_LEAST 16

/* --- numbers and texts --- */

static long long number_at(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static double real_at(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static struct str text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return str_from(text == NULL ? "" : text);
}

static void put_octets(struct screen *screen, long long octets)
{
    static const char UNITS[] = "KMGT";
    double value = (double)octets / 1024.0;
    size_t unit = 0;
    for (; value >= 1024.0 && unit + 2 < sizeof UNITS; unit++)
        value /= 1024.0;
    screen_printf(screen, "%.1f%c", value, UNITS[unit]);
}

static void put_time(struct screen *screen, long long ms)
{
    struct arena arena;
    arena_init(&arena, 4096);
    screen_put(screen, quantity_wait_text(&arena, ms > 0 ? (uint64_t)ms : 0));
    arena_release(&arena);
}

/* "2026-01-05T09:30:01.123456Z" → "09:30:01" */
static struct str clock_of(struct str time)
{
    return time.n < 19 ? time : str_head(str_skip(time, 11), 8);
}

static void read_bars(const json_t *list, unsigned long long bars[BARS])
{
    for (size_t i = 0; i < BARS; i++)
        bars[i] =
            (unsigned long long)json_integer_value(json_array_get(list, i));
}

static unsigned long long sum_of(const unsigned long long bars[BARS])
{
    unsigned long long sum = 0;
    for (size_t i = 0; i < BARS; i++)
        sum += bars[i];
    return sum;
}

/* --- tables --- */

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

/* --- the head --- */

static bool print_away(const struct top_view *view, struct screen *screen)
{
    screen_style(screen, STYLE_BAD);
    screen_printf(screen, "No server answers: %s. It is asked again.",
                  view->away);
    return screen_end_line(screen);
}

static bool print_title(const struct top_view *view, const json_t *overview,
                        struct screen *screen)
{
    screen_style(screen, STYLE_HEAD);
    screen_put(screen, STR("postern "));
    screen_put(screen, text_at(overview, "hostname"));
    screen_style(screen, STYLE_PLAIN);
    screen_put(screen, STR("  up "));
    put_time(screen, number_at(overview, "uptime_s") * 1000);
    screen_put(screen, STR("  version "));
    screen_put(screen, text_at(overview, "version"));
    screen_put(screen, STR("  policy "));
    screen_put(screen, str_head(str_skip(text_at(overview, "policy"), 7), 8));
    screen_put(screen, STR("  "));
    screen_put(screen, clock_of(text_at(overview, "time")));
    screen_put(screen, STR("Z"));
    if (view->is_paused)
        screen_put(screen, STR("  paused"));
    return screen_end_line(screen);
}

static bool print_server(const json_t *overview, struct screen *screen)
{
    const json_t *sessions = json_object_get(overview, "sessions");
    const json_t *lag = json_object_get(overview, "loop_lag_ms");
    const json_t *log = json_object_get(overview, "log");
    long long lost = number_at(log, "lost");
    long long crashes =
        number_at(json_object_get(overview, "processes"), "crashes");
    screen_printf(screen, "sessions %lld of %lld, %lld so far  memory ",
                  number_at(sessions, "open"), number_at(sessions, "max"),
                  number_at(sessions, "total"));
    put_octets(screen, number_at(overview, "memory_bytes"));
    screen_printf(screen, "  lag %.1f ms (%.1f)  log %lld",
                  real_at(lag, "last"), real_at(lag, "max"),
                  number_at(log, "lines"));
    screen_style(screen, lost > 0 ? STYLE_BAD : STYLE_PLAIN);
    screen_printf(screen, ", %lld lost", lost);
    if (crashes > 0) {
        screen_style(screen, STYLE_BAD);
        screen_printf(screen, "  crashes %lld", crashes);
    }
    return screen_end_line(screen);
}

/* The last hour, and beside it its sum and the minute before this one. */
static bool print_minutes(const json_t *overview, const char *key,
                          struct screen *screen)
{
    unsigned long long bars[BARS];
    const json_t *minutes = json_object_get(overview, "minutes");
    read_bars(json_object_get(minutes, key), bars);
    screen_cell(screen, str_from(key), 7, false);
    screen_bars(screen, bars, BARS,
                screen->width > 54 ? screen->width - 44 : 10);
    screen_printf(screen, " %llu last hour, %llu last minute", sum_of(bars),
                  bars[BARS - 2]);
    return screen_end_line(screen);
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
    struct str upstream = text_at(row, "upstream");
    struct str server = text_at(row, "server");
    snprintf(cells[0], 256, "%.*s %.*s", (int)upstream.n, upstream.p,
             (int)server.n, server.p);
    cell_text(cells[1], json_is_true(json_object_get(row, "up")) ? STR("up")
                                                                 : STR("DOWN"));
    snprintf(cells[2], 256, "%.1f", real_at(latency, "p50"));
    snprintf(cells[3], 256, "%.1f", real_at(latency, "p99"));
    cell_number(cells[4], number_at(row, "in_use"));
    cell_number(cells[5], number_at(row, "idle"));
    cell_text(cells[6], clock_of(text_at(row, "since")));
    return json_is_true(json_object_get(row, "up"));
}

/* --- rules --- */

static const struct column RULE_COLUMNS[] = {
    {"RULE", 0, false},  {"DID", 6, false}, {"HOUR", 8, true},
    {"STAGE", 7, false}, {"ALL", 9, true},  {"LAST 30 MINUTES", 30, false},
};

static bool fill_rule(const json_t *row, char cells[][256])
{
    cell_text(cells[0], text_at(row, "rule"));
    cell_text(cells[1], text_at(row, "did"));
    cell_number(cells[2], number_at(row, "hour"));
    cell_text(cells[3], text_at(row, "stage"));
    cell_number(cells[4], number_at(row, "total"));
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
    double max = (double)number_at(budget, "max");
    double taken =
        (double)(number_at(budget, "used") + number_at(budget, "held"));
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
    cell_text(cells[0], text_at(row, "user"));
    cell_number(cells[1], number_at(row, "messages"));
    cell_number(cells[2], number_at(row, "recipients"));
    cell_number(cells[3], number_at(row, "refused"));
    cells[4][0] = cells[5][0] = '\0';
    if (budget == NULL)
        return true;
    snprintf(cells[4], 256, "%lld/%lld",
             number_at(budget, "used") + number_at(budget, "held"),
             number_at(budget, "max"));
    cell_text(cells[5], text_at(budget, "rule"));
    return share_of(budget) < NEARLY_FULL;
}

static const char *const SORT_KEYS[TOP_SORTS] = {
    [TOP_BY_SENT] = "recipients",
    [TOP_BY_MESSAGES] = "messages",
    [TOP_BY_REFUSED] = "refused",
};

/* Few rows, and most of them in order already. */
static void sort_users(const struct top_view *view, json_t *users)
{
    const char *key = SORT_KEYS[view->sort];
    for (size_t i = 1; i < json_array_size(users); i++)
        for (size_t j = i;
             j > 0 && number_at(json_array_get(users, j), key) >
                          number_at(json_array_get(users, j - 1), key);
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
    unsigned long long bars[BARS];
    bool is_fine = table->fill(row, cells);
    const json_t *minutes = json_object_get(row, "minutes");
    screen_style(screen, is_fine ? STYLE_PLAIN : STYLE_BAD);
    for (size_t i = 0; i < table->count; i++) {
        if (i > 0)
            screen_put(screen, STR("  "));
        if (i + 1 == sizeof RULE_COLUMNS / sizeof *RULE_COLUMNS &&
            minutes != NULL) {
            read_bars(minutes, bars);
            screen_bars(screen, bars, BARS, width_of(table, i));
            continue;
        }
        screen_cell(screen, str_from(cells[i]), width_of(table, i),
                    table->columns[i].is_right);
    }
}

/* Of an upstream's server that is down, in a line of its own. */
static bool print_error(const json_t *row, struct screen *screen)
{
    struct str error = text_at(row, "error");
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
        if (!is_wanted(view, text_at(row, name)))
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
static bool print_tables(const struct top_view *view, json_t *overview,
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
        return false;
    size_t rest = screen->lines_left;
    return print_table(&rules, view, json_object_get(overview, "rules"), "rule",
                       rest > 8 ? rest / 2 - 2 : 2, screen) &&
           print_table(&users, view, all_users, "user", rest, screen);
}

static bool print_shadow(const json_t *overview, struct screen *screen)
{
    const json_t *shadow = json_object_get(overview, "shadow");
    const json_t *last = json_array_get(json_object_get(shadow, "recent"), 0);
    if (last == NULL)
        return true;
    screen_printf(screen, "shadow differs %lld times, last at ",
                  number_at(shadow, "differences"));
    screen_put(screen, clock_of(text_at(last, "time")));
    screen_put(screen, STR("Z: "));
    screen_put(screen, text_at(last, "live"));
    screen_put(screen, STR(" would be "));
    screen_put(screen, text_at(last, "shadow"));
    if (text_at(last, "rule").n > 0)
        screen_put(screen, STR(" by "));
    screen_put(screen, text_at(last, "rule"));
    return screen_end_line(screen);
}

static bool print_keys(const struct top_view *view, struct screen *screen)
{
    if (view->is_typing) {
        screen_style(screen, STYLE_HEAD);
        screen_printf(screen, "names with: %s_", view->filter);
        return screen_end_line(screen);
    }
    screen_printf(screen, "q quit  s users by %s  / names with%s%s  p pause",
                  SORT_KEYS[view->sort], view->filter[0] == '\0' ? "" : ": ",
                  view->filter);
    return screen_end_line(screen);
}

void top_view_print(const struct top_view *view, json_t *overview,
                    struct screen *screen)
{
    if (view->away != NULL && !print_away(view, screen))
        return;
    if (overview == NULL) {
        if (screen->is_terminal)
            (void)print_keys(view, screen);
        return;
    }
    if (!print_title(view, overview, screen) ||
        !print_server(overview, screen) ||
        !print_minutes(overview, "accept", screen) ||
        !print_minutes(overview, "reject", screen) ||
        !print_minutes(overview, "defer", screen) ||
        !print_shadow(overview, screen))
        return;
    if (screen->is_terminal && !print_keys(view, screen))
        return;
    if (screen_end_line(screen))
        (void)print_tables(view, overview, screen);
}
