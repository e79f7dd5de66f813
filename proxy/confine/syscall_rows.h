/* What a worker may ask of the kernel: two tables, one row a system call, with
 * its reason. A call of `syscall_harm` is stopped: the process ends by SIGSYS.
 * A call of neither table fails with ENOSYS, as on a kernel that lacks it, so
 * that a newer C library falls back to what it did before; clone3(), whose
 * arguments no filter can look into, is among those. */
#ifndef PROXY_CONFINE_SYSCALL_ROWS_H
#define PROXY_CONFINE_SYSCALL_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* Sanitizers look around more than the program does. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CONFINE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CONFINE_SANITIZED 1
#endif
#endif
#ifndef CONFINE_SANITIZED
#define CONFINE_SANITIZED 0
#endif

/* When a row holds. */
enum syscall_when {
    SYSCALL_ALWAYS,
    SYSCALL_IF_BITS,    /* argument & mask is value */
    SYSCALL_IF_ABOVE,   /* argument is above value */
    SYSCALL_IF_SELF,    /* argument is this process's id */
    SYSCALL_IF_ANOTHER, /* it is not */
};

struct syscall_row {
    const char *name; /* one that this machine lacks is passed over */
    const char *why;
    enum syscall_when when;
    unsigned argument; /* 0, 1, ... */
    uint64_t mask, value;
};

extern const struct syscall_row syscall_harm[];
extern const size_t syscall_harm_count;
extern const struct syscall_row syscall_needs[];
extern const size_t syscall_needs_count;

#endif
