/* What a service manager (systemd) and the supervisor say to each other:
 * sd_notify(3) and sd_listen_fds(3), whose protocols are a datagram and three
 * variables. Without a manager all of it does nothing. */
#ifndef PROXY_SUPERVISOR_SERVICE_MANAGER_H
#define PROXY_SUPERVISOR_SERVICE_MANAGER_H

#include <stdint.h>

#include "config/settings.h"
#include "proxy/log/server_log.h"
#include "proxy/supervisor/ports.h"

struct service_manager {
    int socket;           /* negative: there is none */
    uint64_t watchdog_ms; /* how often it wants a sign of life; 0: never */
};

/* By NOTIFY_SOCKET and WATCHDOG_USEC of the environment. */
void service_manager_open(struct service_manager *manager);
void service_manager_close(struct service_manager *manager);

void service_manager_ready(const struct service_manager *manager,
                           const char *status);
void service_manager_reloading(const struct service_manager *manager);
void service_manager_stopping(const struct service_manager *manager,
                              const char *status);
void service_manager_alive(const struct service_manager *manager);

/* Takes up the sockets that the manager listens on (LISTEN_FDS): each is that
 * of the listener of its name, else of the address that it is bound to. For
 * `threads` threads. Those that fit nothing are closed, with a warning. 0, or
 * -1 when out of memory. */
int service_manager_sockets(struct ports *ports,
                            const struct settings *settings, size_t threads,
                            struct server_log *log);

#endif
