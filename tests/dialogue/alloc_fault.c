#include "tests/dialogue/alloc_fault.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *block, size_t bytes);
void __real_free(void *block);

void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *block, size_t bytes);
char *__wrap_strdup(const char *text);
void __wrap_free(void *block);

/* Live blocks in an open-addressed table. The addresses are kept inverted:
 * the leak sanitizer must not take the table for a reference. */
static struct {
    bool is_inside, is_lasting;
    size_t count, nth;
    bool has_struck;
    uintptr_t *slots;
    size_t slot_count, used, live;
} fault;

static const uintptr_t EMPTY = 0;
static const uintptr_t GONE = 1;

/* What is freed is kept from use for a while; a run is over long before so
 * much is freed, and memory that is always new costs more than the run. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8";
}

static size_t first_slot(uintptr_t key)
{
    return (size_t)((key >> 4) * 0x9e3779b97f4a7c15u) & (fault.slot_count - 1);
}

static void put(uintptr_t key)
{
    size_t i = first_slot(key);
    while (fault.slots[i] != EMPTY)
        i = (i + 1) & (fault.slot_count - 1);
    fault.slots[i] = key;
    fault.used++;
}

static void make_room(void)
{
    if (fault.used * 2 < fault.slot_count)
        return;
    uintptr_t *old = fault.slots;
    size_t old_count = fault.slot_count;
    while (fault.live * 4 >= fault.slot_count)
        fault.slot_count = fault.slot_count ? fault.slot_count * 2 : 4096;
    fault.slots = __real_calloc(fault.slot_count, sizeof *fault.slots);
    assert(fault.slots);
    fault.used = 0;
    for (size_t i = 0; i < old_count; i++)
        if (old[i] != EMPTY && old[i] != GONE)
            put(old[i]);
    __real_free(old);
}

static void remember(void *block)
{
    make_room();
    put(~(uintptr_t)block);
    fault.live++;
}

static void forget(void *block)
{
    uintptr_t key = ~(uintptr_t)block;
    if (!block || !fault.live)
        return;
    for (size_t i = first_slot(key); fault.slots[i] != EMPTY;
         i = (i + 1) & (fault.slot_count - 1))
        if (fault.slots[i] == key) {
            fault.slots[i] = GONE;
            fault.live--;
            return;
        }
}

void alloc_fault_arm(size_t nth, bool is_lasting)
{
    fault.is_lasting = is_lasting;
    fault.count = 0;
    fault.nth = nth;
    fault.has_struck = false;
}

void alloc_fault_enter(void)
{
    assert(!fault.is_inside);
    fault.is_inside = true;
}

void alloc_fault_leave(void)
{
    assert(fault.is_inside);
    fault.is_inside = false;
}

bool alloc_fault_strikes(void)
{
    if (!fault.is_inside || fault.nth == 0)
        return false;
    fault.count++;
    if (fault.count < fault.nth ||
        (fault.count > fault.nth && !fault.is_lasting))
        return false;
    fault.has_struck = true;
    return true;
}

bool alloc_fault_has_struck(void)
{
    return fault.has_struck;
}

size_t alloc_fault_live(void)
{
    return fault.live;
}

void alloc_fault_forget(void)
{
    __real_free(fault.slots);
    fault.slots = NULL;
    fault.slot_count = fault.used = fault.live = 0;
}

void *plain_alloc(size_t bytes)
{
    void *block = __real_calloc(1, bytes ? bytes : 1);
    if (!block)
        abort();
    return block;
}

void *plain_grow(void *block, size_t bytes)
{
    block = __real_realloc(block, bytes);
    if (!block)
        abort();
    return block;
}

void plain_free(void *block)
{
    __real_free(block);
}

void *__wrap_malloc(size_t bytes)
{
    void *block = alloc_fault_strikes() ? NULL : __real_malloc(bytes);
    if (block && fault.is_inside)
        remember(block);
    return block;
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    void *block = alloc_fault_strikes() ? NULL : __real_calloc(count, bytes);
    if (block && fault.is_inside)
        remember(block);
    return block;
}

void *__wrap_realloc(void *block, size_t bytes)
{
    if (alloc_fault_strikes())
        return NULL;
    forget(block);
    block = __real_realloc(block, bytes);
    if (block && fault.is_inside)
        remember(block);
    return block;
}

char *__wrap_strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = __wrap_malloc(n);
    return copy ? memcpy(copy, text, n) : NULL;
}

void __wrap_free(void *block)
{
    forget(block);
    __real_free(block);
}
