/* Metrics, health and the dashboard over HTTP, on threads of their own beside
 * the loops. Reads only. Bounded: connections, what a request may hold, how
 * long it may take. What is served where is in http_routes. */
#ifndef PROXY_HTTP_HTTP_SERVER_H
#define PROXY_HTTP_HTTP_SERVER_H

#include "proxy/http/http_job.h"

struct http_server;

/* Owns the listening socket from now on, also on failure: NULL, out of memory
 * or threads. `means` is copied. */
struct http_server *http_server_new(const struct http_means *means, int socket);
/* No more connections: whoever comes waits in the socket's backlog, for
 * another process. Those that there are get their answers. */
void http_server_leave(struct http_server *server);
/* Ends all connections, once the answers under way are through or have had
 * their time. NULL is fine. */
void http_server_free(struct http_server *server);

#endif
