#include "proxy/login/back_ends.h"

#include <stdlib.h>

/* One that is away now and then is told of once. */
#define BACK_AGAIN_MS 10000

static const struct back_end_kind *const kinds[] = {
    [BACKEND_USERS] = &back_end_users,
    [BACKEND_DOVECOT] = &back_end_dovecot,
    [BACKEND_UPSTREAM] = &back_end_upstream,
    [BACKEND_JWT] = &back_end_jwt,
    [BACKEND_INTROSPECT] = &back_end_introspect,
};

static int prepare(struct back_end_entry *entry,
                   const struct backend_settings *settings,
                   struct users_shared *users, struct files *files,
                   struct diags *diags)
{
    entry->settings = settings;
    entry->kind = kinds[settings->kind];
    if (settings->kind == BACKEND_USERS)
        entry->shared = users;
    return entry->kind->prepare == NULL
               ? 0
               : entry->kind->prepare(settings, files, diags, &entry->shared);
}

/* The users files are one book, asked where the first of them stands; the
 * configuration has them one behind the other. */
static bool is_of_the_book(const struct auth_settings *auth, size_t i)
{
    return i > 0 && auth->backends[i].kind == BACKEND_USERS &&
           auth->backends[i - 1].kind == BACKEND_USERS;
}

int back_ends_prepare(struct back_ends *back_ends,
                      const struct auth_settings *auth,
                      struct users_shared *users, struct files *files,
                      struct diags *diags)
{
    int result = 0;
    back_ends->items =
        calloc(auth->backend_count + 1, sizeof *back_ends->items);
    if (back_ends->items == NULL) {
        diags_error(diags, (struct mark){.file = "backends"}, "out of memory");
        return -1;
    }
    for (size_t i = 0; i < auth->backend_count; i++)
        if (!is_of_the_book(auth, i) &&
            prepare(&back_ends->items[back_ends->count++], &auth->backends[i],
                    users, files, diags) != 0)
            result = -1;
    return result;
}

bool back_ends_renew(struct back_ends *back_ends, struct back_ends *fresh,
                     struct server_log *log)
{
    bool has_changed = false;
    for (size_t i = 0; i < back_ends->count && i < fresh->count; i++) {
        const struct back_end_entry *entry = &back_ends->items[i];
        if (entry->kind->renew != NULL &&
            entry->kind->renew(entry->shared, fresh->items[i].shared, log))
            has_changed = true;
    }
    return has_changed;
}

void back_ends_release(struct back_ends *back_ends)
{
    for (size_t i = 0; i < back_ends->count; i++)
        if (back_ends->items[i].kind->discard != NULL)
            back_ends->items[i].kind->discard(back_ends->items[i].shared);
    free(back_ends->items);
    *back_ends = (struct back_ends){0};
}

bool back_ends_take(const struct back_ends *back_ends, enum claim_kind kind)
{
    for (size_t i = 0; i < back_ends->count; i++)
        if (back_ends->items[i].kind->claims[kind])
            return true;
    return false;
}

bool back_ends_are_users(const struct back_ends *back_ends)
{
    for (size_t i = 0; i < back_ends->count; i++)
        if (back_ends->items[i].kind->claims[CLAIM_PASSWORD] &&
            back_ends->items[i].kind != &back_end_users)
            return false;
    return true;
}

/* As the configuration names it. */
static const char *where(const struct back_end_entry *entry)
{
    const struct backend_settings *settings = entry->settings;
    switch (settings->kind) {
    case BACKEND_USERS:
        return settings->users;
    case BACKEND_DOVECOT:
        return settings->dovecot;
    case BACKEND_UPSTREAM:
        return settings->upstream->name.p;
    case BACKEND_JWT:
        return settings->jwt->jwks;
    case BACKEND_INTROSPECT:
        return settings->introspect->url.p;
    case BACKEND_NONE:
        break;
    }
    return "";
}

void back_ends_note(struct back_end_entry *entry,
                    const struct login_answer *answer, struct server_log *log,
                    uint64_t now_ms)
{
    if (answer->result == LOGIN_UNAVAILABLE) {
        atomic_store(&entry->away_ms, now_ms);
        if (!atomic_exchange(&entry->is_away, true))
            server_log_write(log, SERVER_ERROR,
                             "auth.backends: %s %s can't be asked: %s; logins "
                             "are answered 454 until it can",
                             entry->kind->name, where(entry),
                             answer->error == NULL ? "?" : answer->error);
        return;
    }
    /* Each worker has its own idea of now: that of another may lie ahead. */
    if (atomic_load(&entry->is_away) &&
        now_ms >= atomic_load(&entry->away_ms) + BACK_AGAIN_MS &&
        atomic_exchange(&entry->is_away, false))
        server_log_write(log, SERVER_INFO, "auth.backends: %s %s answers again",
                         entry->kind->name, where(entry));
}
