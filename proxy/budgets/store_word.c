#include "proxy/budgets/store_word.h"

#include "proxy/log/server_log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASONS_MAX 8 /* of one outage; further ones are not said */
#define REASON_MAX 200

struct store_word {
    const struct limits_settings *settings; /* borrowed */
    struct server_log *log;                 /* borrowed */
    pthread_mutex_t lock;                   /* of what follows */
    size_t away;                            /* links */
    uint64_t since_ms;
    char reasons[REASONS_MAX][REASON_MAX]; /* that were said */
    size_t reason_count;
};

struct store_word *store_word_new(const struct limits_settings *settings,
                                  struct server_log *log)
{
    struct store_word *word = calloc(1, sizeof *word);
    if (word == NULL)
        return NULL;
    word->settings = settings;
    word->log = log;
    pthread_mutex_init(&word->lock, NULL);
    return word;
}

void store_word_free(struct store_word *word)
{
    if (word == NULL)
        return;
    pthread_mutex_destroy(&word->lock);
    free(word);
}

static const char *policy_words(const struct store_word *word)
{
    switch (word->settings->on_store_failure) {
    case ON_STORE_FAILURE_DEFER:
        return "what asks it is deferred";
    case ON_STORE_FAILURE_ALLOW:
        return "what asks it is allowed";
    default:
        return "this server's own budgets count meanwhile";
    }
}

/* Whether it is to be said. */
static bool is_news(struct store_word *word, const char *why)
{
    for (size_t i = 0; i < word->reason_count; i++)
        if (strncmp(word->reasons[i], why, REASON_MAX - 1) == 0)
            return false;
    if (word->reason_count == REASONS_MAX)
        return false;
    snprintf(word->reasons[word->reason_count++], REASON_MAX, "%s", why);
    return true;
}

void store_word_away(struct store_word *word, bool is_again, const char *why,
                     uint64_t now_ms)
{
    if (word == NULL)
        return;
    pthread_mutex_lock(&word->lock);
    if (word->away == 0)
        word->since_ms = now_ms;
    if (!is_again)
        word->away++;
    if (is_news(word, why))
        server_log_write(word->log, SERVER_WARNING,
                         "limits.store %.*s is away: %s (on_store_failure: %s)",
                         (int)word->settings->store_text.n,
                         word->settings->store_text.p, why, policy_words(word));
    pthread_mutex_unlock(&word->lock);
}

/* Whether it was the last. */
static bool take_one(struct store_word *word)
{
    if (--word->away > 0)
        return false;
    word->reason_count = 0;
    return true;
}

void store_word_back(struct store_word *word, uint64_t now_ms)
{
    if (word == NULL)
        return;
    pthread_mutex_lock(&word->lock);
    if (take_one(word))
        server_log_write(
            word->log, SERVER_WARNING, "limits.store %.*s is back after %llu s",
            (int)word->settings->store_text.n, word->settings->store_text.p,
            (unsigned long long)((now_ms - word->since_ms + 500) / 1000));
    pthread_mutex_unlock(&word->lock);
}

void store_word_leave(struct store_word *word)
{
    if (word == NULL)
        return;
    pthread_mutex_lock(&word->lock);
    (void)take_one(word);
    pthread_mutex_unlock(&word->lock);
}
