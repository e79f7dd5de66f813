/* The page for browsers: files of proxy/http/page, which the build has put
 * into arrays. */
#include "proxy/http/http_routes.h"

#include "proxy/http/page_octets.h"

#include <string.h>

static const struct {
    const char *path;
    const char *type;
    const unsigned char *octets;
    const size_t *count;
} files[] = {
    {"/", "text/html; charset=utf-8", page_html, &page_html_count},
    {"/postern.css", "text/css; charset=utf-8", page_css, &page_css_count},
    {"/postern.js", "text/javascript; charset=utf-8", page_js, &page_js_count},
    {"/icon.svg", "image/svg+xml", page_icon, &page_icon_count},
};

enum http_next http_page(struct http_job *job)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (strcmp(files[i].path, job->route->path) != 0)
            continue;
        job->status = 200;
        job->type = files[i].type;
        job->page = files[i].octets;
        job->octets = *files[i].count;
        return HTTP_DONE;
    }
    return http_say(job, 404, "there is nothing here");
}
