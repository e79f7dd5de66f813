/* What was decided then beside what the candidate decides. A decision is its
 * rule, its stage and its reply; figures of a limit that the reply names move
 * with the clock and are not compared. */
#include "proxy/replay/replay_internal.h"

#include <stdio.h>
#include <string.h>

#include "rules/ruleset.h"

#define SHOWN_MAX 160

/* --- noting --- */

static void show(const struct refusal *refusal, char to[SHOWN_MAX])
{
    const struct reply *reply = &refusal->reply;
    if (!refusal->is_set)
        snprintf(to, SHOWN_MAX, "passed");
    else
        snprintf(to, SHOWN_MAX, "%s: %d %.*s %.*s", stage_name(refusal->stage),
                 reply->code, (int)reply->enhanced.n,
                 reply->enhanced.n == 0 ? "" : reply->enhanced.p,
                 (int)str_head(reply->text, 100).n,
                 reply->text.n == 0 ? "" : reply->text.p);
}

static struct str user_of(const struct recorded *line)
{
    if (line->auth_user.p != NULL)
        return line->auth_user;
    return line->auth_name.p != NULL ? line->auth_name : STR("");
}

static void note(struct engine *engine, const struct recorded *line,
                 enum replay_change change, struct str rule, uint64_t time_us,
                 const char *before, const char *after)
{
    struct replay_finding finding = {
        .change = change,
        .rule = rule.n > 0 ? rule : STR("(none)"),
        .time_us = time_us,
        .id = line->id.p == NULL ? STR("") : line->id,
        .user = user_of(line),
        .before = str_from(before),
        .after = str_from(after),
    };
    if (replay_note(engine->replay, &finding) != 0)
        engine->failure = "out of memory";
}

/* Each rule counts once a mail, however many recipients it met. */
static void note_mail(struct engine *engine, struct replayed_mail *mail,
                      enum replay_change change, struct str rule,
                      const char *before, const char *after)
{
    size_t most = sizeof mail->noted / sizeof mail->noted[0];
    mail->changes[change] = true;
    for (size_t i = 0; i < mail->noted_count; i++)
        if (mail->noted[i].change == change &&
            str_equals(mail->noted[i].rule, rule))
            return;
    if (mail->noted_count < most)
        mail->noted[mail->noted_count++] =
            (struct replay_finding){.change = change, .rule = rule};
    note(engine, &mail->line, change, rule, mail->line.time_us, before, after);
}

/* --- two decisions --- */

static bool has_figures(const struct refusal *now)
{
    const struct template *text = now->of == NULL ? NULL : &now->of->reply.text;
    for (size_t i = 0; text != NULL && i < text->count; i++)
        if (text->segments[i].kind == SEGMENT_LIMIT_USED ||
            text->segments[i].kind == SEGMENT_LIMIT_LEFT ||
            text->segments[i].kind == SEGMENT_LIMIT_RETRY_AFTER)
            return true;
    return false;
}

/* What stands in a log is cut at its ends. */
static bool is_same_text(struct str then, struct str now)
{
    return str_equals(then, now) ||
           (then.n >= 900 && str_starts_with(now, then));
}

static bool is_same(const struct refusal *then, const struct refusal *now)
{
    return then->stage == now->stage && str_equals(then->rule, now->rule) &&
           then->reply.code == now->reply.code &&
           str_equals(then->reply.enhanced, now->reply.enhanced) &&
           (has_figures(now) ||
            is_same_text(then->reply.text, now->reply.text));
}

/* A rule that broke was answered for by the server. */
static bool is_of_policy(const struct recorded_decision *decision)
{
    if (decision->reply.code == 0 || decision->by == BY_UPSTREAM)
        return false;
    return decision->by == BY_RULE ||
           str_equals(decision->reply.text,
                      STR("A rule of this server failed, try again later"));
}

static struct refusal refusal_then(const struct recorded_decision *decision,
                                   enum stage stage)
{
    if (!is_of_policy(decision))
        return (struct refusal){.stage = stage};
    return (struct refusal){
        .is_set = true,
        .stage = stage,
        .rule = decision->rule.p == NULL ? STR("") : decision->rule,
        .reply = decision->reply,
    };
}

