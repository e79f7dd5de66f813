/* Logins that were right a short while ago, so that an application which
 * connects for every mail does not pay a password's hash each time. What is
 * kept is a digest of the claim under a key of this process, never a secret;
 * a failure is never kept. Bounded, and shared by all workers. */
#ifndef PROXY_LOGIN_LOGIN_CACHE_H
#define PROXY_LOGIN_LOGIN_CACHE_H

#include "proxy/login/login.h"
#include "rules/base/arena.h"

struct login_cache;

/* What an answer is good for: the claim, held against what the users files
 * said then. Another edition of them may judge it otherwise. */
struct judged {
    const struct claim *claim;
    uint64_t edition;
};

/* NULL when out of memory, or there is no randomness. */
struct login_cache *login_cache_new(size_t max);
/* NULL is fine. */
void login_cache_free(struct login_cache *cache);

/* The answer that the very same claim got, under the same edition; its texts
 * are copied into the arena. False: none that still holds. */
bool login_cache_find(struct login_cache *cache, const struct judged *judged,
                      uint64_t now_ms, struct arena *arena,
                      struct login_answer *out);
/* Keeps a LOGIN_OK for so long, if there is room and memory; 0: not. */
void login_cache_keep(struct login_cache *cache, const struct judged *judged,
                      const struct login_answer *answer, uint64_t now_ms,
                      uint64_t for_ms);

#endif
