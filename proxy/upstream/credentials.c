#include "proxy/upstream/credentials.h"

#include "config/secret_file.h"

#include <stdlib.h>
#include <string.h>

bool credentials_equal(const struct credentials *a, const struct credentials *b)
{
    return str_equals(a->user, b->user) && str_equals(a->secret, b->secret) &&
           str_equals(a->session, b->session);
}

static struct str put(struct kept_credentials *kept, struct str text)
{
    char *to = kept->octets + kept->length;
    if (text.n > 0)
        memcpy(to, text.p, text.n);
    kept->length += text.n;
    return str_span(to, text.n);
}

int credentials_keep(struct kept_credentials *kept,
                     const struct credentials *from)
{
    *kept = (struct kept_credentials){0};
    if (from == NULL)
        return 0;
    kept->octets = malloc(from->user.n + from->secret.n + from->session.n + 1);
    if (kept->octets == NULL)
        return -1;
    kept->credentials = (struct credentials){
        .user = put(kept, from->user),
        .secret = put(kept, from->secret),
        .session = put(kept, from->session),
    };
    return 0;
}

void credentials_release(struct kept_credentials *kept)
{
    secret_free(kept->octets, kept->length);
    *kept = (struct kept_credentials){0};
}
