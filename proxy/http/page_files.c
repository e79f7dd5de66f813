/* The page for browsers: files of proxy/http/page, which the build has put
 * into arrays. Its scripts are modules, which ask for each other by name. */
#include "proxy/http/http_routes.h"

#include "proxy/http/page_octets.h"

#include <string.h>

#define FIRST "postern.html"

static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".svg", "image/svg+xml"},
};

static const char *type_of(const char *name)
{
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending != NULL && i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].ending, ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}

enum http_next http_page(struct http_job *job)
{
    const char *name = job->rest[0] == '\0' ? FIRST : job->rest;
    for (size_t i = 0; i < page_file_count; i++) {
        if (strcmp(page_files[i].name, name) != 0)
            continue;
        job->status = 200;
        job->type = type_of(name);
        job->page = page_files[i].octets;
        job->octets = page_files[i].count;
        return HTTP_DONE;
    }
    return http_say(job, 404, "there is nothing here");
}