/* Whether they differ, and how. */
static bool find_change(const struct refusal *then, const struct refusal *now,
                        enum replay_change *change, struct str *rule)
{
    if (!then->is_set && !now->is_set)
        return false;
    if (then->is_set && now->is_set && is_same(then, now))
        return false;
    *change = !then->is_set  ? NEWLY_REFUSED
              : !now->is_set ? NEWLY_PASSED
                             : CHANGED;
    *rule = now->is_set ? now->rule : then->rule;
    return true;
}

void compare_session(struct engine *engine,
                     const struct replayed_session *session,
                     const struct recorded *line, enum stage stage,
                     const struct recorded_decision *decision,
                     const struct refusal *now, uint64_t now_us)
{
    struct refusal then = refusal_then(decision, stage);
    enum replay_change change;
    struct str rule;
    char before[SHOWN_MAX], after[SHOWN_MAX];
    (void)session;
    if (!find_change(&then, now, &change, &rule))
        return;
    show(&then, before);
    show(now, after);
    engine->replay->session_counts[change]++;
    note(engine, line, change, rule, now_us, before, after);
}

/* --- a mail --- */

static bool compare_refusals(struct engine *engine, struct replayed_mail *mail,
                             const struct refusal *then,
                             const struct refusal *now)
{
    enum replay_change change;
    struct str rule;
    char before[SHOWN_MAX], after[SHOWN_MAX];
    if (!find_change(then, now, &change, &rule))
        return false;
    show(then, before);
    show(now, after);
    note_mail(engine, mail, change, rule, before, after);
    return true;
}

/* As far as one refusal is about the whole mail. */
static struct refusal whole_then(const struct recorded *line)
{
    bool is_whole = line->has_stage && line->verdict != RECORDED_ACCEPT &&
                    line->stage != STAGE_RCPT && line->stage != STAGE_REPLY;
    if (is_whole)
        return refusal_then(&line->decision, line->stage);
    return (struct refusal){.is_set = false};
}

static void compare_recipients(struct engine *engine,
                               struct replayed_mail *mail)
{
    for (size_t i = 0; i < mail->line.recipient_count; i++) {
        const struct recorded_recipient *r = &mail->line.recipients[i];
        if (r->to.p == NULL || r->at_us == RECORDED_NEVER)
            continue;
        struct refusal then = refusal_then(&r->decision, STAGE_RCPT);
        const struct refusal *now = &mail->recipients[i].refusal;
        if (r->decision.by == BY_POSTERN && now->is_set && now->rule.n == 0 &&
            r->decision.reply.code == now->reply.code)
            continue; /* another route, then and now */
        (void)compare_refusals(engine, mail, &then, now);
    }
}

/* --- what goes on --- */

static bool is_edit(struct str did)
{
    static const struct str EDITS[] = {STR_INIT("rewrite"), STR_INIT("headers"),
                                       STR_INIT("route"),
                                       STR_INIT("add_recipient")};
    for (size_t i = 0; i < sizeof EDITS / sizeof EDITS[0]; i++)
        if (str_equals(did, EDITS[i]))
            return true;
    return false;
}

static const struct recorded_rule *next_then(const struct recorded *line,
                                             size_t *at)
{
    while (*at < line->rule_count) {
        const struct recorded_rule *rule = &line->rules[(*at)++];
        if (!rule->is_shadow && rule->did.p != NULL && rule->rule.p != NULL &&
            is_edit(rule->did))
            return rule;
    }
    return NULL;
}

static const struct acted *next_now(const struct effects *effects, size_t *at)
{
    while (*at < effects->acted_count) {
        const struct acted *acted = &effects->acted[(*at)++];
        if (!acted->is_shadow && is_edit(str_from(acted->did)))
            return acted;
    }
    return NULL;
}

