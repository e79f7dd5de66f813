#include "proxy/core_dumps.h"

#include <sys/resource.h>

/* At a limit of 0 the kernel writes no file, but still starts a handler that
 * core_pattern pipes to (core(5)). At exactly 1 it does neither. The process
 * stays one that may be traced, which the sanitizers need. */
#define NEITHER_FILE_NOR_PIPE 1

int core_dumps_forbid(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) != 0)
        return -1;
    limit.rlim_cur = NEITHER_FILE_NOR_PIPE;
    /* Which only a privileged process may. */
    if (limit.rlim_max < limit.rlim_cur)
        limit.rlim_max = limit.rlim_cur;
    return setrlimit(RLIMIT_CORE, &limit);
}

int core_dumps_allow(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) != 0 ||
        limit.rlim_max <= NEITHER_FILE_NOR_PIPE)
        return -1;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_CORE, &limit);
}
