#include "proxy/session/session_metrics.h"

#include <stdio.h>
#include <string.h>

#include "proxy/session/transaction.h"
#include "rules/rule.h"
#include "rules/ruleset.h"

static uint64_t now_us(const struct session *s)
{
    return loop_wall_us(s->host->loop);
}

void session_count_handshake(const struct session *s, bool is_done)
{
    struct str result =
        is_done ? facts_text(&s->facts, FACT_TLS_VERSION) : STR("failed");
    METRICS_ADD_SERIES(s->host->metrics, SERIES_HANDSHAKES, now_us(s), result);
}

void session_count_auth(const struct session *s, const char *result)
{
    METRICS_ADD_SERIES(s->host->metrics, SERIES_LOGINS, now_us(s),
                       str_from(result),
                       facts_text(&s->facts, FACT_AUTH_MECHANISM));
}

void session_count_cap(const struct session *s, enum session_cap cap)
{
    METRICS_ADD_SERIES(s->host->metrics, SERIES_CAPS, now_us(s),
                       str_from(session_cap_name(cap)));
}

static void count_rule(const struct session *s, const struct rule *rule,
                       const char *did, uint64_t us)
{
    METRICS_ADD_SERIES(s->host->metrics, SERIES_RULES, us,
                       str_from(stage_name(rule_stage(rule))), str_from(did),
                       rule_name(rule));
}

void session_count_warning(const struct session *s, const struct limit_use *use)
{
    count_rule(s, use->rule, "warn", now_us(s));
}

/* Whatever the rule then did. */
static void count_exceeded(const struct session *s,
                           const struct effects *effects, uint64_t us)
{
    for (size_t i = 0; i < effects->use_count; i++) {
        const struct limit_use *use = &effects->uses[i];
        if (!use->is_within && use->rule->mode == RULE_LIVE)
            count_rule(s, use->rule, "exceed", us);
    }
}

void session_count_end(const struct session *s, const char *end)
{
    METRICS_ADD_SERIES(s->host->metrics, SERIES_ENDS, now_us(s), str_from(end));
    count_exceeded(s, &s->effects, now_us(s));
}

/* 421 is what `close` says, and nothing else of a rule's. */
static const char *did_of(int code)
{
    return code == 421 ? "close" : code >= 500 ? "reject" : "defer";
}

static void count_refusal(const struct session *s, const struct rule *rule,
                          int code, uint64_t us)
{
    if (rule == NULL || code < 400)
        return;
    count_rule(s, rule, did_of(code), us);
    if (code == 421)
        metrics_add_minute(s->host->metrics, MINUTES_CLOSE, us);
}

void session_count_verdict(const struct session *s,
                           const struct verdict *verdict)
{
    if (verdict != NULL && verdict->kind != VERDICT_PASS)
        count_refusal(s, verdict->rule, verdict->code, now_us(s));
}

/* --- transactions --- */

static void count_recipients(const struct session *s, uint64_t us)
{
    const struct transaction *t = s->transaction;
    uint64_t rejected = 0, deferred = 0;
    for (size_t i = 0; i < t->recipient_count; i++) {
        const struct recipient *r = &t->recipients[i];
        if (r->state != RECIPIENT_REFUSED)
            continue;
        rejected += r->reply.code >= 500;
        deferred += r->reply.code < 500;
        count_refusal(s, r->rule, r->reply.code, us);
    }
    struct metrics_lane *lane = s->host->metrics;
    metrics_add(lane, METRIC_RECIPIENTS_ACCEPTED, t->accepted_count);
    if (rejected > 0)
        metrics_add(lane, METRIC_RECIPIENTS_REJECTED, rejected);
    if (deferred > 0)
        metrics_add(lane, METRIC_RECIPIENTS_DEFERRED, deferred);
}

