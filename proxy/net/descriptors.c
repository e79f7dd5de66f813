#include "proxy/net/descriptors.h"

#include <stdint.h>
#include <sys/resource.h>

static size_t count_of(rlim_t limit)
{
    return limit == RLIM_INFINITY || limit > SIZE_MAX ? SIZE_MAX
                                                      : (size_t)limit;
}

size_t descriptors_allow(size_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    size_t soft = count_of(limit.rlim_cur);
    size_t hard = count_of(limit.rlim_max);
    if (soft >= wanted || soft >= hard)
        return soft;
    size_t raised = wanted < hard ? wanted : hard;
    limit.rlim_cur = (rlim_t)raised;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? raised : soft;
}
