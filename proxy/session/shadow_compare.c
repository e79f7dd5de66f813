/* Where the candidate's verdict is held against the live one. What differs in
 * words alone is no difference. */
#include "proxy/session/session_reply.h"
#include "proxy/session/shadow_internal.h"
#include "rules/ruleset.h"

static bool is_refusal(const struct verdict *verdict)
{
    return verdict->kind != VERDICT_PASS;
}

static struct str rule_of(const struct verdict *verdict)
{
    return verdict->rule == NULL ? STR("") : rule_name(verdict->rule);
}

static bool have_same_fields(const struct header_fields *a,
                             const struct header_fields *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!str_equals(a->items[i].raw, b->items[i].raw))
            return false;
    return true;
}

static bool have_same_added(const struct effects *a, const struct effects *b)
{
    if (a->added_count != b->added_count)
        return false;
    for (size_t i = 0; i < a->added_count; i++)
        if (!str_equals_nocase(a->added[i].address, b->added[i].address))
            return false;
    return true;
}

static bool have_same_fact(const struct session *s, enum fact fact)
{
    return str_equals(facts_text(&s->facts, fact),
                      facts_text(&s->shadow->facts, fact));
}

/* What else than a refusal would have been different; NULL: nothing. */
static const char *edits_differ(const struct session *s, enum stage stage)
{
    const struct transaction *t = s->transaction;
    const struct shadow_mail *m = s->shadow->mail;
    if (t == NULL || m == NULL)
        return NULL;
    if (stage == STAGE_MAIL && !have_same_fact(s, FACT_MAIL_FROM))
        return "rewrite";
    if (stage == STAGE_RCPT && !have_same_fact(s, FACT_RCPT_TO))
        return "rewrite";
    if (stage == STAGE_RCPT && !str_equals(t->effects.route, m->effects.route))
        return "route";
    if (stage == STAGE_HEADER && !have_same_fields(&t->fields, &m->fields))
        return "header";
    if (stage == STAGE_HEADER && !have_same_added(&t->effects, &m->effects))
        return "recipients";
    return NULL;
}

static const char *differs(const struct session *s, enum stage stage,
                           const struct verdict *live)
{
    const struct verdict *mine = &s->shadow->verdict;
    if (live->kind != mine->kind || live->code != mine->code)
        return "verdict";
    if (is_refusal(live) && !str_equals(rule_of(live), rule_of(mine)))
        return "rule";
    return is_refusal(live) ? NULL : edits_differ(s, stage);
}

static const struct shadow_result *
keep_result(struct session *s, enum stage stage, const char *what)
{
    const struct verdict *mine = &s->shadow->verdict;
    struct arena *arena =
        s->transaction != NULL ? &s->transaction->arena : &s->shadow->arena;
    struct shadow_result *result = arena_alloc(arena, sizeof *result);
    if (result == NULL)
        return NULL;
    *result = (struct shadow_result){
        .kind = mine->kind,
        .stage = stage,
        .rule = arena_str(arena, rule_of(mine)),
        .differs = what,
    };
    if (is_refusal(mine)) {
        struct reply reply = reply_of_verdict(mine);
        result->reply.code = reply.code;
        result->reply.enhanced = arena_str(arena, reply.enhanced);
        result->reply.text = arena_str(arena, reply.text);
    }
    return result;
}

/* It is asked no more of this recipient. */
static void mark_refused(struct shadow_mail *m, size_t index)
{
    while (m->refused_count <= index) {
        bool *grown = arena_grow(&m->arena, m->refused, m->refused_count,
                                 &m->refused_capacity, sizeof *grown);
        if (grown == NULL)
            return;
        m->refused = grown;
        m->refused[m->refused_count++] = false;
    }
    m->refused[index] = true;
}

static void note_rcpt(struct session *s, const struct shadow_result *result)
{
    struct transaction *t = s->transaction;
    size_t index = t->recipient_count - 1;
    if (result->kind != VERDICT_PASS) {
        mark_refused(s->shadow->mail, index);
        shadow_settle_recipient(s, index);
    }
    t->recipients[index].shadow = result;
}

static void note_mail(struct session *s, const struct shadow_result *result,
                      const struct verdict *live)
{
    struct transaction *t = s->transaction;
    if (t->shadow == NULL)
        t->shadow = result;
    if (result->kind != VERDICT_PASS && !is_refusal(live))
        s->shadow->mail->is_over = true;
}

/* Whether nothing can follow. Whoever failed to log in is where it was. */
static bool ends_session(const struct session *s, enum stage stage,
                         const struct shadow_result *result)
{
    if (stage == STAGE_AUTH && !facts_know(&s->facts, FACT_AUTH_USER))
        return result->kind == VERDICT_CLOSE;
    return result->kind != VERDICT_PASS;
}

void shadow_compare(struct session *s, enum stage stage,
                    const struct verdict *live)
{
    struct shadow *shadow = s->shadow;
    if (shadow == NULL || !shadow->is_asked)
        return;
    shadow->is_asked = false;
    const char *what = differs(s, stage, live);
    const struct shadow_result *result =
        what == NULL ? NULL : keep_result(s, stage, what);
    if (result == NULL)
        return;
    if (s->transaction == NULL) {
        if (ends_session(s, stage, result) && !is_refusal(live))
            shadow->result = result;
    } else if (stage == STAGE_RCPT) {
        note_rcpt(s, result);
    } else {
        note_mail(s, result, live);
    }
}

void shadow_check_size(struct session *s, uint64_t octets)
{
    static const struct verdict PASS = {.kind = VERDICT_PASS};
    struct shadow *shadow = s->shadow;
    struct shadow_mail *m = shadow == NULL ? NULL : shadow->mail;
    if (m == NULL || m->is_over || m->effects.size_rule == NULL ||
        octets <= m->effects.size_max)
        return;
    evaluate_exceeded(&shadow->facts, &m->effects, s->host->scratch, octets,
                      &shadow->verdict);
    shadow->is_asked = true;
    shadow_compare(s, STAGE_MESSAGE, &PASS);
}
