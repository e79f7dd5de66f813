/* MAIL and its recipients: the login asked again, the reverse path, each
 * recipient with its route, and what the upstream said of it then. */
#include "proxy/replay/replay_internal.h"
#include "rules/ruleset.h"

static struct str upstream_of(const struct engine *engine,
                              const struct replayed_mail *mail)
{
    const struct settings *settings = engine->settings;
    struct str route =
        mail->effects.route.n > 0 ? mail->effects.route : mail->route;
    for (size_t i = 0; route.n == 0 && i < settings->listener_count; i++)
        if (mail->line.listener.p != NULL &&
            str_equals(settings->listeners[i].name, mail->line.listener))
            route = settings->listeners[i].upstream->name;
    return route;
}

/* As a session learns it. */
static void learn_upstream(const struct engine *engine,
                           const struct replayed_mail *mail, enum stage stage)
{
    struct facts *facts = &mail->session->facts;
    struct str name = mail->upstream;
    if (stage < STAGE_RCPT || stage == STAGE_REPLY)
        return;
    if (name.n == 0 ||
        (stage == STAGE_RCPT && engine->settings->split == SPLIT_DEFER))
        name = upstream_of(engine, mail);
    if (name.n > 0)
        facts_set_text(facts, FACT_UPSTREAM_NAME, name);
    else
        facts_forget(facts, FACT_UPSTREAM_NAME);
}

void mail_ask(struct engine *engine, struct replayed_mail *mail,
              enum stage stage, uint64_t now_us, struct verdict *verdict)
{
    learn_upstream(engine, mail, stage);
    engine_ask(engine, stage, &mail->line, &mail->session->facts,
               &mail->effects, now_us, mail, verdict);
}

void mail_refuse(struct engine *engine, struct replayed_mail *mail,
                 const struct refusal *refusal, uint64_t now_us)
{
    mail->refusal = *refusal;
    mail->is_over = true;
    dry_run_settle(&engine->dry, &mail->effects, false, now_us / 1000);
}

bool mail_passes(struct engine *engine, struct replayed_mail *mail,
                 enum stage stage, const struct verdict *verdict,
                 uint64_t now_us)
{
    struct refusal refusal;
    refusal_of_verdict(&refusal, stage, verdict);
    if (refusal.is_set)
        mail_refuse(engine, mail, &refusal, now_us);
    return !refusal.is_set;
}

/* What is counted once a session stays counted, in its own memory. */
static void keep_session_holds(struct engine *engine,
                               struct replayed_session *session,
                               struct effects *again)
{
    struct effects *mine = &session->effects;
    for (size_t i = mine->hold_count; i < again->hold_count; i++) {
        struct hold hold = again->holds[i];
        hold.key = arena_str(&session->arena, hold.key);
        if (hold.member.p != NULL)
            hold.member = arena_str(&session->arena, hold.member);
        if (hold.key.p == NULL || effects_add_hold(mine, &hold) != 0)
            engine->failure = "out of memory";
    }
    again->holds = NULL;
    again->hold_count = again->hold_capacity = 0;
}

/* The arrays look full: what is appended grows into the mail's own memory,
 * and the session's stay as they were. */
static void begin_effects(struct replayed_mail *mail, bool is_login)
{
    const struct effects *from = &mail->session->effects;
    effects_init(&mail->effects, &mail->arena);
    mail->effects.route = from->route;
    if (!is_login)
        return;
    mail->effects.holds = from->holds;
    mail->effects.hold_count = mail->effects.hold_capacity = from->hold_count;
}

static bool login_stands(struct engine *engine, struct replayed_mail *mail,
                         uint64_t now_us)
{
    struct replayed_session *session = mail->session;
    bool is_login = mail->line.auth_user.p != NULL;
    struct verdict verdict;
    begin_effects(mail, is_login);
    if (!is_login)
        return true;
    mail_ask(engine, mail, STAGE_AUTH, now_us, &verdict);
    keep_session_holds(engine, session, &mail->effects);
    if (verdict.kind != VERDICT_PASS) {
        verdict.code = 421;
        verdict.enhanced = STR("4.7.0");
    }
    return mail_passes(engine, mail, STAGE_AUTH, &verdict, now_us);
}

static void learn_session(struct engine *engine, struct replayed_mail *mail)
{
    struct facts *facts = &mail->session->facts;
    struct recorded *line = &mail->line;
    struct recorded_helo helo = {.name = line->helo_name,
                                 .verb = line->helo_verb};
    facts_init(facts);
    if (recorded_learn_connect(line, facts) != 0)
        engine->failure = "out of memory";
    recorded_learn_tls(line, facts);
    recorded_learn_helo(&helo, facts);
    recorded_learn_auth(line, facts);
    recorded_learn_mail(line, facts);
}

