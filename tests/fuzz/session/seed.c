/* session_seed FOLDER DIALOGUE...: writes what the far ends of each dialogue
 * say and do as an input of session_fuzz, two for each of its configurations:
 * with what the upstreams say, and with obliging ones in their place. What a
 * dialogue expects is left out, and so is what an input has no marker for: a
 * seed is to come near, not to be the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/session/configurations.h"
#include "tests/fuzz/session/markers.h"

#define TEXT_MAX 3000
#define SEED_MAX 8000
#define CLOCKS_MAX 6

struct seed {
    struct octets octets;
    const struct settings *settings;
    bool is_obliged;
    const struct step *speaker; /* of the last octets */
};

static void put(struct seed *seed, unsigned octet)
{
    char c = (char)octet;
    octets_append(&seed->octets, str_span(&c, 1));
}

static void put_marker(struct seed *seed, enum marker marker, size_t octet)
{
    put(seed, marker);
    put(seed, (unsigned)octet);
    seed->speaker = NULL;
}

static void put_text(struct seed *seed, struct str text)
{
    text = str_head(text, TEXT_MAX);
    for (size_t i = 0; i < text.n; i++) {
        unsigned octet = (uint8_t)text.p[i];
        if (octet >= MARKER_LITERAL)
            put(seed, MARKER_LITERAL);
        put(seed, octet);
    }
}

static void put_speaker(struct seed *seed, const struct step *step)
{
    const struct step *last = seed->speaker;
    if (!last || last->side != step->side || last->number != step->number)
        put_marker(seed, step->side == 'C' ? MARKER_CLIENT : MARKER_UPSTREAM,
                   step->number - 1);
    seed->speaker = step;
}

static size_t address_of(struct str text)
{
    for (size_t i = 0; i < ADDRESS_COUNT; i++)
        if (str_equals(text, str_from(marker_addresses[i])))
            return i;
    return 0;
}

static size_t listener_of(const struct seed *seed, struct str name)
{
    for (size_t i = 0; i < seed->settings->listener_count; i++)
        if (str_equals(name, seed->settings->listeners[i].name))
            return i;
    return 0;
}

static void put_connect(struct seed *seed, struct str text)
{
    struct str address, listener;
    str_cut(text, ' ', &address, &listener);
    ptrdiff_t colon = str_last_index(address, ':');
    if (colon >= 0)
        address = str_head(address, (size_t)colon);
    put_marker(seed, MARKER_CONNECT,
               listener_of(seed, listener) | address_of(address) << 3);
}

static void put_act(struct seed *seed, const struct step *step)
{
    struct str name, rest;
    str_cut(step->text, ' ', &name, &rest);
    if (step->side == 'C' && str_equals(name, STR("connect"))) {
        put_connect(seed, rest);
        return;
    }
    for (size_t i = 0; i < ACT_COUNT; i++)
        if (str_equals(step->text, str_from(marker_acts[i]))) {
            put_speaker(seed, step);
            put_marker(seed, MARKER_ACT, i);
        }
}

static void put_clock(struct seed *seed, uint64_t ms)
{
    for (size_t n = 0; ms && n < CLOCKS_MAX; n++) {
        size_t i = CLOCK_COUNT - 1;
        while (i > 0 && marker_clock_ms[i] > ms)
            i--;
        put_marker(seed, MARKER_CLOCK, i);
        ms -= marker_clock_ms[i];
    }
}

static void put_order(struct seed *seed, enum step_kind kind, struct str text)
{
    static const struct {
        enum step_kind kind;
        const char *text;
        enum order order;
    } orders[] = {{STEP_LOGINS, "hold", ORDER_LOGINS_HOLD},
                  {STEP_LOGINS, "answer", ORDER_LOGINS_ANSWER},
                  {STEP_LOGINS, "unavailable", ORDER_LOGINS_UNAVAILABLE},
                  {STEP_JOBS, "hold", ORDER_JOBS_HOLD},
                  {STEP_JOBS, "run", ORDER_JOBS_RUN},
                  {STEP_CROWD, "on", ORDER_CROWD_ON},
                  {STEP_CROWD, "off", ORDER_CROWD_OFF},
                  {STEP_STRICT_LOG, "failing", ORDER_LOG_FAILING},
                  {STEP_STRICT_LOG, "written", ORDER_LOG_WRITTEN},
                  {STEP_RELOAD, "", ORDER_RELOAD},
                  {STEP_STOP, "", ORDER_STOP},
                  {STEP_ABORT, "", ORDER_ABORT},
                  {STEP_PROBE, "", ORDER_PROBE}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (orders[i].kind == kind &&
            str_equals(str_trim(text), str_from(orders[i].text)))
            put_marker(seed, MARKER_ORDER, orders[i].order);
}

static void put_step(struct seed *seed, const struct step *step)
{
    if (seed->is_obliged && step->side == 'U')
        return;
    if (step->kind == STEP_SAY) {
        put_speaker(seed, step);
        put_text(seed, step->text);
        return;
    }
    seed->speaker = NULL;
    if (step->kind == STEP_DO)
        put_act(seed, step);
    else if (step->kind == STEP_CLOCK)
        put_clock(seed, step->ms);
    else
        put_order(seed, step->kind, step->text);
}

static void write_seed(const struct seed *seed, const char *folder,
                       const char *dialogue, const char *configuration)
{
    char path[1024];
    const char *slash = strrchr(dialogue, '/');
    snprintf(path, sizeof path, "%s/%s.%s%s", folder,
             slash ? slash + 1 : dialogue, configuration,
             seed->is_obliged ? ".obliged" : "");
    struct str octets = octets_view(&seed->octets);
    FILE *file = octets.n <= SEED_MAX ? fopen(path, "w") : NULL;
    if (!file)
        return;
    fwrite(octets.p, 1, octets.n, file);
    fclose(file);
}

static void write_seeds(const struct script *script, const char *folder,
                        const struct configuration *configuration, size_t index,
                        bool is_obliged)
{
    struct seed seed = {.settings = configuration->scene.settings,
                        .is_obliged = is_obliged};
    put(&seed, (unsigned)index);
    put(&seed, is_obliged ? FLAG_OBLIGES | FLAG_OFFERS : 0);
    for (size_t i = 0; i < script->step_count; i++)
        put_step(&seed, &script->steps[i]);
    write_seed(&seed, folder, script->path, configuration->name);
    octets_release(&seed.octets);
}

int main(int count, char **arguments)
{
    struct configuration *configurations = configurations_new();
    for (int i = 2; i < count; i++) {
        struct script script;
        bool is_read = script_read(&script, arguments[i]) == 0;
        for (size_t k = 0; is_read && k < configuration_count(); k++) {
            write_seeds(&script, arguments[1], &configurations[k], k, false);
            write_seeds(&script, arguments[1], &configurations[k], k, true);
        }
        script_release(&script);
    }
    configurations_free(configurations);
    return 0;
}
