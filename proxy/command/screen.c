#include "proxy/command/screen.h"

#include <stdarg.h>
#include <string.h>

#include <uniwidth.h>

#include "proxy/log/printable.h"
#include "rules/base/utf8.h"

#define TEXT_MAX 1024
#define LEVELS 8

void screen_style(struct screen *screen, enum screen_style style)
{
    static const char *const CODES[] = {[STYLE_PLAIN] = "\x1b[0m",
                                        [STYLE_HEAD] = "\x1b[1m",
                                        [STYLE_BAD] = "\x1b[1;31m"};
    if (screen->has_styles && style != screen->style)
        fputs(CODES[style], screen->to);
    screen->style = style;
}

/* Columns of the character that text begins with, and its octets. Where
 * nothing beyond ASCII can be shown a mark stands for it. */
static size_t columns_of(const struct screen *screen, struct str text,
                         size_t *octets)
{
    uint32_t character = 0;
    *octets = utf8_next(text, &character);
    int width = uc_width(character, "UTF-8");
    if (*octets == 0) {
        *octets = 1;
        return 1;
    }
    return character >= 0x80 && !screen->has_symbols ? 1
           : width < 0                               ? 0
                                                     : (size_t)width;
}

static void put_character(struct screen *screen, struct str character)
{
    if (character.n > 1 && !screen->has_symbols)
        fputc('?', screen->to);
    else
        fwrite(character.p, 1, character.n, screen->to);
}

static size_t width_of(const struct screen *screen, struct str text)
{
    size_t width = 0, octets;
    for (; text.n > 0; text = str_skip(text, octets))
        width += columns_of(screen, text, &octets);
    return width;
}

/* At most so many columns; how many those were. */
static size_t put_columns(struct screen *screen, struct str text,
                          size_t columns)
{
    size_t used = 0, octets;
    for (; text.n > 0; text = str_skip(text, octets)) {
        size_t width = columns_of(screen, text, &octets);
        if (used + width > columns)
            break;
        put_character(screen, str_head(text, octets));
        used += width;
    }
    screen->column += used;
    return used;
}

static size_t room_left(const struct screen *screen)
{
    return screen->column < screen->width ? screen->width - screen->column : 0;
}

static struct str harmless(struct str text, char to[TEXT_MAX])
{
    return str_span(to, printable(text, to, TEXT_MAX));
}

void screen_put(struct screen *screen, struct str text)
{
    char shown[TEXT_MAX];
    (void)put_columns(screen, harmless(text, shown), room_left(screen));
}

void screen_printf(struct screen *screen, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    screen_put(screen, str_from(text));
}

static void fill(struct screen *screen, size_t columns)
{
    for (; columns > 0 && room_left(screen) > 0; columns--) {
        fputc(' ', screen->to);
        screen->column++;
    }
}

void screen_cell(struct screen *screen, struct str text, size_t columns,
                 bool is_right)
{
    char shown[TEXT_MAX];
    text = harmless(text, shown);
    if (columns > room_left(screen))
        columns = room_left(screen);
    size_t width = width_of(screen, text);
    if (width <= columns) {
        if (is_right)
            fill(screen, columns - width);
        (void)put_columns(screen, text, width);
        if (!is_right)
            fill(screen, columns - width);
    } else if (columns > 0) {
        size_t used = put_columns(screen, text, columns - 1);
        (void)put_columns(screen, STR("~"), 1);
        fill(screen, columns - 1 - used);
    }
}

/* 0 is nothing; anything else is seen. */
static size_t level_of(unsigned long long number, unsigned long long largest)
{
    if (number == 0)
        return 0;
    return 1 + (size_t)((double)number / (double)largest * (LEVELS - 1));
}

void screen_bars(struct screen *screen, const unsigned long long *numbers,
                 size_t count, size_t columns)
{
    static const char *const SYMBOLS[LEVELS + 1] = {" ", "▁", "▂", "▃", "▄",
                                                    "▅", "▆", "▇", "█"};
    static const char *const PLAIN[LEVELS + 1] = {".", "_", "-", "-", "=",
                                                  "=", "+", "*", "#"};
    unsigned long long largest = 1;
    if (columns > room_left(screen))
        columns = room_left(screen);
    size_t from = count > columns ? count - columns : 0;
    for (size_t i = from; i < count; i++)
        largest = numbers[i] > largest ? numbers[i] : largest;
    for (size_t i = from; i < count; i++) {
        size_t level = level_of(numbers[i], largest);
        fputs(screen->has_symbols ? SYMBOLS[level] : PLAIN[level], screen->to);
        screen->column++;
    }
    fill(screen, columns - (count - from));
}

bool screen_end_line(struct screen *screen)
{
    screen_style(screen, STYLE_PLAIN);
    if (screen->is_terminal)
        fputs("\x1b[K", screen->to);
    screen->column = 0;
    screen->lines_left--;
    /* Behind the last one the screen would roll. */
    if (!screen->is_terminal)
        fputc('\n', screen->to);
    else if (screen->lines_left > 0)
        fputs("\r\n", screen->to);
    return screen->lines_left > 0;
}
