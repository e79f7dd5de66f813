/* Numbers: for Prometheus, and for the page. */
#include "proxy/http/http_routes.h"

#include "proxy/metrics/metrics_text.h"

enum http_next http_metrics(struct http_job *job)
{
    size_t octets = 0;
    char *text = metrics_text(job->means->controlled, &octets);
    return http_give(job, "text/plain; version=0.0.4; charset=utf-8", text,
                     octets);
}

enum http_next http_overview(struct http_job *job)
{
    return http_give_json(job, verb_overview(job->means->controlled, NULL));
}
