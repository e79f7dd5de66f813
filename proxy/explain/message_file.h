/* A message read from a file or standard input as a client would send it:
 * every line ends with CRLF, whatever the file has. */
#ifndef PROXY_EXPLAIN_MESSAGE_FILE_H
#define PROXY_EXPLAIN_MESSAGE_FILE_H

#include "config/settings.h"
#include "proxy/smtp/header_reader.h"

struct message_file {
    struct header_reader header;
    uint64_t bytes, lines, longest_line; /* as the session counts them */
};

/* "-" is standard input. 0, or -1 with a sentence in `error`; release it in
 * both cases. */
int message_file_read(struct message_file *message, const char *path,
                      const struct caps_settings *caps, char *error,
                      size_t room);
void message_file_release(struct message_file *message);

#endif
