/* What is served where. */
#ifndef PROXY_HTTP_HTTP_ROUTES_H
#define PROXY_HTTP_HTTP_ROUTES_H

#include "proxy/http/http_job.h"

/* The route of a path, or NULL; `rest` gets the name behind it. A name is one
 * that stands for itself: without slashes, and not hidden. */
const struct http_route *http_route_find(const char *path, bool has_dashboard,
                                         char rest[HTTP_REST_MAX + 1]);

/* In health_pages.c. */
enum http_next http_healthz(struct http_job *job);
enum http_next http_readyz(struct http_job *job);
/* In data_pages.c. */
enum http_next http_metrics(struct http_job *job);
enum http_next http_overview(struct http_job *job);
/* In log_pages.c. */
enum http_next http_log(struct http_job *job);
enum http_next http_explain(struct http_job *job);
/* In mail_pages.c. */
enum http_next http_mail_list(struct http_job *job);
enum http_next http_mail(struct http_job *job);
/* In page_files.c. */
enum http_next http_page(struct http_job *job);

#endif
