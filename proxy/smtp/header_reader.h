/* The header block out of decoded content: gathers it up to the empty line,
 * within caps, and cuts it into fields (RFC 5322 2.2, obsolete white space
 * before the colon included). The first line that is neither a field nor a
 * continuation ends the block and belongs to the body; the empty line that
 * separates the two is never part of either: whoever sends the message
 * writes it, so that no two readers disagree. A continuation of white space
 * alone is left out of its field for the same reason. Pure. */
#ifndef PROXY_SMTP_HEADER_READER_H
#define PROXY_SMTP_HEADER_READER_H

#include "rules/header_fields.h"

enum header_next {
    HEADER_MORE,      /* all input taken */
    HEADER_DONE,      /* the block is complete; the rest of the input is
                         body. Body octets that had to be looked at first are
                         in header_reader_overlap() and precede it */
    HEADER_TOO_LARGE, /* over the cap of octets */
    HEADER_TOO_MANY,  /* over the cap of fields */
    HEADER_MEMORY
};

struct header_reader {
    char *buffer; /* owned */
    size_t length, capacity;
    size_t line_start; /* of the line under way */
    size_t block_end;  /* once done */
    size_t fields;
    size_t bytes_max, fields_max;
    bool is_done;
};

void header_reader_init(struct header_reader *reader, size_t bytes_max,
                        size_t fields_max);
void header_reader_release(struct header_reader *reader);

/* Takes decoded content; call header_reader_end() at end of data if it never
 * came to DONE. */
enum header_next header_reader_feed(struct header_reader *reader,
                                    struct str *bytes);
enum header_next header_reader_end(struct header_reader *reader);

/* Once done. The fields' octets are copied into the fields' arena. 0, or -1
 * when that is full. */
int header_reader_fields(const struct header_reader *reader,
                         struct header_fields *out);
struct str header_reader_overlap(const struct header_reader *reader);

#endif
