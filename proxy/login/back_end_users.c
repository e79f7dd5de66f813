/* Users files: the name is looked up at once, the password goes to the
 * hashing threads. A name that nobody has costs a hash as well. An answer is
 * always about what the files say when it is given: if they were read anew
 * while the password was hashed, it is hashed again. */
#include "proxy/login/back_end_users.h"

#include <stdlib.h>

#include "proxy/login/identity.h"

/* Of one login, whose line is bounded. */
#define ANSWER_CAP ((size_t)64 * 1024)

struct back_end {
    const struct users_shared *shared;
    struct loop *loop;
    struct hash_client *hashing;
};

struct question {
    struct back_end *back_end;
    const struct claim *claim;
    uint64_t edition;        /* that it was asked of */
    struct hash_query *hash; /* NULL: there is nothing to hash with */
    login_then *then;
    void *owner;
    bool is_cancelled;
    struct loop_later later;
};

static int hash(struct question *question);

static const char no_room[] = "more passwords wait to be checked than there is "
                              "room for, or memory is out";

/* What the files say of the user whose password was right. False: they are
 * others by now. */
static bool answer_of(const struct question *question, enum login_result result,
                      struct arena *arena, struct login_answer *out)
{
    struct book_keeper *keeper = question->back_end->shared->keeper;
    const struct user_book *book = book_keeper_lend(keeper);
    bool is_newest = question->edition == book_keeper_edition(keeper);
    *out = (struct login_answer){.result = result, .error = no_room};
    if (is_newest && result == LOGIN_OK)
        identity_of_user(user_book_find_name(book, question->claim->name),
                         arena, out);
    book_keeper_give_back(keeper);
    return is_newest;
}

static void on_hashed(void *owner, enum login_result result)
{
    struct question *question = owner;
    struct login_answer answer;
    struct arena arena;
    arena_init(&arena, ANSWER_CAP);
    bool is_newest = answer_of(question, result, &arena, &answer);
    if (is_newest || result == LOGIN_UNAVAILABLE || hash(question) != 0) {
        if (!is_newest)
            answer = (struct login_answer){.result = LOGIN_UNAVAILABLE,
                                           .error = no_room};
        question->then(question->owner, &answer);
        free(question);
    }
    arena_release(&arena);
}

/* There are no users at all. */
static void run_later(struct loop_later *later)
{
    struct question *question =
        (struct question *)((char *)later - offsetof(struct question, later));
    const struct login_answer failed = {.result = LOGIN_FAILED};
    if (!question->is_cancelled)
        question->then(question->owner, &failed);
    free(question);
}

/* 0, or -1 when out of memory. */
static int hash(struct question *question)
{
    const struct back_end *back_end = question->back_end;
    struct book_keeper *keeper = back_end->shared->keeper;
    const struct claim *claim = question->claim;
    const struct user_book *book = book_keeper_lend(keeper);
    const struct user *user = user_book_find_name(book, claim->name);
    bool is_stand_in = user == NULL || user->password.kind == PASSWORD_NONE;
    if (is_stand_in)
        user = user_book_stand_in(book, claim->name);
    question->edition = book_keeper_edition(keeper);
    question->hash = user == NULL
                         ? NULL
                         : hash_ask(back_end->hashing, claim, &user->password,
                                    is_stand_in, on_hashed, question);
    bool is_asked = question->hash != NULL;
    bool is_empty = user == NULL;
    book_keeper_give_back(keeper);
    if (is_empty)
        loop_later(back_end->loop, &question->later);
    return is_asked || is_empty ? 0 : -1;
}

static void *open_users(const struct back_end_means *means,
                        const struct backend_settings *settings, void *shared)
{
    struct back_end *back_end = calloc(1, sizeof *back_end);
    (void)settings;
    if (back_end == NULL)
        return NULL;
    back_end->shared = shared;
    back_end->loop = means->loop;
    back_end->hashing = hash_client_new(back_end->shared->threads, means->loop);
    if (back_end->hashing != NULL)
        return back_end;
    free(back_end);
    return NULL;
}

static void close_users(void *opened)
{
    struct back_end *back_end = opened;
    hash_client_free(back_end->hashing);
    free(back_end);
}

static void *ask(void *opened, const struct claim *claim, login_then *then,
                 void *owner)
{
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return NULL;
    *question = (struct question){.back_end = opened,
                                  .claim = claim,
                                  .then = then,
                                  .owner = owner,
                                  .later.run = run_later};
    if (hash(question) == 0)
        return question;
    free(question);
    return NULL;
}

static void cancel(void *asked)
{
    struct question *question = asked;
    question->is_cancelled = true;
    if (question->hash == NULL)
        return;
    hash_cancel(question->hash);
    free(question);
}

const struct back_end_kind back_end_users = {
    .name = "users",
    .claims = {[CLAIM_PASSWORD] = true},
    .open = open_users,
    .close = close_users,
    .ask = ask,
    .cancel = cancel,
};
