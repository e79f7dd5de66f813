/* Preloaded into a running server: counts what its allocator holds, so that
 * a test can read it from outside while the server works. Everything that
 * comes from malloc counts: arenas, rings, queued writes, and what the
 * libraries keep for themselves.
 *
 * POSTERN_MALLOC_METER names a file; each process publishes its counters in
 * FILE.PID as three 64-bit integers: octets live now, the most there were
 * (a reader may write it back to start anew), and the number of allocations.
 * The counting wraps glibc's own entry points, which needs no look-up that
 * would itself allocate.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

struct meter {
    _Atomic int64_t live;
    _Atomic int64_t peak;
    _Atomic int64_t allocations;
};

/* Until the file is open; what was counted moves there. */
static struct meter before_start;
static struct meter *_Atomic meter = &before_start;

static void count(int64_t change)
{
    struct meter *m = atomic_load(&meter);
    int64_t live = atomic_fetch_add(&m->live, change) + change;
    int64_t peak = atomic_load(&m->peak);

    while (live > peak &&
           !atomic_compare_exchange_weak(&m->peak, &peak, live)) {
    }
}

static void *counted(void *block)
{
    if (block != NULL) {
        atomic_fetch_add(&atomic_load(&meter)->allocations, 1);
        count((int64_t)malloc_usable_size(block));
    }
    return block;
}

static bool open_file(const char *name, struct meter **opened)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s.%ld", name, (long)getpid());
    int fd;
    void *memory;

    if (n < 0 || (size_t)n >= sizeof(path)) {
        return false;
    }
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(struct meter)) != 0) {
        return false;
    }
    memory = mmap(NULL, sizeof(struct meter), PROT_READ | PROT_WRITE,
                  MAP_SHARED, fd, 0);
    close(fd);
    *opened = memory;
    return memory != MAP_FAILED;
}

__attribute__((constructor)) static void publish(void)
{
    const char *name = getenv("POSTERN_MALLOC_METER");
    struct meter *published;

    if (name == NULL) {
        return;
    }
    if (!open_file(name, &published)) {
        perror("malloc_meter");
        abort();
    }
    /* No other thread runs yet. */
    atomic_store(&published->live, atomic_load(&before_start.live));
    atomic_store(&published->peak, atomic_load(&before_start.peak));
    atomic_store(&published->allocations,
                 atomic_load(&before_start.allocations));
    atomic_store(&meter, published);
}

void *malloc(size_t size)
{
    return counted(__libc_malloc(size));
}

void *calloc(size_t items, size_t size)
{
    return counted(__libc_calloc(items, size));
}

void *realloc(void *block, size_t size)
{
    size_t before = block == NULL ? 0 : malloc_usable_size(block);
    void *moved = __libc_realloc(block, size);

    if (moved == NULL && size != 0) {
        return NULL; /* the old block lives on */
    }
    count(-(int64_t)before);
    return counted(moved);
}

void free(void *block)
{
    if (block != NULL) {
        count(-(int64_t)malloc_usable_size(block));
        __libc_free(block);
    }
}

void *memalign(size_t alignment, size_t size)
{
    return counted(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *made = memalign(alignment, size);

    if (made == NULL) {
        return ENOMEM;
    }
    *block = made;
    return 0;
}
