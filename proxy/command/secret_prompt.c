/* Octets are read one by one: standard input has no buffer of its own then,
 * in which a copy of the password could stay. */
#include "proxy/command/secret_prompt.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum key {
    KEY_INTERRUPT = 0x03,
    KEY_END = 0x04,
    KEY_BACK = 0x08,
    KEY_CLEAR = 0x15,
    KEY_DELETE = 0x7f
};

/* An octet, or -1 at the end. */
static int read_octet(void)
{
    unsigned char octet;
    ssize_t got;
    do
        got = read(STDIN_FILENO, &octet, 1);
    while (got < 0 && errno == EINTR);
    return got == 1 ? octet : -1;
}

/* A line; `edits`: the terminal leaves editing keys to us. */
static int read_line(char secret[SECRET_MAX], bool edits, bool *is_interrupted)
{
    size_t length = 0;
    bool fits = true;
    for (;;) {
        int octet = read_octet();
        if (octet < 0 && length == 0)
            return -1;
        if (octet < 0 || octet == '\n' || (edits && octet == '\r'))
            break;
        if (edits && (octet == KEY_INTERRUPT || octet == KEY_END)) {
            *is_interrupted = octet == KEY_INTERRUPT;
            return -1;
        }
        if (edits && (octet == KEY_BACK || octet == KEY_DELETE)) {
            length -= length > 0;
            continue;
        }
        if (edits && octet == KEY_CLEAR) {
            length = 0;
            continue;
        }
        if (octet == 0 || length == SECRET_MAX - 1)
            fits = false;
        else
            secret[length++] = (char)octet;
    }
    secret[length] = '\0';
    return fits ? 0 : -1;
}

/* The prompt comes once nothing is shown any more: whoever answers at once
 * would see the password else. The interrupt key is read as an octet, so that
 * the terminal shows what is typed again before the program ends. */
static int read_hidden(const char *prompt, char secret[SECRET_MAX],
                       const struct termios *before)
{
    struct termios hidden = *before;
    bool is_interrupted = false;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG);
    hidden.c_cc[VMIN] = 1;
    hidden.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) != 0)
        return -1;
    fputs(prompt, stderr);
    int result = read_line(secret, true, &is_interrupted);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, before);
    fputc('\n', stderr);
    if (is_interrupted)
        raise(SIGINT);
    return result;
}

int secret_prompt(const char *prompt, char secret[SECRET_MAX])
{
    struct termios before;
    bool is_interrupted = false;
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return read_line(secret, false, &is_interrupted);
    return read_hidden(prompt, secret, &before);
}
