#include "proxy/command/top.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config/control_path.h"
#include "proxy/command/config_option.h"
#include "proxy/command/subcommands.h"
#include "proxy/command/full_screen.h"
#include "proxy/command/top_view.h"
#include "proxy/control/control_client.h"
#include "proxy/log/terminal.h"

#define SECONDS_MAX 3600
/* A server that hangs is away. */
#define PATIENCE_MS 2000
#define PLAIN_WIDTH 120
#define ESCAPE '\x1b'
#define BACKSPACE '\x7f'

struct options {
    const char *config;
    uint64_t seconds;
    bool is_once, is_json, is_metrics;
};

struct top {
    const char *path; /* of the control socket */
    struct full_screen screen;
    struct top_view view;
    json_t *overview; /* the last that came; NULL: none */
    char away[256];
    uint64_t every_ms, due_ms;
};

static int read_seconds(struct options *options, int argc, char **argv, int *i)
{
    const char *word = ++*i < argc ? argv[*i] : "";
    if (str_to_u64(str_from(word), &options->seconds) != 0 ||
        options->seconds == 0 || options->seconds > SECONDS_MAX)
        return subcommand_misuse("top", "-d needs 1 to 3600 seconds", NULL);
    return EXIT_FINE;
}

static int read_option(void *owner, int argc, char **argv, int *i)
{
    struct options *options = owner;
    if (strcmp(argv[*i], "-d") == 0)
        return read_seconds(options, argc, argv, i);
    if (strcmp(argv[*i], "--once") == 0)
        options->is_once = true;
    else if (strcmp(argv[*i], "--json") == 0)
        options->is_json = true;
    else if (strcmp(argv[*i], "--metrics") == 0)
        options->is_metrics = true;
    else
        return subcommand_misuse("top",
                                 argv[*i][0] == '-' ? "there is no option"
                                                    : "write -c before the "
                                                      "file",
                                 argv[*i]);
    return EXIT_FINE;
}

/* --- once --- */

static bool has_symbols(void)
{
    static const char *const NAMES[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const char *value = getenv(NAMES[i]);
        if (value != NULL && value[0] != '\0')
            return strcasestr(value, "utf-8") != NULL ||
                   strcasestr(value, "utf8") != NULL;
    }
    return false;
}

static void print_plain(json_t *overview)
{
    const struct top_view view = {0};
    struct screen screen = {.to = stdout,
                            .width = PLAIN_WIDTH,
                            .lines_left = SIZE_MAX,
                            .has_symbols = has_symbols()};
    if (isatty(STDOUT_FILENO)) {
        size_t lines;
        full_screen_size(&screen.width, &lines);
    }
    top_view_print(&view, overview, &screen);
}

static void print_reply(const struct options *options, json_t *reply)
{
    const char *text = json_string_value(json_object_get(reply, "text"));
    if (options->is_metrics) {
        fputs(text == NULL ? "" : text, stdout);
    } else if (options->is_json) {
        json_dumpf(reply, stdout, JSON_COMPACT);
        putchar('\n');
    } else {
        print_plain(reply);
    }
}

static int show_once(const struct options *options)
{
    json_t *reply;
    enum control_end end = control_ask(
        "top", options->config,
        json_pack("{s:s}", "do", options->is_metrics ? "metrics" : "overview"),
        &reply);
    if (end == CONTROL_ANSWERED)
        print_reply(options, reply);
    json_decref(reply);
    if (end == CONTROL_UNREADABLE)
        return EXIT_CONFIG;
    return end == CONTROL_ANSWERED ? EXIT_FINE : EXIT_FOUND;
}

/* --- again and again --- */

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What came last stays on the screen while nobody answers. */
static void ask(struct top *top)
{
    json_t *request = json_pack("{s:s}", "do", "overview");
    json_t *reply = control_try(top->path, request, PATIENCE_MS, top->away,
                                sizeof top->away);
    json_decref(request);
    top->view.away = reply == NULL ? top->away : NULL;
    if (reply == NULL)
        return;
    json_decref(top->overview);
    top->overview = reply;
}

