/* What a crash leaves behind: one block of lines in a log, with the signal,
 * the address or the system call, and the functions that were under way; then
 * the process ends as it would have. Nothing is kept outside the stacks: where
 * the block goes is written at the far end of the stack on which it is made.
 *
 * A line of a function reads FILE(NAME+OFFSET) or FILE(+OFFSET) [ADDRESS];
 * `addr2line -Cfipe FILE OFFSET` names the source line. Sanitizers have
 * handlers of their own; with them only SIGSYS is ours. */
#ifndef PROXY_CRASH_TRACE_H
#define PROXY_CRASH_TRACE_H

struct crash_stack;

/* For all threads; call it before the process is confined. 0, or -1. */
int crash_trace_arm(void);

/* The stack on which a crash of this thread is told, in a block that goes to
 * `fd` and calls the process `role`, such as "worker" (borrowed). A thread
 * without one tells it on its own stack to standard error, unless that stack
 * is what ran out. NULL when out of memory. */
struct crash_stack *crash_stack_new(int fd, const char *role);
/* By the same thread. NULL is fine. */
void crash_stack_free(struct crash_stack *stack);

#endif
