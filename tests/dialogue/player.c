#include "tests/dialogue/player.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/dialogue/alloc_fault.h"
#include "tests/dialogue/expect.h"
#include "tests/dialogue/log_check.h"
#include "tests/dialogue/pattern.h"
#include "tests/dialogue/player_act.h"

/* A far end takes so much a turn where octets come one by one. */
#define SPLIT_TAKES 1000

static void say_place(struct player *p, const struct step *step)
{
    char text[600];
    snprintf(text, sizeof text, "%s:%zu: ", step->file, step->line);
    octets_append(&p->problem, str_from(text));
}

static void blame(struct player *p, const struct step *step, const char *text)
{
    say_place(p, step);
    p->left_at = step;
    octets_append(&p->problem, str_from(text));
    octets_append(&p->problem, STR("\n"));
}

static void show_next(struct player *p, const struct far_end *far)
{
    char who[32];
    snprintf(who, sizeof who, "  %c%zu heard: ", far->side, far->number);
    octets_append(&p->problem, str_from(who));
    expect_describe(far, &p->problem);
    octets_append(&p->problem, STR("\n"));
}

/* All that anybody heard must have been expected before the script goes on. */
static void check_nothing_left(struct player *p, const struct step *step)
{
    struct far_end *far = p->world.loop.far_ends;
    while (far && expect_is_nothing_left(far))
        far = far->next;
    if (!far)
        return;
    blame(p, step, "not expected before this:");
    show_next(p, far);
}

static void check_step(struct player *p, const struct step *step)
{
    struct far_end *far =
        far_end_find(&p->world.loop, step->side, step->number);
    if (far && expect_step(far, step)) {
        if (step->side == 'C')
            p->end_of_data_is_due = false;
        return;
    }
    blame(p, step, "expected:");
    octets_append(&p->problem, STR("  "));
    escape_write(str_head(step->text, 1000), &p->problem);
    octets_append(&p->problem, STR("\n"));
    if (far)
        show_next(p, far);
    else
        octets_append(&p->problem, STR("  there is no such connection\n"));
}

static void check_maildir(struct player *p, const struct step *step)
{
    uint64_t want;
    char text[80];
    size_t have = world_count_messages(&p->world);
    if (str_to_u64(str_trim(step->text), &want) || want == have)
        return;
    snprintf(text, sizeof text, "expected %" PRIu64 " messages, found %zu",
             want, have);
    blame(p, step, text);
}

static void check_message(struct player *p, const struct step *step)
{
    struct octets message = world_newest_message(&p->world);
    struct str rest = octets_view(&message), line;
    bool is_found = false;
    while (!is_found && str_cut(rest, '\n', &line, &rest))
        is_found = pattern_match(step->text, line);
    octets_release(&message);
    if (!is_found)
        blame(p, step, "no line of the newest message is like this");
}

static void check_other(struct player *p, const struct step *step)
{
    bool has_struck = p->mode == MODE_FAULT && alloc_fault_has_struck();
    switch (step->kind) {
    case STEP_MAILDIR:
        check_maildir(p, step);
        break;
    case STEP_MESSAGE:
        check_message(p, step);
        break;
    case STEP_PROBED:
        if (p->world.is_probed != str_equals(str_trim(step->text), STR("yes")))
            blame(p, step, "it is not so");
        break;
    default: /* what is logged may be less where memory was short */
        if (!has_struck && !log_check_step(&p->world, step))
            blame(p, step,
                  step->kind == STEP_NO_LOG ? "a line of the log is like this"
                                            : "no line of the log is like it");
        break;
    }
}

static bool is_check(enum step_kind kind)
{
    return kind == STEP_LOG || kind == STEP_NO_LOG || kind == STEP_SERVER_LOG ||
           kind == STEP_MAILDIR || kind == STEP_MESSAGE || kind == STEP_PROBED;
}

static bool is_expectation(enum step_kind kind)
{
    return kind >= STEP_LINE && kind <= STEP_SEE;
}

static void play(struct player *p)
{
    const struct script *script = p->script;
    size_t i = 0;
    while (i < script->step_count && !octets_length(&p->problem)) {
        const struct step *step = &script->steps[i];
        if (!world_settle(&p->world)) {
            blame(p, step, "the loop never rests");
        } else if (is_expectation(step->kind)) {
            check_step(p, step);
            i++;
        } else if (is_check(step->kind)) {
            check_other(p, step);
            i++;
        } else {
            check_nothing_left(p, step);
            if (octets_length(&p->problem))
                break;
            const char *wrong = NULL;
            i += player_act(p, step, script->step_count - i, &wrong);
            if (wrong)
                blame(p, step, wrong);
        }
    }
}

