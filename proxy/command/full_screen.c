#include "proxy/command/full_screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* The other screen, without a cursor and without wrapping. */
#define ENTER "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
#define LEAVE "\x1b[?7h\x1b[?25h\x1b[?1049l"
#define COLUMNS 80
#define LINES 24

static void watched_signals(sigset_t *set)
{
    static const int SIGNALS[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
                                  SIGTSTP, SIGCONT, SIGWINCH};
    sigemptyset(set);
    for (size_t i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++)
        sigaddset(set, SIGNALS[i]);
}

void full_screen_write(const char *octets, size_t count)
{
    while (count > 0) {
        ssize_t put = write(STDOUT_FILENO, octets, count);
        struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (put > 0) {
            octets += put;
            count -= (size_t)put;
        } else if (put < 0 && errno == EAGAIN) {
            (void)poll(&out, 1, 1000);
        } else if (put == 0 || errno != EINTR) {
            return;
        }
    }
}

static void say(const char *text)
{
    full_screen_write(text, strlen(text));
}

static int enter(struct full_screen *screen)
{
    struct termios raw = screen->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) != 0)
        return -1;
    say(ENTER);
    return 0;
}

static void leave(struct full_screen *screen)
{
    say(LEAVE);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &screen->before);
}

int full_screen_take(struct full_screen *screen)
{
    sigset_t set;
    *screen = (struct full_screen){.signals = -1};
    if (tcgetattr(STDIN_FILENO, &screen->before) != 0)
        return -1;
    watched_signals(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    screen->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (screen->signals < 0 || enter(screen) != 0)
        return -1;
    screen->is_taken = true;
    return 0;
}

void full_screen_give_back(struct full_screen *screen)
{
    if (screen->is_taken)
        leave(screen);
    if (screen->signals >= 0)
        close(screen->signals);
    screen->is_taken = false;
    screen->signals = -1;
}

void full_screen_size(size_t *columns, size_t *lines)
{
    struct winsize size = {0};
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    *columns = size.ws_col > 0 ? size.ws_col : COLUMNS;
    *lines = size.ws_row > 0 ? size.ws_row : LINES;
}

/* Whoever asked has the terminal as it was; here it goes on once the shell
 * says so. */
static void stop(struct full_screen *screen)
{
    leave(screen);
    raise(SIGSTOP);
    (void)enter(screen);
}

static enum full_screen_event on_signal(struct full_screen *screen)
{
    struct signalfd_siginfo info;
    if (read(screen->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return FULL_SCREEN_REDRAW;
    switch (info.ssi_signo) {
    case SIGTSTP:
        stop(screen);
        return FULL_SCREEN_REDRAW;
    case SIGCONT:
    case SIGWINCH:
        return FULL_SCREEN_REDRAW;
    default:
        return FULL_SCREEN_END;
    }
}

enum full_screen_event full_screen_wait(struct full_screen *screen, int wait_ms,
                                        char *key)
{
    struct pollfd watched[] = {{.fd = screen->signals, .events = POLLIN},
                               {.fd = STDIN_FILENO, .events = POLLIN}};
    int count = poll(watched, 2, wait_ms);
    if (count == 0 || (count < 0 && errno == EINTR))
        return FULL_SCREEN_TIME;
    if (count < 0)
        return FULL_SCREEN_END;
    if (watched[0].revents != 0)
        return on_signal(screen);
    return read(STDIN_FILENO, key, 1) == 1 ? FULL_SCREEN_KEY : FULL_SCREEN_END;
}
