#include "proxy/explain/rehearsal.h"

#include "proxy/explain/rehearsal_internal.h"

#include <inttypes.h>
#include <stdio.h>

#define ARENA_CAP ((size_t)64 * 1024 * 1024)

static void end(struct rehearsal *r, const char *why)
{
    r->story->end = str_from(why);
}

static bool give_up(struct rehearsal *r)
{
    r->story->is_full = true;
    return false;
}

static bool run_stage(struct rehearsal *r, enum stage stage, struct str subject)
{
    tracer_begin(&r->tracer, stage, subject);
    dry_run_stage(&r->run, stage, &r->facts, &r->effects, r->mail->at_ms,
                  &r->verdict);
    tracer_end(&r->tracer, &r->verdict);
    r->effects.delay_ms = 0;
    return r->verdict.kind == VERDICT_PASS;
}

/* Policy servers are not asked: what was stated for them, or nothing. */
static bool on_question(void *owner, const struct question *question,
                        struct answer *answer)
{
    const struct rehearsal_mail *mail = owner;
    if (question->kind != QUESTION_ASK)
        return false;
    *answer = (struct answer){.action = STR("DUNNO")};
    for (size_t i = 0; i < mail->answer_count; i++)
        if (str_equals(mail->answers[i].server, question->server))
            answer->action = mail->answers[i].action;
    return true;
}

/* --- the session's part --- */

static bool run_session(struct rehearsal *r)
{
    if (rehearsal_learn_client(r) != 0)
        return give_up(r);
    if (!run_stage(r, STAGE_CONNECT, r->mail->client)) {
        end(r, "the connection is refused");
        return false;
    }
    rehearsal_learn_helo(r);
    if (!run_stage(r, STAGE_HELO, r->mail->helo)) {
        end(r, "the greeting is refused");
        return false;
    }
    return true;
}

static bool run_login(struct rehearsal *r)
{
    const struct rehearsal_mail *mail = r->mail;
    rehearsal_learn_login(r);
    /* Without a login there is nothing to ask the rules of auth. */
    if (mail->login == MAIL_WITHOUT_LOGIN &&
        !facts_know(&r->facts, FACT_AUTH_RESULT)) {
        if (!mail->has_from || mail->listener == NULL ||
            mail->listener->auth != AUTH_REQUIRED)
            return true;
        tracer_refuse(&r->tracer, STAGE_MAIL, mail->from, 530,
                      "530 5.7.0 Authentication required");
        end(r, "nobody has logged in: give --user");
        return false;
    }
    if (!run_stage(r, STAGE_AUTH, mail->user)) {
        end(r, "the login is refused");
        return false;
    }
    if (mail->login == MAIL_LOGIN_FAILED)
        tracer_refuse(&r->tracer, STAGE_AUTH, mail->user, 535,
                      "535 5.7.8 Authentication credentials invalid");
    if (mail->login == MAIL_LOGIN_UNAVAILABLE)
        tracer_refuse(&r->tracer, STAGE_AUTH, mail->user, 454,
                      "454 4.7.0 Logins can't be checked now, try again later");
    if (mail->login > MAIL_LOGIN_OK)
        end(r, "the login has not succeeded");
    return mail->login <= MAIL_LOGIN_OK;
}

/* --- the envelope --- */

static bool run_mail(struct rehearsal *r)
{
    const struct rehearsal_mail *mail = r->mail;
    uint64_t most = r->settings->caps.message;
    char reply[96];
    if (!mail->has_from) {
        end(r, "no mail is begun: give --from");
        return false;
    }
    rehearsal_learn_mail(r);
    if (mail->has_size && mail->size > most) {
        snprintf(reply, sizeof reply,
                 "552 5.3.4 The limit is %" PRIu64 " octets", most);
        tracer_refuse(&r->tracer, STAGE_MAIL, mail->from, 552, reply);
        end(r, "the message is over caps.message");
        return false;
    }
    if (!run_stage(r, STAGE_MAIL, mail->from)) {
        end(r, "the sender is refused");
        return false;
    }
    r->route = r->effects.route;
    return true;
}

