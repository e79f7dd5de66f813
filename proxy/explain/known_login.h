/* What the users files say of a login: its addresses and groups. No password
 * is asked or looked at. */
#ifndef PROXY_EXPLAIN_KNOWN_LOGIN_H
#define PROXY_EXPLAIN_KNOWN_LOGIN_H

#include "config/settings.h"
#include "proxy/explain/story.h"

struct known_login {
    bool is_found;
    struct str name; /* normalised */
    const struct str *addresses, *groups;
    size_t address_count, group_count;
};

/* What can't be read or found is a note of the story. Texts lie in the
 * story's arena. */
void known_login_find(struct known_login *login,
                      const struct settings *settings, struct str name,
                      struct story *story);

#endif
