#include "proxy/http/http_admission.h"

#include <string.h>

#include "proxy/http/host_name.h"
#include "proxy/http/http_routes.h"

static bool is_reading(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* Who asks for health may call the server what it likes. */
static bool is_health(const struct http_route *route)
{
    return route != NULL && route->is_quick && !route->needs_dashboard;
}

static bool is_ours(const struct settings *settings, const char *host)
{
    return host_name_is_ours(settings, host == NULL ? (struct str){NULL, 0}
                                                    : str_from(host));
}

bool http_admit(struct http_job *job, const struct http_request *request)
{
    const struct settings *settings = job->means->settings;
    const struct http_route *route = NULL;
    if (!is_reading(request->method)) {
        job->allow = "GET, HEAD";
        http_say(job, 405, "this server is only read from: GET or HEAD");
        return false;
    }
    if (request->is_too_long) {
        http_say(job, 414, "the address is too long");
        return false;
    }
    if (!request->has_nul)
        route =
            http_route_find(request->path, settings->http.dashboard, job->rest);
    if (!is_health(route) && !is_ours(settings, request->host)) {
        http_say(job, 421,
                 "this is not the server of that name: if it is to be, add it "
                 "to http.names");
        return false;
    }
    if (route == NULL)
        http_say(job, 404, "there is nothing here%s",
                 settings->http.dashboard
                     ? ""
                     : "; the page needs http: {dashboard: true}");
    job->route = route;
    return route != NULL;
}
