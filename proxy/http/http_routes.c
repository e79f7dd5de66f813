#include "proxy/http/http_routes.h"

#include <string.h>

static const struct http_route routes[] = {
    {.path = "/healthz", .run = http_healthz, .is_quick = true},
    {.path = "/readyz", .run = http_readyz, .is_quick = true},
    {.path = "/metrics", .run = http_metrics},
    {.path = "/api/overview", .run = http_overview},
    {.path = "/", .run = http_page, .needs_dashboard = true, .is_quick = true},
    {.path = "/page/",
     .run = http_page,
     .needs_dashboard = true,
     .is_quick = true},
    {.path = "/api/log",
     .run = http_log,
     .needs_dashboard = true,
     .is_search = true},
    {.path = "/api/explain/",
     .run = http_explain,
     .needs_dashboard = true,
     .is_search = true},
    {.path = "/api/mail",
     .run = http_mail_list,
     .needs_dashboard = true,
     .is_search = true},
    {.path = "/api/mail/", .run = http_mail, .needs_dashboard = true},
};

static bool is_name(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length <= HTTP_REST_MAX && name[0] != '.' &&
           strchr(name, '/') == NULL;
}

static bool fits(const struct http_route *route, const char *path)
{
    size_t length = strlen(route->path);
    if (length > 1 && route->path[length - 1] == '/')
        return strncmp(path, route->path, length) == 0 &&
               is_name(path + length);
    return strcmp(path, route->path) == 0;
}

const struct http_route *http_route_find(const char *path, bool has_dashboard,
                                         char rest[HTTP_REST_MAX + 1])
{
    rest[0] = '\0';
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const struct http_route *route = &routes[i];
        if ((route->needs_dashboard && !has_dashboard) || !fits(route, path))
            continue;
        if (strcmp(route->path, path) != 0)
            memcpy(rest, path + strlen(route->path),
                   strlen(path + strlen(route->path)) + 1);
        return route;
    }
    return NULL;
}
