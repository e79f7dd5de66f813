/* An upstream that clients have their login at: it is logged in to with what
 * the client gave. */
#include "proxy/login/back_end.h"

#include <stdlib.h>

#include "proxy/upstream/upstream_check.h"

struct back_end {
    struct upstreams *upstreams;
    const struct upstream_settings *upstream;
};

struct question {
    const struct claim *claim;
    struct upstream_check *check;
    login_then *then;
    void *owner;
};

static void *open_upstream(const struct back_end_means *means,
                           const struct backend_settings *settings,
                           void *shared)
{
    struct back_end *back_end = calloc(1, sizeof *back_end);
    (void)shared;
    if (back_end != NULL)
        *back_end = (struct back_end){means->upstreams, settings->upstream};
    return back_end;
}

/* An upstream tells no more of its users than that they are. */
static void tell(const struct question *question,
                 enum upstream_check_result result)
{
    struct login_answer answer = {.result = LOGIN_FAILED};
    char normal[LOGIN_NAME_ROOM];
    if (result == UPSTREAM_CHECK_OK)
        answer.user = login_normalise_to(question->claim->name, normal);
    if (answer.user.n > 0)
        answer.result = LOGIN_OK;
    if (result == UPSTREAM_CHECK_UNAVAILABLE) {
        answer.result = LOGIN_UNAVAILABLE;
        answer.error = "none of its servers could be asked";
    }
    question->then(question->owner, &answer);
}

static void on_checked(void *owner, enum upstream_check_result result)
{
    struct question *question = owner;
    tell(question, result);
    free(question);
}

static void *ask(void *opened, const struct claim *claim, login_then *then,
                 void *owner)
{
    const struct back_end *back_end = opened;
    const struct credentials credentials = {.user = claim->name,
                                            .secret = claim->secret,
                                            .session = claim->session};
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return NULL;
    *question = (struct question){claim, NULL, then, owner};
    question->check =
        upstream_check_start(back_end->upstreams, back_end->upstream,
                             claim->client, &credentials, on_checked, question);
    if (question->check != NULL)
        return question;
    free(question);
    return NULL;
}

static void cancel(void *asked)
{
    struct question *question = asked;
    upstream_check_cancel(question->check);
    free(question);
}

const struct back_end_kind back_end_upstream = {
    .name = "upstream",
    .claims = {[CLAIM_PASSWORD] = true},
    .open = open_upstream,
    .close = free,
    .ask = ask,
    .cancel = cancel,
};
