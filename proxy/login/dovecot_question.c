/* Questions to Dovecot, and what its answers make of them. */
#include "proxy/login/dovecot_internal.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/login/dovecot_claim.h"
#include "proxy/login/dovecot_user.h"

#define SHORT_LINE_MAX 64

struct question *question_new(struct dovecot *dovecot,
                              const struct claim *claim,
                              void (*on_timer)(void *question))
{
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return NULL;
    question->timer = timer_new(dovecot->loop, on_timer, question);
    if (question->timer == NULL) {
        free(question);
        return NULL;
    }
    timer_start(question->timer, DOVECOT_ANSWER_MS);
    question->dovecot = dovecot;
    question->claim = claim;
    question->previous = dovecot->last;
    *(dovecot->last == NULL ? &dovecot->first : &dovecot->last->next) =
        question;
    dovecot->last = question;
    dovecot->count++;
    return question;
}

static void free_question(struct question *question)
{
    struct dovecot *dovecot = question->dovecot;
    *(question->previous == NULL ? &dovecot->first
                                 : &question->previous->next) = question->next;
    *(question->next == NULL ? &dovecot->last : &question->next->previous) =
        question->previous;
    dovecot->count--;
    timer_free(question->timer);
    free(question);
}

void question_finish(struct question *question,
                     const struct login_answer *answer)
{
    login_then *then = question->then;
    void *owner = question->owner;
    free_question(question);
    then(owner, answer);
}

void question_fail(struct question *question, const char *fault)
{
    question_finish(question, &(struct login_answer){
                                  .result = LOGIN_UNAVAILABLE, .error = fault});
}

void question_decide(struct question *question, enum login_result result,
                     const char *fault)
{
    question->state = QUESTION_DECIDED;
    question->decided = result;
    question->fault = fault;
    timer_start(question->timer, 0);
}

void question_send_cancel(const struct question *question)
{
    char line[SHORT_LINE_MAX];
    size_t n = dovecot_write_cancel(question->id, line, sizeof line);
    if (question->state == QUESTION_ASKED)
        (void)dovecot_link_send(question->dovecot->link, str_span(line, n));
}

void question_cancel(struct question *question)
{
    question_send_cancel(question);
    free_question(question);
}

/* False: none of the server's mechanisms takes it. */
static bool write_claim(struct question *question, size_t *length)
{
    struct dovecot *dovecot = question->dovecot;
    enum dovecot_mechanism mechanism = dovecot_claim_mechanism(
        question->claim, dovecot_link_mechanisms(dovecot->link));
    *length = 0;
    if (mechanism == DOVECOT_MECHANISMS)
        return false;
    question->id = ++dovecot->newest_id;
    *length = dovecot_claim_write(question->claim, mechanism, question->id,
                                  dovecot->line, sizeof dovecot->line);
    return true;
}

/* A token that Dovecot has no mechanism for, and what is too long for it, may
 * still be another back-end's. */
void question_put(struct question *question)
{
    static const char *const no_plain =
        "its auth_mechanisms lack plain, in which Postern asks it";
    struct dovecot *dovecot = question->dovecot;
    size_t length;
    bool is_taken = write_claim(question, &length);
    if (!is_taken && question->claim->kind == CLAIM_PASSWORD) {
        question_decide(question, LOGIN_UNAVAILABLE, no_plain);
    } else if (length == 0) {
        question_decide(question, LOGIN_FAILED, NULL);
    } else if (dovecot_link_send(dovecot->link,
                                 str_span(dovecot->line, length)) == 0) {
        question->state = QUESTION_ASKED;
        question->times++;
        question->asked_ms = loop_now_ms(dovecot->loop);
    } else {
        question_decide(question, LOGIN_UNAVAILABLE,
                        "it does not read what it is asked");
    }
    explicit_bzero(dovecot->line, length);
}

static void tell_remarks(struct dovecot *dovecot,
                         const struct dovecot_remarks *remarks)
{
    if (remarks->dropped > 0)
        server_log_write(dovecot->log, SERVER_WARNING,
                         "Dovecot (%s) gave a login %zu words in addresses= "
                         "or groups= that can't be such; they are left out",
                         dovecot->path, remarks->dropped);
    if (remarks->is_proxied)
        server_log_write(dovecot->log, SERVER_WARNING,
                         "Dovecot (%s) gave a login the field proxy: another "
                         "server is to check its password, so that it is "
                         "refused here; ask that server's Dovecot instead",
                         dovecot->path);
}

static void take_ok(struct question *question,
                    const struct dovecot_answer *answer)
{
    struct dovecot_remarks remarks;
    struct login_answer out;
    struct arena arena;
    arena_init(&arena, DOVECOT_ARENA_MAX);
    dovecot_user_read(answer, &arena, &out, &remarks);
    tell_remarks(question->dovecot, &remarks);
    question_finish(question, &out);
    arena_release(&arena);
}

/* user_disabled, pass_expired and authz refuse a login as a wrong password
 * does. */
static void take_fail(struct question *question,
                      const struct dovecot_answer *answer)
{
    struct login_answer out = {.result = LOGIN_FAILED};
    struct arena arena;
    arena_init(&arena, DOVECOT_ARENA_MAX);
    if (dovecot_failure_is_temporary(answer, &arena)) {
        out.result = LOGIN_UNAVAILABLE;
        out.error = "it reports a temporary failure; see Dovecot's log";
    }
    arena_release(&arena);
    question_finish(question, &out);
}

/* OAuth's mechanisms say so why they refuse, and wait for a response without
 * a meaning. */
static void take_cont(struct question *question)
{
    struct dovecot_link *link = question->dovecot->link;
    char line[SHORT_LINE_MAX];
    size_t n = dovecot_write_last_response(question->id, line, sizeof line);
    if (question->claim->kind == CLAIM_TOKEN && !question->was_continued &&
        dovecot_link_send(link, str_span(line, n)) == 0) {
        question->was_continued = true;
        return;
    }
    question_send_cancel(question);
    question_fail(question, "it asks for more than there is to say");
}

struct question *dovecot_find_waiting(const struct dovecot *dovecot)
{
    struct question *question = dovecot->first;
    while (question != NULL && question->state != QUESTION_WAITING)
        question = question->next;
    return question;
}

static struct question *find_asked(const struct dovecot *dovecot, uint32_t id)
{
    struct question *question = dovecot->first;
    while (question != NULL &&
           (question->state != QUESTION_ASKED || question->id != id))
        question = question->next;
    return question;
}

/* That of a question which was cancelled may still come. */
void dovecot_take_answer(struct dovecot *dovecot, enum dovecot_next kind,
                         const struct dovecot_answer *answer)
{
    struct question *question = find_asked(dovecot, answer->id);
    if (question == NULL)
        return;
    if (kind == DOVECOT_OK)
        take_ok(question, answer);
    else if (kind == DOVECOT_FAIL)
        take_fail(question, answer);
    else
        take_cont(question);
}
