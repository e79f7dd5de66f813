#include "proxy/upstream/content_sender.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What is taken of a message before the upstream says 354, and the size of a
 * chunk that is gathered. */
#define KEPT_MAX (64 * 1024)
/* What comes in pieces of this size is sent as a chunk without a copy. */
#define WHOLE_MIN (48 * 1024)
#define PIECE_OCTETS (8 * 1024)
/* Chunks whose answers may be due at once, where it takes PIPELINING. */
#define CHUNKS_DUE_MAX 8

void content_sender_start(struct content_sender *sender,
                          struct upstream *upstream)
{
    *sender = (struct content_sender){
        .is_chunked = upstream_takes_chunks(upstream),
    };
    dot_writer_init(&sender->dots);
    chunk_writer_init(&sender->chunks);
    if (sender->is_chunked)
        upstream_begin_chunks(upstream);
    else
        upstream_data(upstream);
}

void content_sender_release(struct content_sender *sender)
{
    free(sender->kept);
    sender->kept = NULL;
    sender->kept_length = 0;
}

static bool has_room_to_keep(struct content_sender *sender)
{
    if (sender->kept == NULL)
        sender->kept = malloc(KEPT_MAX);
    return sender->kept != NULL;
}

static enum content_sent keep(struct content_sender *sender, struct str *octets)
{
    if (!has_room_to_keep(sender))
        return CONTENT_SENT_MEMORY;
    struct str taken = str_head(*octets, KEPT_MAX - sender->kept_length);
    if (sender->is_chunked && chunk_writer_check(&sender->chunks, taken) != 0)
        return CONTENT_SENT_BROKEN;
    if (taken.n > 0)
        memcpy(sender->kept + sender->kept_length, taken.p, taken.n);
    sender->kept_length += taken.n;
    *octets = str_skip(*octets, taken.n);
    return CONTENT_SENT_OK;
}

/* Behind DATA. Stops when there is no room, if it is told to. */
static enum content_sent stuff(struct content_sender *sender,
                               struct upstream *upstream, struct str *octets,
                               bool heeds_room)
{
    char piece[PIECE_OCTETS];
    while (octets->n > 0 && upstream_state(upstream) == UPSTREAM_BODY &&
           (!heeds_room || upstream_has_room(upstream))) {
        size_t written;
        if (dot_writer_write(&sender->dots, octets, piece, sizeof(piece),
                             &written) != 0)
            return CONTENT_SENT_BROKEN;
        upstream_body(upstream, str_span(piece, written));
    }
    return CONTENT_SENT_OK;
}

static enum content_sent send_dot(struct content_sender *sender,
                                  struct upstream *upstream)
{
    char end[8];
    size_t written;
    if (dot_writer_finish(&sender->dots, end, sizeof(end), &written) != 0)
        return CONTENT_SENT_BROKEN;
    upstream_dot(upstream, str_span(end, written));
    return CONTENT_SENT_OK;
}

static bool may_send_chunk(const struct upstream *upstream)
{
    size_t due = upstream_due(upstream);
    if (!upstream_capabilities(upstream)->has_pipelining)
        return due == 0;
    return due < CHUNKS_DUE_MAX && upstream_has_room(upstream);
}

/* Readers may look for CRLF within a chunk alone: none ends in its CR. */
static struct str without_cr(struct str octets)
{
    bool ends_in_cr = octets.p[octets.n - 1] == '\r';
    return str_head(octets, octets.n - (ends_in_cr ? 1 : 0));
}

static void send_chunk(struct content_sender *sender, struct upstream *upstream,
                       bool is_last)
{
    struct str kept = str_span(sender->kept, sender->kept_length);
    struct str chunk = is_last ? kept : without_cr(kept);
    upstream_chunk(upstream, chunk, is_last);
    if (chunk.n < kept.n)
        sender->kept[0] = '\r';
    sender->kept_length = kept.n - chunk.n;
}

/* Takes what lies there, if it is worth a chunk; its last CR stays. */
static enum content_sent send_whole(struct content_sender *sender,
                                    struct upstream *upstream,
                                    struct str *octets)
{
    if (upstream_state(upstream) != UPSTREAM_CHUNKS ||
        sender->kept_length > 0 || octets->n < WHOLE_MIN ||
        !may_send_chunk(upstream))
        return CONTENT_SENT_OK;
    struct str chunk = without_cr(*octets);
    if (chunk_writer_check(&sender->chunks, chunk) != 0)
        return CONTENT_SENT_BROKEN;
    upstream_chunk(upstream, chunk, false);
    *octets = str_skip(*octets, chunk.n);
    return CONTENT_SENT_OK;
}

static enum content_sent send_last_chunk(struct content_sender *sender,
                                         struct upstream *upstream)
{
    struct str end;
    if (chunk_writer_finish(&sender->chunks, &end) != 0)
        return CONTENT_SENT_BROKEN;
    if (end.n > KEPT_MAX - sender->kept_length) {
        send_chunk(sender, upstream, false);
        return CONTENT_SENT_OK;
    }
    if (end.n > 0 && !has_room_to_keep(sender))
        return CONTENT_SENT_MEMORY;
    if (end.n > 0)
        memcpy(sender->kept + sender->kept_length, end.p, end.n);
    sender->kept_length += end.n;
    send_chunk(sender, upstream, true);
    return CONTENT_SENT_OK;
}

static enum content_sent send_chunks(struct content_sender *sender,
                                     struct upstream *upstream)
{
    if (upstream_state(upstream) != UPSTREAM_CHUNKS)
        return CONTENT_SENT_OK;
    if (sender->is_finishing && upstream_due(upstream) == 0)
        return send_last_chunk(sender, upstream);
    if (sender->kept_length == KEPT_MAX && may_send_chunk(upstream))
        send_chunk(sender, upstream, false);
    return CONTENT_SENT_OK;
}

enum content_sent content_sender_write(struct content_sender *sender,
                                       struct upstream *upstream,
                                       struct str *octets)
{
    enum content_sent result;
    size_t before;
    if (upstream_state(upstream) == UPSTREAM_BODY) {
        result = stuff(sender, upstream, octets, true);
        sender->wants_room = octets->n > 0;
        return result;
    }
    do {
        before = octets->n;
        result = send_whole(sender, upstream, octets);
        if (result == CONTENT_SENT_OK)
            result = keep(sender, octets);
        if (result == CONTENT_SENT_OK)
            result = send_chunks(sender, upstream);
    } while (result == CONTENT_SENT_OK && octets->n > 0 && octets->n < before);
    sender->wants_room = octets->n > 0;
    return result;
}

enum content_sent content_sender_finish(struct content_sender *sender,
                                        struct upstream *upstream)
{
    assert(!sender->is_finishing);
    sender->is_finishing = true;
    if (upstream_state(upstream) == UPSTREAM_BODY)
        return send_dot(sender, upstream);
    return send_chunks(sender, upstream);
}

/* 354 came: all at once, since what was kept is bounded. */
static enum content_sent send_kept(struct content_sender *sender,
                                   struct upstream *upstream)
{
    struct str kept = str_span(sender->kept, sender->kept_length);
    enum content_sent result = stuff(sender, upstream, &kept, false);
    content_sender_release(sender);
    if (result == CONTENT_SENT_OK && sender->is_finishing)
        return send_dot(sender, upstream);
    return result;
}

enum content_sent content_sender_go_on(struct content_sender *sender,
                                       struct upstream *upstream)
{
    if (sender->is_chunked)
        return send_chunks(sender, upstream);
    return send_kept(sender, upstream);
}
