/* One transaction, in the order in which its rules were asked then. What the
 * upstream said is as it was recorded; where it was not asked, because a rule
 * had refused what the candidate lets pass, it is taken to accept. */
#include "proxy/replay/replay_internal.h"

#include <stdlib.h>

#include "rules/domain_name.h"
#include "rules/ruleset.h"

#define MAIL_ARENA ((size_t)16 * 1024 * 1024)

/* --- opening --- */

static int by_time(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    if (x->moment != y->moment)
        return x->moment < y->moment ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void add_step(struct replayed_mail *mail, uint64_t at_us,
                     enum mail_moment moment, size_t index)
{
    if (at_us != RECORDED_NEVER)
        mail->steps[mail->step_count++] = (struct step){at_us, moment, index};
}

/* A size was exceeded while the message came, or it was refused at its
 * header: its end was read, but no rule asked. */
static uint64_t message_moment(const struct recorded *line)
{
    if (line->message_us != RECORDED_NEVER)
        return line->message_us;
    return line->has_message || line->stopped_at > 0 ? line->end_us
                                                     : RECORDED_NEVER;
}

static void plan(struct replayed_mail *mail)
{
    const struct recorded *line = &mail->line;
    uint64_t start =
        line->mail_us != RECORDED_NEVER ? line->mail_us : line->time_us;
    add_step(mail, start, MOMENT_MAIL, 0);
    for (size_t i = 0; i < line->recipient_count; i++) {
        const struct recorded_recipient *r = &line->recipients[i];
        if (r->to.p == NULL)
            continue;
        add_step(mail, r->at_us, MOMENT_RCPT, i);
        add_step(mail, r->answered_us, MOMENT_ANSWERED, i);
    }
    add_step(mail, line->data_us, MOMENT_DATA, 0);
    add_step(mail, line->header_us, MOMENT_HEADER, 0);
    add_step(mail, message_moment(line), MOMENT_MESSAGE, 0);
    add_step(mail, line->answer_us, MOMENT_ANSWER, 0);
    qsort(mail->steps, mail->step_count, sizeof *mail->steps, by_time);
    add_step(mail, line->end_us, MOMENT_END, 0);
}

struct replayed_mail *replayed_mail_open(struct engine *engine,
                                         struct replayed_session *session,
                                         struct recorded *line)
{
    struct replayed_mail *mail = calloc(1, sizeof *mail);
    size_t count = line->recipient_count;
    if (mail == NULL) {
        recorded_release(line);
        return NULL;
    }
    arena_init(&mail->arena, MAIL_ARENA);
    mail->line = *line;
    mail->steps = arena_array(&mail->arena, 2 * count + 6, sizeof *mail->steps);
    mail->recipients =
        arena_array(&mail->arena, count + 1, sizeof *mail->recipients);
    if (mail->steps == NULL || mail->recipients == NULL) {
        recorded_release(&mail->line);
        arena_release(&mail->arena);
        free(mail);
        return NULL;
    }
    mail->session = session;
    mail->actor.order = engine->orders++;
    plan(mail);
    mail->actor.next_us = mail->steps[0].at_us;
    session->mail = mail;
    engine->replay->transactions++;
    engine_push(engine, &mail->actor);
    return mail;
}

/* --- behind the envelope --- */

static struct str domain_of(struct str address)
{
    ptrdiff_t at = str_last_index(address, '@');
    return at < 0 ? STR("") : str_skip(address, (size_t)at + 1);
}

static bool add_domain(struct arena *arena, struct str *domains, size_t *count,
                       struct str mailbox)
{
    struct str domain = domain_canonical(arena, domain_of(mailbox));
    for (size_t i = 0; i < *count; i++)
        if (str_equals(domains[i], domain))
            return true;
    if (domain.n > 0)
        domains[(*count)++] = domain;
    return domain.p != NULL;
}

static void at_data(struct engine *engine, struct replayed_mail *mail,
                    uint64_t now_us)
{
    struct facts *facts = &mail->session->facts;
    size_t most = mail->line.recipient_count + 1, count = 0, domain_count = 0;
    struct str *accepted = arena_array(&mail->arena, most, sizeof *accepted);
    struct str *domains = arena_array(&mail->arena, most, sizeof *domains);
    struct verdict verdict;
    if (accepted == NULL || domains == NULL) {
        engine->failure = "out of memory";
        return;
    }
    for (size_t i = 0; i < mail->line.recipient_count; i++) {
        if (!mail->recipients[i].is_accepted)
            continue;
        accepted[count++] = mail->recipients[i].mailbox;
        (void)add_domain(&mail->arena, domains, &domain_count,
                         mail->recipients[i].mailbox);
    }
    if (count == 0) { /* the recipients tell the story */
        mail->is_over = true;
        dry_run_settle(&engine->dry, &mail->effects, false, now_us / 1000);
        return;
    }
    facts_set_list(facts, FACT_DATA_RECIPIENTS, accepted, count);
    facts_set_list(facts, FACT_DATA_DOMAINS, domains, domain_count);
    mail_ask(engine, mail, STAGE_DATA, now_us, &verdict);
    (void)mail_passes(engine, mail, STAGE_DATA, &verdict, now_us);
}

static void at_header(struct engine *engine, struct replayed_mail *mail,
                      uint64_t now_us)
{
    struct facts *facts = &mail->session->facts;
    struct verdict verdict;
    if (recorded_learn_header(&mail->line, &mail->arena, &mail->fields,
                              facts) != 0)
        engine->failure = "out of memory";
    for (size_t i = 0; i < mail->effects.edit_count; i++)
        (void)header_fields_edit(&mail->fields, &mail->effects.edits[i]);
    mail_ask(engine, mail, STAGE_HEADER, now_us, &verdict);
    (void)mail_passes(engine, mail, STAGE_HEADER, &verdict, now_us);
}

static void at_message(struct engine *engine, struct replayed_mail *mail,
                       uint64_t now_us)
{
    const struct recorded *line = &mail->line;
    struct facts *facts = &mail->session->facts;
    uint64_t octets =
        line->stopped_at > 0 ? line->stopped_at : line->message_bytes;
    struct verdict verdict;
    if (mail->effects.size_rule != NULL && octets > mail->effects.size_max) {
        evaluate_exceeded(facts, &mail->effects, engine->dry.scratch, octets,
                          &verdict);
        (void)mail_passes(engine, mail, STAGE_MESSAGE, &verdict, now_us);
        return;
    }
    if (!line->has_message)
        return;
    recorded_learn_message(line, facts);
    mail_ask(engine, mail, STAGE_MESSAGE, now_us, &verdict);
    (void)mail_passes(engine, mail, STAGE_MESSAGE, &verdict, now_us);
}

/* --- the end --- */

static bool was_refused_by_rule(const struct recorded *line)
{
    return line->verdict != RECORDED_ACCEPT &&
           line->verdict != RECORDED_ABORT && line->decision.by == BY_RULE;
}

static bool is_delivered(struct replayed_mail *mail)
{
    const struct recorded *line = &mail->line;
    bool has_recipient = false;
    if (mail->is_over)
        return false;
    for (size_t i = 0; i < line->recipient_count; i++)
        has_recipient = has_recipient || mail->recipients[i].is_accepted;
    /* Where the line has no recipients it was refused before them, or had no
     * room for them. */
    if (!has_recipient && line->recipient_count > 0 && line->cut_count == 0)
        return false;
    if (line->verdict == RECORDED_ACCEPT || line->is_uncertain)
        return true;
    if (!was_refused_by_rule(line))
        return false;
    mail->is_assumed = true;
    return true;
}

static void at_end(struct engine *engine, struct replayed_mail *mail,
                   uint64_t now_us)
{
    bool is_delivered_now = is_delivered(mail);
    if (!mail->is_over)
        dry_run_settle(&engine->dry, &mail->effects, is_delivered_now,
                       now_us / 1000);
    compare_mail(engine, mail);
    engine->replay->assumed += mail->is_assumed;
    engine->replay->not_judged += mail->is_not_judged;
}

/* The session's facts borrowed from this line. */
static void leave_session(struct engine *engine, struct replayed_mail *mail)
{
    struct replayed_session *session = mail->session;
    uint64_t end_us = mail->line.end_us;
    bool is_last = mail->is_last;
    session->mail = NULL;
    facts_init(&session->facts);
    if (session->has_line &&
        recorded_learn_connect(&session->line, &session->facts) != 0)
        engine->failure = "out of memory";
    recorded_release(&mail->line);
    arena_release(&mail->arena);
    free(mail);
    if (is_last)
        replayed_session_end(engine, session, end_us);
}

static void run_step(struct engine *engine, struct replayed_mail *mail,
                     const struct step *step)
{
    switch (step->moment) {
    case MOMENT_MAIL:
        envelope_mail(engine, mail, step->at_us);
        break;
    case MOMENT_RCPT:
        envelope_rcpt(engine, mail, step);
        break;
    case MOMENT_ANSWERED:
        envelope_answered(engine, mail, step);
        break;
    case MOMENT_DATA:
        at_data(engine, mail, step->at_us);
        break;
    case MOMENT_HEADER:
        at_header(engine, mail, step->at_us);
        break;
    case MOMENT_MESSAGE:
        at_message(engine, mail, step->at_us);
        break;
    case MOMENT_ANSWER:
        replayed_reply(engine, mail, NULL, STR(""), step->at_us);
        break;
    case MOMENT_END:
        break;
    }
}

void replayed_mail_step(struct engine *engine, struct replayed_mail *mail)
{
    const struct step *step = &mail->steps[mail->next_step++];
    if (step->moment == MOMENT_END) {
        at_end(engine, mail, step->at_us);
        leave_session(engine, mail);
        return;
    }
    if (!mail->is_over)
        run_step(engine, mail, step);
    mail->actor.next_us = mail->steps[mail->next_step].at_us;
    engine_push(engine, &mail->actor);
}

void replayed_mail_finish(struct engine *engine, struct replayed_mail *mail)
{
    engine_remove(engine, &mail->actor);
    while (mail->steps[mail->next_step].moment != MOMENT_END) {
        const struct step *step = &mail->steps[mail->next_step++];
        if (!mail->is_over)
            run_step(engine, mail, step);
    }
    mail->is_last = false;
    at_end(engine, mail, mail->line.end_us);
    leave_session(engine, mail);
}