static void play_end(struct player *p)
{
    const struct script *script = p->script;
    const struct step *last = &script->steps[script->step_count - 1];
    if (!world_settle(&p->world))
        blame(p, last, "the loop never rests");
    check_nothing_left(p, last);
    const char *wrong = log_check_all(&p->world);
    if (wrong)
        blame(p, last, wrong);
}

static void wait_for_ever(struct player *p)
{
    const struct script *script = p->script;
    if (!world_wait_for_ever(&p->world))
        blame(p, &script->steps[script->step_count - 1],
              "a session still waits after three hours of silence");
}

/* A run that left the script because an allocation failed: nothing may have
 * been promised that was not kept. */
static void judge_fault(struct player *p)
{
    struct far_end *far = far_end_find(&p->world.loop, 'C', 1);
    const struct step *step = p->left_at;
    int code = far ? expect_next_code(far) : 0;
    size_t messages = world_count_messages(&p->world);
    bool was_taken = p->upstream_took_it || messages > p->messages_before;
    bool was_refused = step->side == 'C' && step->text.n &&
                       (step->text.p[0] == '4' || step->text.p[0] == '5');
    octets_release(&p->problem);
    if (was_refused && step->number == 1 && (code / 100 == 2 || code == 354))
        blame(p, step, "what is refused was let through for want of memory");
    if (p->end_of_data_is_due && code / 100 == 2 && !was_taken)
        blame(p, p->script->steps,
              "a message was answered 2yz that the "
              "upstream did not take");
}

static void let_go(struct player *p)
{
    for (struct far_end *f = p->world.loop.far_ends; f; f = f->next)
        if (p->fault.nth % 2 == 0 && f->end == FAR_OPEN)
            f->end = FAR_CLOSES;
    p->world.loop.holds_jobs = false;
}

static void report(const struct player *p, bool is_verbose)
{
    static const char *const names[] = {
        [MODE_WHOLE] = "whole",
        [MODE_SPLIT] = "split",
        [MODE_FAULT] = "fault",
        [MODE_LATE] = "late",
    };
    if (octets_length(&p->problem)) {
        struct str problem = octets_view(&p->problem);
        fprintf(stderr, "FAILED (%s", names[p->mode]);
        if (p->mode == MODE_FAULT)
            fprintf(stderr, " %zu%s", p->fault.nth,
                    p->fault.is_lasting ? " and all behind it" : "");
        fprintf(stderr, ")\n%.*s", (int)problem.n, problem.p);
    }
    if (octets_length(&p->problem) || is_verbose)
        log_check_print(&p->world);
}

enum player_result player_run(const struct scene *scene, unsigned mode,
                              struct fault_plan fault, bool is_verbose)
{
    struct player player = {
        .scene = scene, .script = scene->script, .mode = mode, .fault = fault};
    struct player *p = &player;
    if (!p->script->step_count)
        return PLAYER_FAILED;
    scene_clean(scene);
    world_open(&p->world, scene,
               mode == MODE_LATE || (mode == MODE_FAULT && fault.is_lasting));
    p->world.loop.octets_a_turn = mode == MODE_SPLIT ? SPLIT_TAKES : 0;
    alloc_fault_arm(fault.nth, fault.is_lasting);
    play(p);
    bool has_left = octets_length(&p->problem) && alloc_fault_has_struck();
    if (has_left) {
        judge_fault(p);
        let_go(p);
    } else if (!octets_length(&p->problem)) {
        play_end(p);
    }
    wait_for_ever(p);
    report(p, is_verbose);
    bool was_fine = !octets_length(&p->problem);
    bool has_struck = alloc_fault_has_struck();
    const char *left = world_close(&p->world);
    if (left) {
        octets_release(&p->problem);
        blame(p, p->script->steps, "left behind at the end: ");
        octets_append(&p->problem, str_from(left));
        octets_append(&p->problem, STR("\n"));
        if (was_fine)
            report(p, false);
    }
    alloc_fault_forget();
    bool is_fine = !octets_length(&p->problem);
    octets_release(&p->problem);
    return !is_fine                            ? PLAYER_FAILED
           : mode == MODE_FAULT && !has_struck ? PLAYER_NO_FAULT
                                               : PLAYER_FINE;
}
