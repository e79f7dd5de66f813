/* In the handler only what a signal may interrupt: no allocation, no lock, no
 * formatting of the C library. backtrace() is called once before, as its first
 * call loads a library. */
#include "proxy/crash_trace.h"

#include "proxy/confine/syscall_rows.h"

#include <execinfo.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_OCTETS ((size_t)64 * 1024)
#define FRAMES_MAX 64
#define LINE_OCTETS 256
#define MARK UINT64_C(0x6372617368737461)

/* At the low end of its stack, which grows down from the other. */
struct crash_stack {
    uint64_t mark;
    int fd;
    const char *role;
};

struct line {
    char text[LINE_OCTETS];
    size_t n;
};

struct number_name {
    int number;
    const char *name;
};

static const struct number_name faults[] = {
#if !CONFINE_SANITIZED
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
    {SIGILL, "SIGILL"},   {SIGABRT, "SIGABRT"},
#endif
    {SIGSYS, "SIGSYS"},
};

/* Of those that end a confined process; others are told by number. */
static const struct number_name calls[] = {
    {SYS_execve, "execve"},
    {SYS_execveat, "execveat"},
    {SYS_clone, "clone"},
    {SYS_ptrace, "ptrace"},
    {SYS_process_vm_readv, "process_vm_readv"},
    {SYS_process_vm_writev, "process_vm_writev"},
    {SYS_kill, "kill"},
    {SYS_tgkill, "tgkill"},
    {SYS_bind, "bind"},
    {SYS_listen, "listen"},
    {SYS_socket, "socket"},
    {SYS_ioctl, "ioctl"},
    {SYS_prctl, "prctl"},
    {SYS_rt_sigaction, "rt_sigaction"},
    {SYS_setuid, "setuid"},
    {SYS_setresuid, "setresuid"},
    {SYS_setgroups, "setgroups"},
    {SYS_capset, "capset"},
    {SYS_mount, "mount"},
    {SYS_unshare, "unshare"},
    {SYS_setns, "setns"},
    {SYS_bpf, "bpf"},
    {SYS_keyctl, "keyctl"},
    {SYS_perf_event_open, "perf_event_open"},
    {SYS_io_uring_setup, "io_uring_setup"},
};

static const char *name_of(const struct number_name *names, size_t count,
                           int number)
{
    for (size_t i = 0; i < count; i++)
        if (names[i].number == number)
            return names[i].name;
    return NULL;
}

static void put(struct line *line, const char *text)
{
    while (*text != '\0' && line->n < LINE_OCTETS)
        line->text[line->n++] = *text++;
}

static void put_number(struct line *line, uint64_t number, unsigned base)
{
    char digits[24];
    size_t n = sizeof digits - 1;
    digits[n] = '\0';
    do {
        digits[--n] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    put(line, digits + n);
}

static void put_details(struct line *line, const siginfo_t *info)
{
    int signal_number = info->si_signo;
    if (signal_number == SIGSYS) {
        const char *name =
            name_of(calls, sizeof calls / sizeof *calls, info->si_syscall);
        put(line, ", system call ");
        put_number(line, (unsigned)info->si_syscall, 10);
        put(line, name == NULL ? "" : " ");
        put(line, name == NULL ? "" : name);
    } else if (signal_number != SIGABRT && info->si_code > 0) {
        put(line, " at 0x");
        put_number(line, (uintptr_t)info->si_addr, 16);
    }
}

static void write_line(int fd, const struct line *line)
{
    size_t done = 0;
    while (done < line->n) {
        ssize_t n = write(fd, line->text + done, line->n - done);
        if (n <= 0)
            return;
        done += (size_t)n;
    }
}

/* Where this thread's block goes. Another's stack, of a sanitizer, is
 * readable at its low end too, and lacks the mark. */
static struct crash_stack place_of_block(void)
{
    const struct crash_stack other = {MARK, STDERR_FILENO, "process"};
    stack_t stack;
    if (sigaltstack(NULL, &stack) != 0 || (stack.ss_flags & SS_DISABLE) != 0)
        return other;
    const struct crash_stack *mine = stack.ss_sp;
    return mine->mark == MARK ? *mine : other;
}

static void on_crash(int signal_number, siginfo_t *info, void *context)
{
    struct crash_stack place = place_of_block();
    struct line line = {.n = 0};
    void *frames[FRAMES_MAX];
    (void)context;
    put(&line, "postern: ");
    put(&line, place.role);
    put(&line, " ");
    put_number(&line, (uint64_t)getpid(), 10);
    put(&line, " crashed: ");
    put(&line, name_of(faults, sizeof faults / sizeof *faults, signal_number));
    put_details(&line, info);
    put(&line, "\n");
    write_line(place.fd, &line);
    backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MAX), place.fd);
    line.n = 0;
    put(&line, "postern: end of the trace\n");
    write_line(place.fd, &line);
    /* Its action is the default one again. It comes when this returns, also
     * where to go on would repeat nothing: a system call that was refused. */
    raise(signal_number);
}

int crash_trace_arm(void)
{
    struct sigaction action = {.sa_sigaction = on_crash,
                               .sa_flags =
                                   SA_SIGINFO | SA_ONSTACK | (int)SA_RESETHAND};
    void *frames[1];
    (void)backtrace(frames, 1);
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (sigaction(faults[i].number, &action, NULL) != 0)
            return -1;
    return 0;
}

struct crash_stack *crash_stack_new(int fd, const char *role)
{
    void *memory = mmap(NULL, STACK_OCTETS, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    const stack_t stack = {.ss_sp = memory, .ss_size = STACK_OCTETS};
    if (memory == MAP_FAILED)
        return NULL;
    struct crash_stack *place = memory;
    *place = (struct crash_stack){MARK, fd, role};
    if (sigaltstack(&stack, NULL) == 0)
        return place;
    munmap(memory, STACK_OCTETS);
    return NULL;
}

void crash_stack_free(struct crash_stack *stack)
{
    const stack_t none = {.ss_flags = SS_DISABLE};
    if (stack == NULL)
        return;
    sigaltstack(&none, NULL);
    munmap(stack, STACK_OCTETS);
}
