#include "proxy/command/terminal.h"

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

void terminal_write(const char *octets, size_t count)
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
    terminal_write(text, strlen(text));
}

static int enter(struct terminal *terminal)
{
    struct termios raw = terminal->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) != 0)
        return -1;
    say(ENTER);
    return 0;
}

static void leave(struct terminal *terminal)
{
    say(LEAVE);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal->before);
}

int terminal_take(struct terminal *terminal)
{
    sigset_t set;
    *terminal = (struct terminal){.signals = -1};
    if (tcgetattr(STDIN_FILENO, &terminal->before) != 0)
        return -1;
    watched_signals(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    terminal->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (terminal->signals < 0 || enter(terminal) != 0)
        return -1;
    terminal->is_taken = true;
    return 0;
}

void terminal_give_back(struct terminal *terminal)
{
    if (terminal->is_taken)
        leave(terminal);
    if (terminal->signals >= 0)
        close(terminal->signals);
    terminal->is_taken = false;
    terminal->signals = -1;
}

void terminal_size(size_t *columns, size_t *lines)
{
    struct winsize size = {0};
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    *columns = size.ws_col > 0 ? size.ws_col : COLUMNS;
    *lines = size.ws_row > 0 ? size.ws_row : LINES;
}

/* Whoever asked has the terminal as it was; here it goes on once the shell
 * says so. */
static void stop(struct terminal *terminal)
{
    leave(terminal);
    raise(SIGSTOP);
    (void)enter(terminal);
}

static enum terminal_event on_signal(struct terminal *terminal)
{
    struct signalfd_siginfo info;
    if (read(terminal->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return TERMINAL_REDRAW;
    switch (info.ssi_signo) {
    case SIGTSTP:
        stop(terminal);
        return TERMINAL_REDRAW;
    case SIGCONT:
    case SIGWINCH:
        return TERMINAL_REDRAW;
    default:
        return TERMINAL_END;
    }
}

enum terminal_event terminal_wait(struct terminal *terminal, int wait_ms,
                                  char *key)
{
    struct pollfd watched[] = {{.fd = terminal->signals, .events = POLLIN},
                               {.fd = STDIN_FILENO, .events = POLLIN}};
    int count = poll(watched, 2, wait_ms);
    if (count == 0 || (count < 0 && errno == EINTR))
        return TERMINAL_TIME;
    if (count < 0)
        return TERMINAL_END;
    if (watched[0].revents != 0)
        return on_signal(terminal);
    return read(STDIN_FILENO, key, 1) == 1 ? TERMINAL_KEY : TERMINAL_END;
}
