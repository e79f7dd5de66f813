/* The files of proxy/http/page, made by embed.cmake at build. */
#ifndef PROXY_HTTP_PAGE_OCTETS_H
#define PROXY_HTTP_PAGE_OCTETS_H

#include <stddef.h>

struct page_file {
    const char *name; /* without its folder */
    const unsigned char *octets;
    size_t count;
};

extern const struct page_file page_files[];
extern const size_t page_file_count;

#endif
