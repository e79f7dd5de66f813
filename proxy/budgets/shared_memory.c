#include "proxy/budgets/shared_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Linux 6.3: what lies in it is never run. Older kernels don't know it, newer
 * ones may insist on it. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define SEALS (F_SEAL_GROW | F_SEAL_SHRINK)

static const struct shared_memory CLOSED = {NULL, 0, -1};

static int open_file(const char *name)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create(name, flags | MFD_NOEXEC_SEAL);
    return fd < 0 && errno == EINVAL ? memfd_create(name, flags) : fd;
}

/* Beyond the limit ftruncate() would end the process with a signal. */
static bool is_within_limit(size_t octets)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) != 0 ||
           limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= octets;
}

static int size_file(int fd, size_t octets)
{
    if (!is_within_limit(octets)) {
        errno = EFBIG;
        return -1;
    }
    if (ftruncate(fd, (off_t)octets) != 0)
        return -1;
    return fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL);
}

/* The descriptor becomes the memory's, or is closed. */
static int map_file(struct shared_memory *memory, int fd, size_t octets)
{
    void *at = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    *memory = (struct shared_memory){at, octets, fd};
    return 0;
}

static void write_head(const struct shared_memory *memory,
                       const struct shared_memory_kind *kind, uint64_t capacity)
{
    *(struct shared_memory_head *)memory->at =
        (struct shared_memory_head){.magic = kind->magic,
                                    .layout = kind->layout,
                                    .octets = memory->octets,
                                    .capacity = capacity};
}

int shared_memory_create(struct shared_memory *memory,
                         const struct shared_memory_kind *kind,
                         uint64_t capacity)
{
    size_t octets = kind->octets(capacity);
    *memory = CLOSED;
    int fd = open_file(kind->name);
    if (fd < 0)
        return -1;
    if (size_file(fd, octets) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    if (map_file(memory, fd, octets) != 0)
        return -1;
    write_head(memory, kind, capacity);
    return 0;
}

int shared_memory_create_private(struct shared_memory *memory,
                                 const struct shared_memory_kind *kind,
                                 uint64_t capacity)
{
    size_t octets = kind->octets(capacity);
    *memory = CLOSED;
    void *at = mmap(NULL, octets, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return -1;
    *memory = (struct shared_memory){at, octets, -1};
    write_head(memory, kind, capacity);
    return 0;
}

/* A copy of the head, so that what was judged is what is used. */
static bool is_of_kind(int fd, const struct shared_memory_kind *kind,
                       struct shared_memory_head *head)
{
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & SEALS) == SEALS && fstat(fd, &status) == 0 &&
           pread(fd, head, sizeof *head, 0) == (ssize_t)sizeof *head &&
           head->magic == kind->magic && head->layout == kind->layout &&
           head->octets == (uint64_t)status.st_size &&
           head->octets > sizeof *head &&
           head->octets == kind->octets(head->capacity);
}

int shared_memory_attach(struct shared_memory *memory,
                         const struct shared_memory_kind *kind, int fd)
{
    struct shared_memory_head head;
    *memory = CLOSED;
    if (!is_of_kind(fd, kind, &head))
        return SHARED_MEMORY_FOREIGN;
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0 || map_file(memory, own, head.octets) != 0)
        return SHARED_MEMORY_FAILED;
    return 0;
}

void shared_memory_clear(const struct shared_memory *memory, size_t offset,
                         size_t octets)
{
    char *at = (char *)memory->at + offset;
    if (memory->fd < 0 || madvise(at, octets, MADV_REMOVE) != 0)
        memset(at, 0, octets);
}

void shared_memory_close(struct shared_memory *memory)
{
    if (memory->at == NULL)
        return;
    munmap(memory->at, memory->octets);
    if (memory->fd >= 0)
        close(memory->fd);
    *memory = CLOSED;
}
