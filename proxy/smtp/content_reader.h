/* Message content out of octets, as DATA frames it (dots unstuffed, up to
 * CRLF.CRLF; RFC 5321 4.5.2) or in the chunks of BDAT (RFC 3030), and the
 * counts that rules ask for. Only CRLF.CRLF ends DATA. A bare CR, a bare LF, a
 * NUL or a line over the limit is a fault: from then on nothing is handed
 * out, but the true end is still found. A reader that repairs hands out CRLF
 * for a bare CR or LF; CRs before a CRLF, or at the end of the last chunk, are
 * one end of line with it. Pure, holds no memory.
 */
#ifndef PROXY_SMTP_CONTENT_READER_H
#define PROXY_SMTP_CONTENT_READER_H

#include "proxy/smtp/line_scan.h"

enum content_next {
    CONTENT_BYTES, /* *bytes: content, borrowed from the input or static */
    CONTENT_MORE,  /* all input taken */
    CONTENT_END    /* the end of the data or of the chunk was taken; input
                      behind it is untouched */
};

enum content_fault {
    CONTENT_FAULT_NONE,
    CONTENT_FAULT_BARE_CR,
    CONTENT_FAULT_BARE_LF,
    CONTENT_FAULT_NUL,
    CONTENT_FAULT_LINE /* longer than the limit */
};

struct content_reader {
    int state;
    bool is_chunked;
    bool repairs;
    bool is_soft; /* this line began behind an end that was repaired */
    bool has_repaired;
    uint64_t chunk_left; /* octets of the chunk that are still to come */
    uint64_t crs;        /* repairs: CRs that wait for what is behind them */
    enum content_fault fault;
    uint64_t line_max;     /* octets of a line without CRLF */
    uint64_t bytes;        /* content so far, CRLFs included */
    struct line_scan scan; /* its lines so far */
};

void content_reader_init(struct content_reader *reader, uint64_t line_max,
                         bool repairs);
/* The octets that come are a chunk of that size, and not DATA. */
void content_reader_chunk(struct content_reader *reader, uint64_t octets);
/* Advances *input. Check reader->fault after every call. */
enum content_next content_reader_next(struct content_reader *reader,
                                      struct str *input, struct str *bytes);
/* Behind the last chunk: the CRLF that a last line lacks, or nothing; static.
 */
struct str content_reader_finish(struct content_reader *reader);
/* Words for a reply: "a bare LF", … */
const char *content_fault_text(enum content_fault fault);

#endif
