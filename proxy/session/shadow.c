/* The candidate never waits: what it would ask a policy server counts as
 * DUNNO, and its delays hold nothing. So its verdict is there before the live
 * rules are asked, and is compared when theirs comes. */
#include "proxy/session/shadow.h"

#include <stdlib.h>

#include "proxy/session/shadow_internal.h"

#define SHADOW_ARENA_MAX (512 * 1024)
#define SHADOW_MAIL_ARENA_MAX (4 * 1024 * 1024)

/* --- budgets --- */

static void settle_hold(struct session *s, struct hold *hold, bool commits)
{
    struct shared_ledger *ledger = s->host->shadow_ledger;
    uint64_t now = loop_now_ms(s->host->loop);
    if (commits && hold->scope != HOLD_SESSION)
        shared_ledger_commit(ledger, hold, now);
    else
        shared_ledger_give_back(ledger, hold, now);
}

static bool is_refused(const struct shadow_mail *m, size_t index)
{
    return index < m->refused_count && m->refused[index];
}

void shadow_settle_recipient(struct session *s, size_t index)
{
    struct shadow_mail *m = s->shadow == NULL ? NULL : s->shadow->mail;
    for (size_t i = 0; m != NULL && i < m->effects.hold_count; i++) {
        struct hold *hold = &m->effects.holds[i];
        if (hold->scope == HOLD_RECIPIENT && hold->recipient == index)
            settle_hold(s, hold, false);
    }
}

static void apply_list_changes(struct session *s, struct effects *effects)
{
    for (size_t i = 0; i < effects->list_change_count; i++)
        (void)shared_ledger_apply(s->host->shadow_ledger,
                                  &effects->list_changes[i],
                                  loop_now_ms(s->host->loop));
    effects->list_change_count = 0;
}

/* --- facts --- */

/* Facts that the candidate's own rules may have changed, or that follow from
 * such: learned at their stage, its own from then on. */
static bool is_own(enum fact fact)
{
    switch (fact) {
    case FACT_MAIL_FROM:
    case FACT_RCPT_TO:
    case FACT_DATA_RECIPIENTS:
    case FACT_DATA_DOMAINS:
    case FACT_HEADERS_COUNT:
    case FACT_HEADERS_BYTES:
    case FACT_HEADERS_HOPS:
        return true;
    default:
        return false;
    }
}

static void learn_facts(struct session *s, enum stage stage)
{
    struct facts *facts = &s->shadow->facts;
    for (enum fact f = 0; f < FACT_COUNT; f++) {
        struct fact_ref ref = {.fact = f};
        enum stage learned = fact_stage(&ref);
        if (learned == stage || (learned < stage && !is_own(f)))
            facts_copy(facts, &s->facts, f);
        else if (learned > stage)
            facts_forget(facts, f);
    }
    if (stage < STAGE_HEADER)
        facts->header = NULL;
}

/* The recipients that both the upstream and the candidate accepted. */
static bool learn_recipients(struct session *s)
{
    const struct transaction *t = s->transaction;
    struct shadow_mail *m = s->shadow->mail;
    struct domain_set domains = {0};
    struct str *accepted =
        arena_array(&m->arena, t->recipient_count, sizeof *accepted);
    size_t count = 0;
    for (size_t i = 0; accepted != NULL && i < t->recipient_count; i++) {
        const struct recipient *r = &t->recipients[i];
        if (r->state != RECIPIENT_ACCEPTED || is_refused(m, i))
            continue;
        accepted[count++] = r->mailbox;
        if (domain_set_add(&domains, &m->arena, r->mailbox) != 0)
            return false;
    }
    facts_set_list(&s->shadow->facts, FACT_DATA_RECIPIENTS, accepted, count);
    facts_set_list(&s->shadow->facts, FACT_DATA_DOMAINS, domains.items,
                   domains.count);
    return count > 0;
}

/* The block as it came, with the candidate's own edits. False: no memory. */
static bool learn_header(struct session *s)
{
    struct shadow_mail *m = s->shadow->mail;
    struct facts *facts = &s->shadow->facts;
    header_fields_init(&m->fields, &m->arena);
    if (header_reader_fields(&s->transaction->header, &m->fields) != 0)
        return false;
    for (size_t i = 0; i < m->effects.edit_count; i++)
        if (header_fields_edit(&m->fields, &m->effects.edits[i]) == -1)
            return false;
    facts_set_header(facts, &m->fields);
    facts_set_number(facts, FACT_HEADERS_COUNT, m->fields.count);
    facts_set_number(facts, FACT_HEADERS_BYTES,
                     header_fields_bytes(&m->fields));
    facts_set_number(facts, FACT_HEADERS_HOPS, header_fields_hops(&m->fields));
    return true;
}

/* --- a transaction --- */

static struct shadow_mail *begin_mail(struct session *s)
{
    struct shadow *shadow = s->shadow;
    struct shadow_mail *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    arena_init(&m->arena,
               SHADOW_MAIL_ARENA_MAX +
                   4 * (size_t)session_settings(s)->caps.header_bytes);
    effects_init(&m->effects, &m->arena);
    m->effects.route = shadow->effects.route;
    shadow->mail = m;
    s->transaction->shadow = shadow->result;
    m->is_over = shadow->result != NULL;
    return m;
}

static bool was_recipient_accepted(const struct transaction *t, size_t index)
{
    return index < t->recipient_count &&
           t->recipients[index].state == RECIPIENT_ACCEPTED;
}

