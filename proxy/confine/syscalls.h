/* Which system calls the process may make, by the tables of syscall_rows.h,
 * for good. Of this thread and those that it starts. */
#ifndef PROXY_CONFINE_SYSCALLS_H
#define PROXY_CONFINE_SYSCALLS_H

/* Needs no_new_privs. From now on SIGSYS has the handler that it has. 0, or a
 * number of errno: EINVAL or EFAULT where the kernel is without filters. */
int syscalls_restrict(void);

#endif