static const struct upstream_settings *find_upstream(const struct rehearsal *r,
                                                     struct str route)
{
    const struct settings *settings = r->settings;
    for (size_t i = 0; route.n > 0 && i < settings->upstream_count; i++)
        if (str_equals(settings->upstreams[i].name, route))
            return &settings->upstreams[i];
    return r->mail->listener != NULL ? r->mail->listener->upstream
                                     : settings->upstream;
}

/* One transaction goes one way. *follows: which way it would have gone alone,
 * where it goes that of the first; else n is 0. */
static bool is_route_fine(struct rehearsal *r, struct str to,
                          struct str *follows)
{
    const struct upstream_settings *upstream =
        find_upstream(r, r->effects.route);
    if (r->upstream == NULL)
        r->upstream = upstream;
    *follows = STR("");
    if (r->upstream == upstream)
        return true;
    if (r->settings->split == SPLIT_FIRST) {
        *follows = upstream->name;
        return true;
    }
    tracer_refuse(&r->tracer, STAGE_RCPT, to, 452,
                  "452 4.5.3 This recipient takes another route, send it "
                  "separately");
    return false;
}

/* What the upstream says to it. */
static bool is_taken(struct rehearsal *r, struct str to)
{
    const struct rehearsal_mail *mail = r->mail;
    if (!mail->has_reply || !mail->is_reply_to_rcpt)
        return true;
    rehearsal_learn_reply(r, to);
    (void)run_stage(r, STAGE_REPLY, to);
    return mail->reply_code < 400;
}

/* Whether the next recipient may come. */
static bool run_recipient(struct rehearsal *r, size_t index)
{
    struct str to = r->mail->to[index];
    r->effects.route = r->route;
    rehearsal_learn_recipient(r, index);
    rehearsal_learn_upstream(
        r, (r->upstream != NULL && r->settings->split == SPLIT_FIRST
                ? r->upstream
                : find_upstream(r, r->route))
               ->name);
    struct str follows;
    bool is_accepted =
        run_stage(r, STAGE_RCPT, to) && is_route_fine(r, to, &follows);
    bool goes_on = r->verdict.kind != VERDICT_CLOSE;
    struct str address = facts_text(&r->facts, FACT_RCPT_TO);
    if (!is_accepted || !is_taken(r, address)) {
        dry_run_settle_recipient(&r->run, &r->effects, index, r->mail->at_ms);
        return goes_on;
    }
    struct story_recipient *told = story_add_recipient(r->story);
    if (told == NULL)
        return false;
    told->original = story_keep(r->story, to);
    told->address = story_keep(r->story, address);
    told->route = story_keep(r->story, follows);
    r->accepted[r->accepted_count++] = address;
    return true;
}

static bool run_recipients(struct rehearsal *r)
{
    const struct rehearsal_mail *mail = r->mail;
    if (mail->to_count == 0) {
        end(r, "there is no recipient: give --to");
        return false;
    }
    r->accepted = arena_array(&r->arena, mail->to_count, sizeof *r->accepted);
    if (r->accepted == NULL)
        return give_up(r);
    for (size_t i = 0; i < mail->to_count; i++) {
        if (i == r->settings->caps.recipients) {
            tracer_refuse(&r->tracer, STAGE_RCPT, mail->to[i], 452,
                          "452 4.5.3 Too many recipients");
            break;
        }
        if (!run_recipient(r, i)) {
            end(r, "the session is closed");
            return false;
        }
    }
    if (r->accepted_count == 0)
        end(r, "no recipient is accepted");
    return r->accepted_count > 0;
}

/* --- the message --- */

