#include "rules/base/octet_writer.h"

#include <string.h>

void octet_writer_put(struct octet_writer *writer, struct str octets)
{
    if (octets.n > writer->room - writer->used) {
        writer->is_full = true;
        return;
    }
    if (octets.n > 0)
        memcpy(writer->to + writer->used, octets.p, octets.n);
    writer->used += octets.n;
}