void envelope_mail(struct engine *engine, struct replayed_mail *mail,
                   uint64_t now_us)
{
    struct replayed_session *session = mail->session;
    struct facts *facts = &session->facts;
    struct verdict verdict;
    learn_session(engine, mail);
    if (session->refusal.is_set || session->at_helo.is_set) {
        effects_init(&mail->effects, &mail->arena);
        mail_refuse(engine, mail,
                    session->refusal.is_set ? &session->refusal
                                            : &session->at_helo,
                    now_us);
        return;
    }
    if (!login_stands(engine, mail, now_us))
        return;
    mail_ask(engine, mail, STAGE_MAIL, now_us, &verdict);
    mail->mail_sent = facts_text(facts, FACT_MAIL_FROM);
    mail->route = mail->effects.route;
    (void)mail_passes(engine, mail, STAGE_MAIL, &verdict, now_us);
}

/* Two recipients of one mail take different routes: the second waits, or goes
 * along. */
static bool route_is_fine(const struct engine *engine,
                          struct replayed_mail *mail,
                          struct replayed_recipient *r)
{
    struct str upstream = upstream_of(engine, mail);
    if (mail->upstream.n == 0)
        mail->upstream = upstream;
    if (str_equals(mail->upstream, upstream) ||
        engine->settings->split == SPLIT_FIRST)
        return true;
    r->refusal = (struct refusal){
        .is_set = true,
        .stage = STAGE_RCPT,
        .reply = {452, STR("4.5.3"),
                  STR("This recipient takes another route, send it "
                      "separately")}};
    return false;
}

static bool was_refused_for_route(const struct recorded_recipient *then)
{
    return then->decision.by == BY_POSTERN &&
           then->decision.reply.code == 452 &&
           str_equals(then->decision.reply.enhanced, STR("4.5.3"));
}

/* What becomes of a recipient that the candidate lets pass. */
static void go_on(struct replayed_mail *mail,
                  const struct recorded_recipient *then,
                  struct replayed_recipient *now)
{
    bool was_not_asked = then->answered_us == RECORDED_NEVER;
    now->is_asked = true;
    now->is_accepted = then->verdict == RECORDED_ACCEPT;
    if (was_not_asked &&
        (then->decision.by == BY_RULE || was_refused_for_route(then)) &&
        then->decision.reply.code != 0) {
        now->is_accepted = true;
        mail->is_assumed = true;
    }
}

void envelope_rcpt(struct engine *engine, struct replayed_mail *mail,
                   const struct step *step)
{
    const struct recorded_recipient *then = &mail->line.recipients[step->index];
    struct replayed_recipient *now = &mail->recipients[step->index];
    struct facts *facts = &mail->session->facts;
    struct verdict verdict;
    recorded_learn_rcpt(&mail->line, step->index, facts);
    mail->effects.route = mail->route;
    mail_ask(engine, mail, STAGE_RCPT, step->at_us, &verdict);
    now->mailbox = facts_text(facts, FACT_RCPT_TO);
    refusal_of_verdict(&now->refusal, STAGE_RCPT, &verdict);
    if (!now->refusal.is_set && route_is_fine(engine, mail, now))
        go_on(mail, then, now);
    bool is_waiting =
        then->answered_us != RECORDED_NEVER || then->verdict == RECORDED_ABORT;
    if (now->refusal.is_set || (!now->is_accepted && !is_waiting))
        dry_run_settle_recipient(&engine->dry, &mail->effects, step->index,
                                 step->at_us / 1000);
}

void replayed_reply(struct engine *engine, struct replayed_mail *mail,
                    const struct recorded_recipient *recipient,
                    struct str mailbox, uint64_t now_us)
{
    struct facts *facts = &mail->session->facts;
    struct verdict ignored;
    recorded_learn_reply(&mail->line, recipient, facts);
    if (recipient != NULL)
        facts_set_text(facts, FACT_REPLY_TO, mailbox);
    mail_ask(engine, mail, STAGE_REPLY, now_us, &ignored);
}

void envelope_answered(struct engine *engine, struct replayed_mail *mail,
                       const struct step *step)
{
    const struct recorded_recipient *then = &mail->line.recipients[step->index];
    struct replayed_recipient *now = &mail->recipients[step->index];
    if (!now->is_asked)
        return;
    if (then->upstream.code != 0)
        replayed_reply(engine, mail, then, now->mailbox, step->at_us);
    if (!now->is_accepted)
        dry_run_settle_recipient(&engine->dry, &mail->effects, step->index,
                                 step->at_us / 1000);
}
