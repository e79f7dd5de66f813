/* What binds to a channel of TLS 1.3: octets that both of its ends can make,
 * and nobody between them (tls-exporter, RFC 9266 2). */
#ifndef PROXY_TLS_BINDING_H
#define PROXY_TLS_BINDING_H

#define TLS_BINDING_OCTETS 32

#endif