/* The first edit that only one of them made. */
static bool find_edit(const struct replayed_mail *mail, struct str *rule,
                      char before[SHOWN_MAX], char after[SHOWN_MAX])
{
    size_t i = 0, j = 0;
    for (;;) {
        const struct recorded_rule *then = next_then(&mail->line, &i);
        const struct acted *now = next_now(&mail->effects, &j);
        if (then == NULL && now == NULL)
            return false;
        if (then != NULL && now != NULL && then->stage == now->stage &&
            str_equals(then->rule, rule_name(now->rule)) &&
            str_equals(then->did, str_from(now->did)))
            continue;
        *rule = now != NULL ? rule_name(now->rule) : then->rule;
        struct str was = then == NULL ? STR("nothing") : then->did;
        struct str name = then == NULL ? STR("") : then->rule;
        snprintf(before, SHOWN_MAX, "%.*s%s%.*s", (int)was.n, was.p,
                 then == NULL ? "" : " by ", (int)name.n, name.p);
        name = now == NULL ? STR("") : rule_name(now->rule);
        snprintf(after, SHOWN_MAX, "%s%s%.*s",
                 now == NULL ? "nothing" : now->did, now == NULL ? "" : " by ",
                 (int)name.n, name.p);
        return true;
    }
}

static struct str last_edit(const struct replayed_mail *mail, const char *did)
{
    for (size_t i = mail->effects.acted_count; i > 0; i--)
        if (strcmp(mail->effects.acted[i - 1].did, did) == 0)
            return rule_name(mail->effects.acted[i - 1].rule);
    for (size_t i = mail->line.rule_count; i > 0; i--) {
        const struct recorded_rule *rule = &mail->line.rules[i - 1];
        if (rule->did.p != NULL && str_equals(rule->did, str_from(did)))
            return rule->rule;
    }
    return STR("");
}

static void compare_texts(struct engine *engine, struct replayed_mail *mail,
                          struct str then, struct str now, const char *did)
{
    char before[SHOWN_MAX], after[SHOWN_MAX];
    if (then.p == NULL || now.p == NULL || str_equals(then, now))
        return;
    snprintf(before, sizeof before, "%.*s", (int)str_head(then, 120).n, then.p);
    snprintf(after, sizeof after, "%.*s", (int)str_head(now, 120).n, now.p);
    note_mail(engine, mail, CHANGED, last_edit(mail, did), before, after);
}

static void compare_edits(struct engine *engine, struct replayed_mail *mail)
{
    const struct recorded *line = &mail->line;
    char before[SHOWN_MAX], after[SHOWN_MAX];
    struct str rule;
    if (find_edit(mail, &rule, before, after)) {
        note_mail(engine, mail, CHANGED, rule, before, after);
        return;
    }
    compare_texts(engine, mail, line->mail_sent, mail->mail_sent, "rewrite");
    for (size_t i = 0; i < line->recipient_count; i++)
        if (mail->recipients[i].is_accepted)
            compare_texts(engine, mail, line->recipients[i].sent,
                          mail->recipients[i].mailbox, "rewrite");
    if (mail->upstream.n > 0)
        compare_texts(engine, mail, line->upstream_name, mail->upstream,
                      "route");
    for (size_t i = 0; i < line->added_count; i++)
        compare_texts(engine, mail, line->added[i].to,
                      i < mail->effects.added_count
                          ? mail->effects.added[i].address
                          : STR(""),
                      "add_recipient");
}

static bool has_change(const struct replayed_mail *mail)
{
    for (size_t i = 0; i < CHANGE_COUNT; i++)
        if (mail->changes[i])
            return true;
    return false;
}

void compare_mail(struct engine *engine, struct replayed_mail *mail)
{
    struct refusal then = whole_then(&mail->line);
    bool is_before_rcpt =
        (then.is_set && then.stage < STAGE_RCPT) ||
        (mail->refusal.is_set && mail->refusal.stage < STAGE_RCPT);
    (void)compare_refusals(engine, mail, &then, &mail->refusal);
    if (!is_before_rcpt)
        compare_recipients(engine, mail);
    if (!then.is_set && !mail->refusal.is_set && !has_change(mail))
        compare_edits(engine, mail);
    for (size_t i = 0; i < CHANGE_COUNT; i++) {
        if (!mail->changes[i])
            continue;
        engine->replay->counts[i]++;
        break;
    }
}
