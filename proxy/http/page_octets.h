/* The files of proxy/http/page, made by embed.cmake at build. */
#ifndef PROXY_HTTP_PAGE_OCTETS_H
#define PROXY_HTTP_PAGE_OCTETS_H

#include <stddef.h>

extern const unsigned char page_html[], page_css[], page_js[], page_icon[];
extern const size_t page_html_count, page_css_count, page_js_count,
    page_icon_count;

#endif
