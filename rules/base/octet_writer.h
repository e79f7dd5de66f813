/* Octets put one behind the other into memory of the caller's. What does not
 * fit is left out whole and remembered: it is asked once, at the end. */
#ifndef RULES_BASE_OCTET_WRITER_H
#define RULES_BASE_OCTET_WRITER_H

#include "rules/base/str.h"

/* A value: {to, room}. */
struct octet_writer {
    char *to;
    size_t room, used;
    bool is_full;
};

void octet_writer_put(struct octet_writer *writer, struct str octets);

#endif
