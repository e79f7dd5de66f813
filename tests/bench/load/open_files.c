#include "tests/bench/load/open_files.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/bench/load/fatal.h"

void open_files_allow(uint64_t needed)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        fatal("getrlimit: %s", strerrordesc_np(errno));
    /* Above the hard limit only the mighty come. */
    const struct rlimit above = {needed, needed};
    if (needed > limit.rlim_max && setrlimit(RLIMIT_NOFILE, &above) == 0)
        return;
    if (needed > limit.rlim_max)
        fatal("%" PRIu64 " open files are needed, and the hard limit is "
              "%" PRIu64 " (ulimit -Hn)",
              needed, (uint64_t)limit.rlim_max);
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        fatal("setrlimit: %s", strerrordesc_np(errno));
}
