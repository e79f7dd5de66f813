#include "proxy/login/login_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/digest.h>
#include <openssl/hmac.h>
#include <openssl/mem.h>
#include <openssl/rand.h>

#include "rules/base/stack_wipe.h"
#include "rules/expiring_table.h"

#define KEY_OCTETS 32
/* Of one answer: what a line of a users file may hold, and more. */
#define KEPT_MAX ((size_t)64 * 1024)

/* An answer in memory of its own. */
struct kept {
    struct arena arena;
    struct login_answer answer;
    uint64_t edition;
};

struct login_cache {
    pthread_mutex_t lock;
    uint8_t key[KEY_OCTETS];
    struct expiring_table *table; /* of struct kept * */
};

static void kept_free(struct kept *kept)
{
    if (kept == NULL)
        return;
    arena_release(&kept->arena);
    free(kept);
}

static void forget(void *owner, void *payload)
{
    (void)owner;
    kept_free(*(struct kept **)payload);
    *(struct kept **)payload = NULL;
}

struct login_cache *login_cache_new(size_t max)
{
    struct login_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->table = expiring_table_new(max, sizeof(struct kept *));
    if (cache->table == NULL || RAND_bytes(cache->key, KEY_OCTETS) != 1) {
        expiring_table_free(cache->table);
        free(cache);
        return NULL;
    }
    expiring_table_on_forget(cache->table, forget, cache);
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

void login_cache_free(struct login_cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < expiring_table_count(cache->table); i++)
        forget(cache, expiring_table_at(cache->table, i));
    expiring_table_free(cache->table);
    pthread_mutex_destroy(&cache->lock);
    OPENSSL_cleanse(cache, sizeof *cache);
    free(cache);
}

static void add(HMAC_CTX *hmac, struct str text)
{
    uint64_t length = text.n;
    HMAC_Update(hmac, (const uint8_t *)&length, sizeof length);
    HMAC_Update(hmac, (const uint8_t *)text.p, text.n);
}

static struct expiring_key digest(const struct login_cache *cache,
                                  const struct claim *claim)
{
    HMAC_CTX hmac;
    uint8_t octets[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    struct expiring_key key;
    const uint8_t kind = (uint8_t)claim->kind;
    HMAC_CTX_init(&hmac);
    HMAC_Init_ex(&hmac, cache->key, KEY_OCTETS, EVP_sha256(), NULL);
    HMAC_Update(&hmac, &kind, 1);
    add(&hmac, claim->name);
    add(&hmac, claim->authzid);
    add(&hmac, claim->secret);
    HMAC_Final(&hmac, octets, &length);
    HMAC_CTX_cleanup(&hmac);
    stack_wipe();
    memcpy(key.words, octets, sizeof key.words);
    return key;
}

static bool copy_answer(struct arena *arena, const struct login_answer *from,
                        struct login_answer *to)
{
    *to = (struct login_answer){
        .result = LOGIN_OK,
        .user = arena_str(arena, from->user),
        .addresses = arena_strs(arena, from->addresses, from->address_count),
        .address_count = from->address_count,
        .groups = arena_strs(arena, from->groups, from->group_count),
        .group_count = from->group_count,
    };
    return to->user.p != NULL && to->addresses != NULL && to->groups != NULL;
}

bool login_cache_find(struct login_cache *cache, const struct judged *judged,
                      uint64_t now_ms, struct arena *arena,
                      struct login_answer *out)
{
    struct expiring_key key = digest(cache, judged->claim);
    pthread_mutex_lock(&cache->lock);
    struct kept *const *found = expiring_table_find(cache->table, &key);
    bool is_found = found != NULL && *found != NULL &&
                    (*found)->edition == judged->edition &&
                    expiring_table_expiry(cache->table, found) > now_ms &&
                    copy_answer(arena, &(*found)->answer, out);
    pthread_mutex_unlock(&cache->lock);
    return is_found;
}

static struct kept *kept_new(const struct login_answer *answer)
{
    struct kept *kept = calloc(1, sizeof *kept);
    if (kept == NULL)
        return NULL;
    arena_init(&kept->arena, KEPT_MAX);
    if (copy_answer(&kept->arena, answer, &kept->answer))
        return kept;
    kept_free(kept);
    return NULL;
}

void login_cache_keep(struct login_cache *cache, const struct judged *judged,
                      const struct login_answer *answer, uint64_t now_ms,
                      uint64_t for_ms)
{
    struct kept *kept = for_ms == 0 ? NULL : kept_new(answer);
    if (kept == NULL)
        return;
    kept->edition = judged->edition;
    struct expiring_key key = digest(cache, judged->claim);
    pthread_mutex_lock(&cache->lock);
    struct kept **place =
        expiring_table_make_anyhow(cache->table, &key, now_ms);
    if (place != NULL) {
        kept_free(*place);
        *place = kept;
        expiring_table_set(cache->table, place, now_ms + for_ms);
    } else {
        kept_free(kept);
    }
    pthread_mutex_unlock(&cache->lock);
}