void shadow_end_transaction(struct session *s)
{
    const struct transaction *t = s->transaction;
    struct shadow *shadow = s->shadow;
    struct shadow_mail *m = shadow == NULL ? NULL : shadow->mail;
    if (m == NULL)
        return;
    bool commits =
        (t->verdict == TRANSACTION_ACCEPT || t->is_uncertain) && !m->is_over;
    for (size_t i = 0; i < m->effects.hold_count; i++) {
        struct hold *hold = &m->effects.holds[i];
        settle_hold(s, hold,
                    commits && (hold->scope != HOLD_RECIPIENT ||
                                was_recipient_accepted(t, hold->recipient)));
    }
    facts_forget_from(&shadow->facts, STAGE_MAIL);
    shadow->is_asked = false;
    shadow->mail = NULL;
    arena_release(&m->arena);
    free(m);
}

void shadow_free(struct session *s)
{
    struct shadow *shadow = s->shadow;
    if (shadow == NULL)
        return;
    for (size_t i = 0; i < shadow->effects.hold_count; i++)
        settle_hold(s, &shadow->effects.holds[i], false);
    arena_release(&shadow->arena);
    free(shadow);
    s->shadow = NULL;
}

/* --- asking --- */

static bool has_candidate(struct session *s)
{
    if (session_settings(s)->shadow == NULL || s->host->shadow_ledger == NULL)
        return false;
    if (s->shadow == NULL &&
        (s->shadow = calloc(1, sizeof *s->shadow)) != NULL) {
        arena_init(&s->shadow->arena, SHADOW_ARENA_MAX);
        facts_init(&s->shadow->facts);
        effects_init(&s->shadow->effects, &s->shadow->arena);
    }
    return s->shadow != NULL;
}

static void run(struct session *s, enum stage stage, struct effects *effects)
{
    struct shadow *shadow = s->shadow;
    struct evaluation e;
    struct question question;
    evaluate_start(&e, session_settings(s)->shadow, stage, &shadow->facts,
                   effects, s->host->scratch);
    while (evaluate(&e, &question, &shadow->verdict) == EVALUATE_QUESTION) {
        struct answer answer = {.action = STR("DUNNO")};
        if (question.kind != QUESTION_ASK)
            shared_ledger_answer(s->host->shadow_ledger, &question,
                                 loop_now_ms(s->host->loop), &answer);
        evaluate_answer(&e, &answer);
    }
    effects->delay_ms = 0;
    apply_list_changes(s, effects);
    shadow->is_asked = true;
}

/* What is held once a session is not held again by the mails in it. */
static void ask_auth_again(struct session *s, struct shadow_mail *m)
{
    const struct effects *mine = &s->shadow->effects;
    struct effects *effects = &m->effects;
    size_t before = mine->hold_count;
    effects->holds = arena_array(&m->arena, before + 1, sizeof *effects->holds);
    if (effects->holds == NULL)
        return;
    for (size_t i = 0; i < before; i++)
        effects->holds[i] = mine->holds[i];
    effects->hold_count = effects->hold_capacity = before;
    run(s, STAGE_AUTH, effects);
    effects->holds += before;
    effects->hold_count -= before;
    effects->hold_capacity -= before;
}

static void ask_mail(struct session *s, enum stage stage)
{
    struct shadow *shadow = s->shadow;
    struct shadow_mail *m = shadow->mail == NULL ? begin_mail(s) : shadow->mail;
    if (m == NULL || m->is_over)
        return;
    if (stage == STAGE_DATA && !learn_recipients(s))
        m->is_over = true;
    if (stage == STAGE_HEADER && !learn_header(s))
        m->is_over = true;
    if (m->is_over)
        return;
    if (stage == STAGE_RCPT) {
        m->effects.route = m->route;
        facts_set_text(&shadow->facts, FACT_UPSTREAM_NAME,
                       transaction_find_upstream(s, m->route)->name);
    }
    if (stage == STAGE_AUTH)
        ask_auth_again(s, m);
    else
        run(s, stage, &m->effects);
    if (stage <= STAGE_MAIL)
        m->route = m->effects.route;
}

/* What was refused of EHLO or a login is asked anew with the next one; only
 * who was sent away stays so. */
static void forget_refusal(struct shadow *shadow, enum stage stage)
{
    const struct shadow_result *result = shadow->result;
    if (result != NULL && result->stage == stage &&
        result->kind != VERDICT_CLOSE)
        shadow->result = NULL;
}

void shadow_ask(struct session *s, enum stage stage)
{
    if (!has_candidate(s))
        return;
    s->shadow->is_asked = false;
    if (s->transaction == NULL)
        forget_refusal(s->shadow, stage);
    learn_facts(s, stage);
    if (s->transaction != NULL)
        ask_mail(s, stage);
    else if (s->shadow->result == NULL)
        run(s, stage, &s->shadow->effects);
}

/* A live verdict may be awaited meanwhile: the candidate's stays. */
void shadow_ask_reply(struct session *s, const struct recipient *recipient)
{
    const struct transaction *t = s->transaction;
    struct shadow *shadow = s->shadow;
    struct shadow_mail *m = shadow == NULL ? NULL : shadow->mail;
    if (m == NULL || m->is_over || !has_candidate(s))
        return;
    if (recipient != NULL && is_refused(m, (size_t)(recipient - t->recipients)))
        return;
    struct verdict verdict = shadow->verdict;
    bool is_asked = shadow->is_asked;
    learn_facts(s, STAGE_REPLY);
    run(s, STAGE_REPLY, &m->effects);
    shadow->verdict = verdict;
    shadow->is_asked = is_asked;
}