static bool run_header(struct rehearsal *r)
{
    const struct header_fields *header = r->mail->header;
    rehearsal_learn_header(r);
    if (header != NULL && header_fields_hops(header) > r->settings->caps.hops) {
        tracer_refuse(&r->tracer, STAGE_HEADER, STR(""), 554,
                      "554 5.4.6 Too many Received fields: a mail loop?");
        return false;
    }
    return run_stage(r, STAGE_HEADER, STR(""));
}

static bool run_message(struct rehearsal *r)
{
    uint64_t most = r->settings->caps.message;
    rehearsal_learn_message(r);
    if (r->mail->header != NULL && r->mail->bytes > most) {
        tracer_refuse(&r->tracer, STAGE_MESSAGE, STR(""), 552,
                      "552 5.3.4 The message is larger than is allowed");
        return false;
    }
    return run_stage(r, STAGE_MESSAGE, STR(""));
}

static bool run_content(struct rehearsal *r)
{
    if (rehearsal_learn_recipients(r) != 0)
        return give_up(r);
    rehearsal_learn_upstream(r, r->upstream->name);
    if (run_stage(r, STAGE_DATA, STR("")) && run_header(r) && run_message(r))
        return true;
    end(r, "the message is refused");
    return false;
}

static bool is_message_taken(struct rehearsal *r)
{
    const struct rehearsal_mail *mail = r->mail;
    if (!mail->has_reply || mail->is_reply_to_rcpt)
        return true;
    rehearsal_learn_reply(r, STR(""));
    (void)run_stage(r, STAGE_REPLY, STR(""));
    if (mail->reply_code >= 400)
        end(r, "the upstream refuses the message");
    return mail->reply_code < 400;
}

/* What goes on. */
static void tell_outcome(struct rehearsal *r)
{
    struct story *story = r->story;
    const struct header_fields *header = r->mail->header;
    story->reverse_path =
        story_keep(story, facts_text(&r->facts, FACT_MAIL_FROM));
    if (r->upstream != NULL)
        story->upstream = r->upstream->name;
    for (size_t i = 0; i < r->effects.added_count; i++) {
        struct story_recipient *told = story_add_recipient(story);
        if (told == NULL)
            return;
        told->address = story_keep(story, r->effects.added[i].address);
        told->is_added = true;
    }
    story->has_header = header != NULL;
    for (size_t i = 0; header != NULL && i < header->count; i++)
        story_add_field(story, header->items[i].raw);
}

static void run_all(struct rehearsal *r)
{
    bool is_through = run_session(r) && run_login(r) && run_mail(r) &&
                      run_recipients(r) && run_content(r) &&
                      is_message_taken(r);
    /* A dry run that was told less than a whole mail refuses nothing. */
    r->story->is_accepted = true;
    for (size_t i = 0; !is_through && i < r->story->stage_count; i++)
        if (r->story->stages[i].reply.n > 0)
            r->story->is_accepted = false;
    if (r->mail->has_reply && r->mail->reply_code >= 400 && !is_through)
        r->story->is_accepted = false;
    if (r->accepted_count > 0 && is_through)
        tell_outcome(r);
}

int rehearse(const struct settings *settings, const struct ruleset *rules,
             struct ledger *ledger, const struct rehearsal_mail *mail,
             struct story *story)
{
    struct rehearsal r = {.settings = settings, .mail = mail, .story = story};
    struct rehearsal_mail answers = *mail;
    struct evaluate_scratch *scratch = evaluate_scratch_new();
    if (scratch == NULL)
        return -1;
    evaluate_scratch_limit(scratch, settings->caps.pattern_steps);
    arena_init(&r.arena, ARENA_CAP);
    facts_init(&r.facts);
    effects_init(&r.effects, &r.arena);
    tracer_init(&r.tracer, story, &r.facts, &r.effects);
    r.run = (struct dry_run){.rules = rules,
                             .scratch = scratch,
                             .ledger = ledger,
                             .trace = &r.tracer.trace,
                             .on_question = on_question,
                             .owner = &answers};
    run_all(&r);
    arena_release(&r.arena);
    evaluate_scratch_free(scratch);
    return story->is_full ? -1 : 0;
}
