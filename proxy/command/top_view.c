#include "proxy/command/top_view.h"

#include "proxy/command/overview_values.h"
#include "proxy/command/top_tables.h"
#include "rules/quantity.h"

/* --- numbers --- */

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

static unsigned long long
sum_of(const unsigned long long bars[OVERVIEW_MINUTES])
{
    unsigned long long sum = 0;
    for (size_t i = 0; i < OVERVIEW_MINUTES; i++)
        sum += bars[i];
    return sum;
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
    screen_put(screen, overview_text(overview, "hostname"));
    screen_style(screen, STYLE_PLAIN);
    screen_put(screen, STR("  up "));
    put_time(screen, overview_number(overview, "uptime_s") * 1000);
    screen_put(screen, STR("  version "));
    screen_put(screen, overview_text(overview, "version"));
    screen_put(screen, STR("  policy "));
    screen_put(screen,
               str_head(str_skip(overview_text(overview, "policy"), 7), 8));
    screen_put(screen, STR("  "));
    screen_put(screen, overview_clock(overview_text(overview, "time")));
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
    long long lost = overview_number(log, "lost");
    long long crashes =
        overview_number(json_object_get(overview, "processes"), "crashes");
    screen_printf(screen, "sessions %lld of %lld, %lld so far  memory ",
                  overview_number(sessions, "open"),
                  overview_number(sessions, "max"),
                  overview_number(sessions, "total"));
    put_octets(screen, overview_number(overview, "memory_bytes"));
    screen_printf(screen, "  lag %.1f ms (%.1f)  log %lld",
                  overview_real(lag, "last"), overview_real(lag, "max"),
                  overview_number(log, "lines"));
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
    unsigned long long bars[OVERVIEW_MINUTES];
    const json_t *minutes = json_object_get(overview, "minutes");
    overview_minutes(json_object_get(minutes, key), bars);
    screen_cell(screen, str_from(key), 7, false);
    screen_bars(screen, bars, OVERVIEW_MINUTES,
                screen->width > 54 ? screen->width - 44 : 10);
    screen_printf(screen, " %llu last hour, %llu last minute", sum_of(bars),
                  bars[OVERVIEW_MINUTES - 2]);
    return screen_end_line(screen);
}

static bool print_shadow(const json_t *overview, struct screen *screen)
{
    const json_t *shadow = json_object_get(overview, "shadow");
    const json_t *last = json_array_get(json_object_get(shadow, "recent"), 0);
    if (last == NULL)
        return true;
    screen_printf(screen, "shadow differs %lld times, last at ",
                  overview_number(shadow, "differences"));
    screen_put(screen, overview_clock(overview_text(last, "time")));
    screen_put(screen, STR("Z: "));
    screen_put(screen, overview_text(last, "live"));
    screen_put(screen, STR(" would be "));
    screen_put(screen, overview_text(last, "shadow"));
    if (overview_text(last, "rule").n > 0)
        screen_put(screen, STR(" by "));
    screen_put(screen, overview_text(last, "rule"));
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
                  top_sort_keys[view->sort],
                  view->filter[0] == '\0' ? "" : ": ", view->filter);
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
        top_tables_print(view, overview, screen);
}
