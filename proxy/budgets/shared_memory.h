/* Memory that several processes see, held by a descriptor that can be handed
 * on. It begins with a head that says what it is, so that another program, or
 * another version of this one, leaves it alone. Its pages come as they are
 * touched; its size is sealed, so that nobody can cut it off under those who
 * have it mapped. */
#ifndef PROXY_BUDGETS_SHARED_MEMORY_H
#define PROXY_BUDGETS_SHARED_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* What is cleared begins and ends at a multiple of this, whatever the
 * machine's pages are. */
#define SHARED_MEMORY_PAGE 65536

enum shared_memory_error {
    SHARED_MEMORY_FAILED = -1, /* errno */
    SHARED_MEMORY_FOREIGN = -2 /* not such memory, or of another version */
};

struct shared_memory_head {
    uint64_t magic;    /* what it is */
    uint64_t layout;   /* how it is laid out: a number of the version */
    uint64_t octets;   /* of the whole */
    uint64_t capacity; /* from which follows how large it is */
};

struct shared_memory {
    void *at; /* where this process has it; NULL: not open */
    size_t octets;
    int fd; /* -1: of this process alone */
};

/* What a kind of memory is, and how large for a capacity; 0: no capacity that
 * can be. */
struct shared_memory_kind {
    const char *name; /* as /proc shows it */
    uint64_t magic, layout;
    size_t (*octets)(uint64_t capacity);
};

/* New and zeroed but for the head; private: of this process alone. 0, or -1
 * with errno: EFBIG when the limit on the size of files is too low. */
int shared_memory_create(struct shared_memory *memory,
                         const struct shared_memory_kind *kind,
                         uint64_t capacity);
int shared_memory_create_private(struct shared_memory *memory,
                                 const struct shared_memory_kind *kind,
                                 uint64_t capacity);
/* What a descriptor holds, which stays the caller's. 0, or a
 * shared_memory_error. */
int shared_memory_attach(struct shared_memory *memory,
                         const struct shared_memory_kind *kind, int fd);
/* Zeros again; the pages are given back. */
void shared_memory_clear(const struct shared_memory *memory, size_t offset,
                         size_t octets);
/* This process no longer sees it. Fine for what is not open. */
void shared_memory_close(struct shared_memory *memory);

#endif
