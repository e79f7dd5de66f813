#include "tests/dialogue/player_act.h"

#include "tests/dialogue/far_act.h"
#include "tests/dialogue/player_login.h"

/* Octets said one by one; of long texts, as many more at a time. */
#define SPLIT_STEPS 20000

void player_speak(struct player *p, struct far_end *far, struct str text)
{
    size_t piece = text.n;
    if (p->mode == MODE_SPLIT)
        piece = 1 + text.n / SPLIT_STEPS;
    while (text.n) {
        far_end_say(far, str_head(text, piece));
        text = str_skip(text, piece);
        if (text.n)
            world_settle(&p->world);
    }
}

static bool ends_data(struct str text)
{
    return str_equals(text, STR(".\r\n")) ||
           str_ends_with_nocase(text, STR("\r\n.\r\n"));
}

static void note_promises(struct player *p, const struct step *step)
{
    if (step->side == 'U' && p->end_of_data_is_due && step->text.n &&
        step->text.p[0] == '2')
        p->upstream_took_it = true;
    if (step->side == 'C' && ends_data(step->text)) {
        p->end_of_data_is_due = true;
        p->upstream_took_it = false;
        p->messages_before = world_count_messages(&p->world);
    }
}

static size_t act_say(struct player *p, const struct step *step, size_t count,
                      const char **wrong)
{
    struct far_end *far =
        far_end_find(&p->world.loop, step->side, step->number);
    struct octets group = {0};
    size_t done = 0;
    if (!far) {
        *wrong = "there is no such connection";
        return 1;
    }
    if (far->side == 'U' && far->connect == FAR_WAITS) {
        far->connect = FAR_ACCEPTS;
        world_settle(&p->world);
    }
    while (done < count && step[done].kind == STEP_SAY &&
           step[done].side == step->side && step[done].number == step->number) {
        octets_append(&group, step[done].text);
        note_promises(p, &step[done++]);
    }
    player_speak(p, far, octets_view(&group));
    octets_release(&group);
    return done;
}

/* connect 198.51.100.7:49152 submission */
static void act_connect(struct player *p, struct str text, const char **wrong)
{
    struct str address, listener;
    uint64_t port = 0;
    str_cut(text, ' ', &address, &listener);
    ptrdiff_t colon = str_last_index(address, ':');
    if (colon < 0 || str_to_u64(str_skip(address, (size_t)colon + 1), &port) ||
        !world_connect(&p->world, str_head(address, (size_t)colon),
                       (uint16_t)port, listener))
        *wrong = "wrong address or listener";
}

static void act_do(struct player *p, const struct step *step,
                   const char **wrong)
{
    struct str name, rest;
    str_cut(step->text, ' ', &name, &rest);
    if (step->side == 'C' && str_equals(name, STR("connect"))) {
        act_connect(p, rest, wrong);
        return;
    }
    struct far_end *far =
        far_end_find(&p->world.loop, step->side, step->number);
    if (!far) {
        *wrong = "there is no such connection";
        return;
    }
    if (str_equals(name, STR("login"))) {
        *wrong = player_login(p, far, rest);
        return;
    }
    if (str_equals(name, STR("tls")) && far->connect == FAR_WAITS &&
        far->side == 'U') {
        far->connect = FAR_ACCEPTS;
        world_settle(&p->world);
    }
    *wrong = far_act(far, name, rest);
}

static void act_logins(struct player *p, struct str text, const char **wrong)
{
    if (str_equals(text, STR("hold")))
        p->world.logins.mode = LOGINS_HOLD;
    else if (str_equals(text, STR("answer")))
        p->world.logins.mode = LOGINS_ANSWER;
    else if (str_equals(text, STR("unavailable")))
        p->world.logins.mode = LOGINS_UNAVAILABLE;
    else
        *wrong = "logins: hold, answer or unavailable";
}

size_t player_act(struct player *p, const struct step *step, size_t count,
                  const char **wrong)
{
    switch (step->kind) {
    case STEP_SAY:
        return act_say(p, step, count, wrong);
    case STEP_DO:
        act_do(p, step, wrong);
        break;
    case STEP_CLOCK:
        if (!world_advance(&p->world, step->ms))
            *wrong = "the loop never rests";
        break;
    case STEP_LOGINS:
        act_logins(p, str_trim(step->text), wrong);
        break;
    case STEP_JOBS:
        p->world.loop.holds_jobs =
            str_equals(str_trim(step->text), STR("hold"));
        break;
    case STEP_CROWD:
        p->world.is_crowded = str_equals(str_trim(step->text), STR("on"));
        break;
    case STEP_STRICT_LOG:
        p->world.decisions.is_failing =
            str_equals(str_trim(step->text), STR("failing"));
        break;
    case STEP_RELOAD:
        if (!world_reload(&p->world))
            *wrong = "there is no next: configuration";
        break;
    case STEP_PROBE:
        world_probe(&p->world);
        break;
    case STEP_STOP:
        world_stop(&p->world);
        break;
    case STEP_ABORT:
        world_abort(&p->world);
        break;
    default:
        *wrong = "not an action";
    }
    return 1;
}