/* One write, so that nothing flickers. */
static void draw(struct top *top)
{
    char *text = NULL;
    size_t octets = 0;
    struct screen screen = {.to = open_memstream(&text, &octets),
                            .is_terminal = true,
                            .has_styles = terminal_takes_colour(STDOUT_FILENO),
                            .has_symbols = has_symbols()};
    if (screen.to == NULL)
        return;
    full_screen_size(&screen.width, &screen.lines_left);
    fputs("\x1b[H", screen.to);
    top_view_print(&top->view, top->overview, &screen);
    if (screen.lines_left > 0)
        fputs("\x1b[J", screen.to);
    if (fclose(screen.to) == 0)
        full_screen_write(text, octets);
    free(text);
}

/* Without its last character, of as many octets as that has. */
static size_t shortened(const char *text, size_t length)
{
    while (length > 0 && ((unsigned char)text[length - 1] & 0xc0) == 0x80)
        length--;
    return length > 0 ? length - 1 : 0;
}

static void type(struct top_view *view, char key)
{
    size_t length = strlen(view->filter);
    if (key == '\r' || key == '\n') {
        view->is_typing = false;
    } else if (key == ESCAPE) {
        view->is_typing = false;
        view->filter[0] = '\0';
    } else if (key == BACKSPACE || key == '\b') {
        view->filter[shortened(view->filter, length)] = '\0';
    } else if ((unsigned char)key >= ' ' && length + 1 < sizeof view->filter) {
        view->filter[length] = key;
        view->filter[length + 1] = '\0';
    }
}

/* False: that is enough. */
static bool obey(struct top *top, char key)
{
    struct top_view *view = &top->view;
    if (view->is_typing) {
        type(view, key);
        return true;
    }
    switch (key) {
    case 'q':
        return false;
    case 's':
        view->sort = (view->sort + 1) % TOP_SORTS;
        break;
    case '/':
        view->is_typing = true;
        break;
    case ESCAPE:
        view->filter[0] = '\0';
        break;
    case 'p':
        view->is_paused = !view->is_paused;
        break;
    }
    return true;
}

static void ask_if_due(struct top *top)
{
    uint64_t now = now_ms();
    if (now < top->due_ms)
        return;
    if (!top->view.is_paused)
        ask(top);
    top->due_ms = now_ms() + top->every_ms;
}

static int wait_ms(const struct top *top)
{
    uint64_t now = now_ms();
    return top->due_ms > now ? (int)(top->due_ms - now) : 0;
}

static void live(struct top *top)
{
    char key;
    for (;;) {
        ask_if_due(top);
        draw(top);
        switch (full_screen_wait(&top->screen, wait_ms(top), &key)) {
        case FULL_SCREEN_TIME:
        case FULL_SCREEN_REDRAW:
            break;
        case FULL_SCREEN_KEY:
            if (obey(top, key))
                break;
            return;
        case FULL_SCREEN_END:
            return;
        }
    }
}

static int show_again(const struct options *options, const char *path)
{
    struct top top = {.path = path, .every_ms = options->seconds * 1000};
    if (full_screen_take(&top.screen) != 0) {
        perror("postern top: the terminal can't be used");
        full_screen_give_back(&top.screen);
        return EXIT_FOUND;
    }
    live(&top);
    full_screen_give_back(&top.screen);
    json_decref(top.overview);
    return EXIT_FINE;
}

static int show(const struct options *options)
{
    struct arena arena;
    struct diags diags;
    arena_init(&arena, 65536);
    diags_init(&diags);
    const char *path = config_control_path(options->config, &arena, &diags);
    diags_print(&diags, stderr);
    int code = path == NULL ? EXIT_CONFIG : show_again(options, path);
    diags_release(&diags);
    arena_release(&arena);
    return code;
}

int command_top(int argc, char **argv)
{
    struct options options = {.config = DEFAULT_CONFIG, .seconds = 1};
    if (config_option_read(argc, argv, &options.config, read_option,
                           &options) != EXIT_FINE)
        return EXIT_USAGE;
    if (options.is_once || options.is_json || options.is_metrics ||
        !terminal_takes_pictures(STDOUT_FILENO) || !isatty(STDIN_FILENO))
        return show_once(&options);
    return show(&options);
}