static void count_verdict(const struct session *s, const char *verdict,
                          uint64_t us)
{
    static const struct {
        enum metric metric;
        enum metric_minutes minutes;
    } NUMBERS[] = {
        [TRANSACTION_ACCEPT] = {METRIC_ACCEPTED, MINUTES_ACCEPT},
        [TRANSACTION_REJECT] = {METRIC_REJECTED, MINUTES_REJECT},
        [TRANSACTION_DEFER] = {METRIC_DEFERRED, MINUTES_DEFER},
        [TRANSACTION_ABORT] = {METRIC_ABORTED, MINUTES_COUNT},
    };
    const struct transaction *t = s->transaction;
    struct metrics_lane *lane = s->host->metrics;
    metrics_add(lane, NUMBERS[t->verdict].metric, 1);
    if (NUMBERS[t->verdict].minutes < MINUTES_COUNT)
        metrics_add_minute(lane, NUMBERS[t->verdict].minutes, us);
    if (t->verdict == TRANSACTION_ACCEPT)
        return;
    const struct rule *rule = t->has_final && t->is_final_ours ? t->rule : NULL;
    struct str stage = t->has_final ? str_from(stage_name(t->stage)) : STR("");
    struct str by = !t->has_final      ? STR("")
                    : rule != NULL     ? STR("rule")
                    : t->is_final_ours ? STR("postern")
                                       : STR("upstream");
    METRICS_ADD_SERIES(lane, SERIES_TRANSACTIONS, us, str_from(verdict), stage,
                       by, rule != NULL ? rule_name(rule) : STR(""));
    /* Those of the stage rcpt are those of recipients. */
    if (t->has_final && t->stage != STAGE_RCPT)
        count_refusal(s, rule, t->final.code, us);
}

static void count_use(const struct session *s, uint64_t us)
{
    const struct transaction *t = s->transaction;
    bool is_accepted = t->verdict == TRANSACTION_ACCEPT;
    if (s->user.n == 0)
        return;
    const struct top_use use = {
        .name = s->user,
        .weight = 1 + t->recipient_count,
        .messages = is_accepted,
        .recipients = is_accepted ? t->accepted_count : 0,
        .refused =
            t->verdict == TRANSACTION_REJECT || t->verdict == TRANSACTION_DEFER,
    };
    metrics_add_use(s->host->metrics, &use, us);
}

static const struct shadow_result *difference_of(const struct transaction *t)
{
    if (t->shadow != NULL)
        return t->shadow;
    for (size_t i = 0; i < t->recipient_count; i++)
        if (t->recipients[i].shadow != NULL)
            return t->recipients[i].shadow;
    return NULL;
}

static void say_reply(char to[SHADOW_TEXT], const char *verdict, int code)
{
    if (code == 0)
        snprintf(to, SHADOW_TEXT, "%s", verdict);
    else
        snprintf(to, SHADOW_TEXT, "%s %d", verdict, code);
}

static void note_shadow(const struct session *s, const char *verdict,
                        uint64_t us)
{
    const struct transaction *t = s->transaction;
    const struct shadow_result *shadow = difference_of(t);
    struct shadow_note note = {.us = us};
    if (shadow == NULL || s->host->metrics == NULL)
        return;
    int code = shadow->reply.code;
    snprintf(note.id, sizeof note.id, "%s", t->id);
    say_reply(note.live, verdict,
              t->has_final && t->verdict != TRANSACTION_ACCEPT ? t->final.code
                                                               : 0);
    say_reply(note.shadow, code == 0 ? "accept" : did_of(code), code);
    snprintf(note.rule, sizeof note.rule, "%.*s", (int)shadow->rule.n,
             shadow->rule.p == NULL ? "" : shadow->rule.p);
    metrics_add(s->host->metrics, METRIC_SHADOW, 1);
    metrics_note_shadow(s->host->metrics, &note);
}

void session_count_transaction(const struct session *s, const char *verdict)
{
    const struct transaction *t = s->transaction;
    uint64_t us = t->started_wall_us + (t->ended_us - t->started_us);
    if (s->host->metrics == NULL)
        return;
    count_verdict(s, verdict, us);
    count_recipients(s, us);
    if (t->verdict == TRANSACTION_ACCEPT)
        metrics_add(s->host->metrics, METRIC_OCTETS, t->content.bytes);
    metrics_add_policy(s->host->metrics, t->policy_us);
    count_exceeded(s, &t->effects, us);
    count_use(s, us);
    note_shadow(s, verdict, us);
}

uint64_t sessions_held(const struct session_host *host)
{
    uint64_t octets = 0;
    for (const struct session *s = host->sessions; s != NULL; s = s->next) {
        const struct transaction *t = s->transaction;
        octets += sizeof *s + s->arena.used_bytes;
        if (t != NULL)
            octets += t->arena.used_bytes + t->unsent_length + t->behind_length;
        if (s->stream != NULL)
            octets += stream_input(s->stream).n + stream_pending(s->stream);
    }
    return octets;
}
