/* The GS2 header that the first messages of SCRAM and OAUTHBEARER begin with
 * (RFC 5801 4, RFC 5802 7): what the client knows of channel bindings, and
 * whom it wants to act as. Pure. */
#ifndef PROXY_SASL_GS2_HEADER_H
#define PROXY_SASL_GS2_HEADER_H

#include "rules/base/str.h"

enum gs2_binding {
    GS2_NONE,      /* n: the client has none */
    GS2_UNOFFERED, /* y: it has, and believes that the server has not */
    GS2_BOUND      /* p=: it uses the one that is named */
};

struct gs2_header {
    enum gs2_binding binding;
    struct str binding_name; /* with GS2_BOUND */
    struct str authzid;      /* still escaped; n 0: none */
    size_t length;           /* of the header, both commas included */
};

/* False: it is malformed. */
bool gs2_header_read(struct str message, struct gs2_header *out);

/* =2C and =3D into `to` of `room` octets, terminated; *length does not count
 * that. False: another escape, a comma, or no room. */
bool saslname_read(struct str text, char *to, size_t room, size_t *length);

#endif
