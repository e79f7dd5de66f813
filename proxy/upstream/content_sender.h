/* A message on its way through a connection whose envelope is answered: by
 * DATA, or by BDAT where the upstream takes chunks (RFC 3030; no wait for a
 * 354, and the connection outlives a message that is given up between two
 * chunks). The last chunk waits until those before it are answered: behind a
 * refused one, what an upstream makes of a LAST is anyone's guess. */
#ifndef PROXY_UPSTREAM_CONTENT_SENDER_H
#define PROXY_UPSTREAM_CONTENT_SENDER_H

#include "proxy/smtp/chunk_writer.h"
#include "proxy/smtp/dot_writer.h"
#include "proxy/upstream/upstream.h"

enum content_sent {
    CONTENT_SENT_OK = 0,
    CONTENT_SENT_BROKEN = -1, /* it must not go out as it is */
    CONTENT_SENT_MEMORY = -2
};

struct content_sender {
    bool is_chunked;
    bool is_finishing;
    bool wants_room; /* less was taken than was offered */
    struct dot_writer dots;
    struct chunk_writer chunks;
    char *kept; /* owned: octets before the 354, or of the chunk to come */
    size_t kept_length;
};

/* Says DATA, or nothing where chunks are taken. */
void content_sender_start(struct content_sender *sender,
                          struct upstream *upstream);
/* Takes from *octets what there is room for, and advances it. */
enum content_sent content_sender_write(struct content_sender *sender,
                                       struct upstream *upstream,
                                       struct str *octets);
/* The end of the message, which goes out as soon as it may. */
enum content_sent content_sender_finish(struct content_sender *sender,
                                        struct upstream *upstream);
/* An answer came, the 354 or that to a chunk, or there is room again. */
enum content_sent content_sender_go_on(struct content_sender *sender,
                                       struct upstream *upstream);
void content_sender_release(struct content_sender *sender);

#endif
