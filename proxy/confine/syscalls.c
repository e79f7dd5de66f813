/* Two filters, of which the kernel takes the stricter answer: so a row of one
 * table never has to make room for one of the other. What they both let pass
 * whatever its arguments costs nothing, as the kernel remembers it. */
#include "proxy/confine/syscalls.h"

#include "proxy/confine/syscall_rows.h"

#include <errno.h>
#include <seccomp.h>
#include <unistd.h>

static struct scmp_arg_cmp test_of(const struct syscall_row *row)
{
    scmp_datum_t self = (scmp_datum_t)getpid();
    unsigned n = row->argument;
    switch (row->when) {
    case SYSCALL_IF_BITS:
        return (struct scmp_arg_cmp){n, SCMP_CMP_MASKED_EQ, row->mask,
                                     row->value};
    case SYSCALL_IF_ABOVE:
        return (struct scmp_arg_cmp){n, SCMP_CMP_GT, row->value, 0};
    case SYSCALL_IF_SELF:
        return (struct scmp_arg_cmp){n, SCMP_CMP_EQ, self, 0};
    case SYSCALL_IF_ANOTHER:
        return (struct scmp_arg_cmp){n, SCMP_CMP_NE, self, 0};
    case SYSCALL_ALWAYS:
        break;
    }
    return (struct scmp_arg_cmp){0};
}

/* 0, or a negative number of errno. */
static int add_rows(scmp_filter_ctx filter, uint32_t action,
                    const struct syscall_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct scmp_arg_cmp test = test_of(&rows[i]);
        int number = seccomp_syscall_resolve_name(rows[i].name);
        if (number == __NR_SCMP_ERROR)
            continue;
        int result = seccomp_rule_add_array(
            filter, action, number, rows[i].when == SYSCALL_ALWAYS ? 0 : 1,
            &test);
        if (result != 0)
            return result;
    }
    return 0;
}

static int load(uint32_t otherwise, uint32_t action,
                const struct syscall_row *rows, size_t count)
{
    scmp_filter_ctx filter = seccomp_init(otherwise);
    if (filter == NULL)
        return ENOMEM;
    /* A call by the numbers of another machine comes from no library. */
    int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
                                  SCMP_ACT_KILL_PROCESS);
    if (result == 0)
        result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
    if (result == 0)
        /* Else libseccomp says ECANCELED of whatever the kernel said. */
        result = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
    if (result == 0)
        result = add_rows(filter, action, rows, count);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return -result;
}

int syscalls_restrict(void)
{
    /* SIGSYS with a handler, rather than the end at once, so that the log says
     * which call it was. */
    int result =
        load(SCMP_ACT_ALLOW, SCMP_ACT_TRAP, syscall_harm, syscall_harm_count);
    if (result == 0)
        result = load(SCMP_ACT_ERRNO(ENOSYS), SCMP_ACT_ALLOW, syscall_needs,
                      syscall_needs_count);
    return result;
}
