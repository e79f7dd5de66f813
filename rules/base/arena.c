#include "rules/base/arena.h"

#include "rules/base/octet_writer.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BLOCK 1024
#define SPARE_BLOCK (ARENA_SPARE_OCTETS - sizeof(struct arena_block))
#define LARGEST_BLOCK (64 * 1024)

struct arena_block {
    struct arena_block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) char octets[];
};

void arena_init(struct arena *arena, size_t cap_bytes)
{
    *arena = (struct arena){.cap_bytes = cap_bytes};
}

void arena_init_spare(struct arena *arena, size_t cap_bytes,
                      struct spare_blocks *spare)
{
    *arena = (struct arena){.cap_bytes = cap_bytes, .spare = spare};
}

void arena_reset(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *next = arena->blocks->next;
        spare_blocks_give(arena->spare, arena->blocks,
                          sizeof *next + arena->blocks->size);
        arena->blocks = next;
    }
    arena->used_bytes = 0;
}

void arena_rewind(struct arena *arena)
{
    struct arena_block *newest = arena->blocks;
    if (newest == NULL || newest->size > LARGEST_BLOCK) {
        arena_reset(arena);
        return;
    }
    arena->blocks = newest->next;
    arena_reset(arena);
    newest->next = NULL;
    newest->used = 0;
    arena->blocks = newest;
    arena->used_bytes = sizeof *newest + newest->size;
}

void arena_release(struct arena *arena)
{
    arena_reset(arena);
}

/* Blocks double up to a bound, so that small arenas stay small; the last one
 * shrinks to what the cap still leaves. */
static struct arena_block *add_block(struct arena *arena, size_t need)
{
    size_t size = arena->spare == NULL ? FIRST_BLOCK : SPARE_BLOCK;
    size_t left = arena->cap_bytes - arena->used_bytes;
    if (arena->blocks != NULL)
        size = arena->blocks->size * 2;
    if (size > LARGEST_BLOCK)
        size = LARGEST_BLOCK;
    if (size < need)
        size = need;
    if (left < sizeof(struct arena_block))
        return NULL;
    left -= sizeof(struct arena_block);
    if (size > left)
        size = left;
    if (size < need)
        return NULL;
    struct arena_block *block =
        spare_blocks_take(arena->spare, sizeof *block + size);
    if (block == NULL)
        return NULL;
    *block = (struct arena_block){.next = arena->blocks, .size = size};
    arena->blocks = block;
    arena->used_bytes += sizeof *block + size;
    return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
    size_t align = alignof(max_align_t);
    if (bytes > SIZE_MAX - align)
        return NULL;
    bytes = (bytes + align - 1) / align * align;
    struct arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < bytes)
        block = add_block(arena, bytes);
    if (block == NULL)
        return NULL;
    void *out = block->octets + block->used;
    block->used += bytes;
    memset(out, 0, bytes);
    return out;
}

void *arena_array(struct arena *arena, size_t count, size_t bytes)
{
    if (bytes != 0 && count > SIZE_MAX / bytes)
        return NULL;
    return arena_alloc(arena, count * bytes);
}

char *arena_cstr(struct arena *arena, struct str s)
{
    char *out = s.n == SIZE_MAX ? NULL : arena_alloc(arena, s.n + 1);
    if (out != NULL && s.n > 0)
        memcpy(out, s.p, s.n);
    return out;
}

struct str arena_str(struct arena *arena, struct str s)
{
    char *copy = arena_cstr(arena, s);
    return (struct str){copy, copy == NULL ? 0 : s.n};
}

const struct str *arena_strs(struct arena *arena, const struct str *items,
                             size_t count)
{
    struct str *copies =
        arena_array(arena, count == 0 ? 1 : count, sizeof *copies);
    for (size_t i = 0; copies != NULL && i < count; i++) {
        copies[i] = arena_str(arena, items[i]);
        if (copies[i].p == NULL)
            return NULL;
    }
    return copies;
}

struct str arena_lower(struct arena *arena, struct str s)
{
    char *copy = arena_cstr(arena, s);
    for (size_t i = 0; copy != NULL && i < s.n; i++)
        copy[i] = ascii_lower(copy[i]);
    return (struct str){copy, copy == NULL ? 0 : s.n};
}

struct str arena_join(struct arena *arena, const struct str *parts,
                      size_t count)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].p == NULL || parts[i].n > SIZE_MAX - 1 - length)
            return (struct str){NULL, 0};
        length += parts[i].n;
    }
    char *text = arena_alloc(arena, length + 1);
    if (text == NULL)
        return (struct str){NULL, 0};
    struct octet_writer writer = {.to = text, .room = length};
    for (size_t i = 0; i < count; i++)
        octet_writer_put(&writer, parts[i]);
    return str_span(text, length);
}

struct str arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    struct str out = {NULL, 0};
    int length = vsnprintf(NULL, 0, format, args);
    char *text = length < 0 ? NULL : arena_alloc(arena, (size_t)length + 1);
    if (text != NULL) {
        vsnprintf(text, (size_t)length + 1, format, again);
        out = (struct str){text, (size_t)length};
    }
    va_end(again);
    va_end(args);
    return out;
}

void *arena_grow(struct arena *arena, void *items, size_t count,
                 size_t *capacity, size_t item_bytes)
{
    if (count < *capacity)
        return items;
    size_t wanted = *capacity == 0 ? 4 : *capacity * 2;
    void *moved = arena_array(arena, wanted, item_bytes);
    if (moved == NULL)
        return NULL;
    if (count > 0)
        memcpy(moved, items, count * item_bytes);
    *capacity = wanted;
    return moved;
}
