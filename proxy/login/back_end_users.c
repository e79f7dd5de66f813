/* Users files: the name is looked up at once, the password goes to the
 * hashing threads. A name that nobody has costs a hash as well. */
#include "proxy/login/back_end_users.h"

#include <stdlib.h>

#include "proxy/login/identity.h"

struct back_end {
    const struct users_shared *shared;
    struct loop *loop;
    struct hash_client *hashing;
};

struct question {
    const struct user *user; /* NULL: nobody has that name */
    struct hash_query *hash; /* NULL: there is nothing to hash with */
    login_then *then;
    void *owner;
    bool is_cancelled;
    struct loop_later later;
};

static void tell(const struct question *question, enum login_result result)
{
    const struct user *user = question->user;
    struct login_answer answer = {.result = result};
    if (result == LOGIN_OK)
        identity_of_user(user, &answer);
    else
        answer.error = "more passwords wait to be checked than there is room "
                       "for, or memory is out";
    question->then(question->owner, &answer);
}

static void on_hashed(void *owner, enum login_result result)
{
    struct question *question = owner;
    tell(question, result);
    free(question);
}

/* There are no users at all. */
static void run_later(struct loop_later *later)
{
    struct question *question =
        (struct question *)((char *)later - offsetof(struct question, later));
    if (!question->is_cancelled)
        tell(question, LOGIN_FAILED);
    free(question);
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
    struct back_end *back_end = opened;
    const struct user_book *book = back_end->shared->book;
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return NULL;
    *question =
        (struct question){.then = then, .owner = owner, .later.run = run_later};
    question->user = user_book_find_name(book, claim->name);
    bool is_stand_in = question->user == NULL ||
                       question->user->password.kind == PASSWORD_NONE;
    const struct user *user =
        is_stand_in ? user_book_stand_in(book, claim->name) : question->user;
    if (user == NULL) {
        loop_later(back_end->loop, &question->later);
        return question;
    }
    question->hash = hash_ask(back_end->hashing, claim, &user->password,
                              is_stand_in, on_hashed, question);
    if (question->hash != NULL)
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
