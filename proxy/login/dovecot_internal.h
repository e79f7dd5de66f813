/* The inside of the back-end that asks Dovecot, for back_end_dovecot.c (the
 * connection, and whom to tell when there is none) and dovecot_question.c
 * (questions and their answers). */
#ifndef PROXY_LOGIN_DOVECOT_INTERNAL_H
#define PROXY_LOGIN_DOVECOT_INTERNAL_H

#include "proxy/login/dovecot_link.h"
#include "proxy/login/login.h"
#include "proxy/net/timer.h"

#define DOVECOT_QUESTIONS_MAX 1000
/* Dovecot holds failures back for some seconds on purpose. */
#define DOVECOT_ANSWER_MS 30000
/* That a question is asked, when connections get lost. */
#define DOVECOT_TIMES_MAX 2

struct dovecot {
    struct loop *loop;
    struct server_log *log;
    char *path;                /* owned */
    struct dovecot_link *link; /* NULL: not connected */
    struct timer *retry;
    bool is_retrying;       /* the timer runs */
    uint64_t patient_to_ms; /* a lost connection may come back till then */
    struct question *first, *last; /* in the order in which they came */
    size_t count;
    uint32_t newest_id;
    char fault[300];             /* why the newest connection was lost */
    char line[DOVECOT_LINE_MAX]; /* wiped after each use */
};

enum question_state {
    QUESTION_WAITING, /* for an open connection */
    QUESTION_ASKED,
    QUESTION_DECIDED /* its answer is known, and comes from the timer */
};

struct question {
    struct question *next, *previous;
    struct dovecot *dovecot;
    const struct claim *claim; /* borrowed */
    login_then *then;
    void *owner;
    enum question_state state;
    struct timer *timer;
    uint32_t id;
    uint64_t asked_ms;
    unsigned times;     /* it was asked */
    bool was_continued; /* it has heard why it is refused */
    enum login_result decided;
    const char *fault; /* of a decision that it is unavailable; borrowed */
};

/* Waits, with `on_timer` due after the time limit. NULL: out of memory. */
struct question *question_new(struct dovecot *dovecot,
                              const struct claim *claim,
                              void (*on_timer)(void *question));
/* Tells the server, if it was asked, that nobody waits any more. */
void question_send_cancel(const struct question *question);
/* The same, and the question is gone. */
void question_cancel(struct question *question);
/* The answer comes at once, from the timer. */
void question_decide(struct question *question, enum login_result result,
                     const char *fault);
/* The question is gone when its owner hears the answer. */
void question_finish(struct question *question,
                     const struct login_answer *answer);
void question_fail(struct question *question, const char *fault);
/* The connection is open: asks. */
void question_put(struct question *question);

struct question *dovecot_find_waiting(const struct dovecot *dovecot);
/* An answer of the server's, to one of them. */
void dovecot_take_answer(struct dovecot *dovecot, enum dovecot_next kind,
                         const struct dovecot_answer *answer);

#endif
