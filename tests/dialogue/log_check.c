#include "tests/dialogue/log_check.h"

#include <stdio.h>
#include <string.h>

#include "tests/dialogue/json_subset.h"
#include "tests/dialogue/pattern.h"

static bool take(struct log_lines *lines, struct str want,
                 bool (*matches)(struct str line, struct str want),
                 bool is_repeatable)
{
    for (size_t i = 0; i < lines->count; i++) {
        struct log_line *line = &lines->items[i];
        if ((line->is_matched && !is_repeatable) ||
            !matches(octets_view(&line->text), want))
            continue;
        line->is_matched = true;
        return true;
    }
    return false;
}

static bool is_like(struct str line, struct str pattern)
{
    return pattern_match(pattern, line);
}

bool log_check_step(struct world *world, const struct step *step)
{
    if (step->kind == STEP_SERVER_LOG)
        return take(&world->server_log.lines, step->text, is_like, false);
    bool is_found = take(&world->decisions.lines, step->text, json_contains,
                         step->kind == STEP_NO_LOG);
    return is_found == (step->kind == STEP_LOG);
}

/* Passwords as such, and as AUTH LOGIN and AUTH PLAIN carry them. */
static void base64(struct str in, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = 0;
    for (size_t i = 0; i < in.n; i += 3) {
        unsigned bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (i + k < in.n ? (unsigned char)in.p[i + k] : 0u);
        for (size_t k = 0; k < 4; k++)
            out[at++] = i + k > in.n ? '=' : digits[bits >> (18 - 6 * k) & 63];
    }
    out[at] = '\0';
}

static bool holds(struct str text, struct str secret)
{
    return text.n && memmem(text.p, text.n, secret.p, secret.n);
}

static bool holds_secret_of(const struct script_user *user, struct str text)
{
    char plain[300], encoded[2][512];
    struct str password = user->password;
    int n = snprintf(plain, sizeof plain, "%c%.*s%c%.*s", 0, (int)user->name.n,
                     user->name.p, 0, (int)password.n, password.p);
    base64(str_span(plain, (size_t)n), encoded[0]);
    base64(password, encoded[1]);
    return holds(text, password) || holds(text, str_from(encoded[0])) ||
           holds(text, str_from(encoded[1]));
}

bool log_check_holds_secret(const struct script *script, struct str text)
{
    for (size_t i = 0; i < script->user_count; i++)
        if (holds_secret_of(&script->users[i], text))
            return true;
    for (size_t i = 0; i < script->token_count; i++)
        if (holds(text, script->tokens[i].text))
            return true;
    return false;
}

static bool tells_secret(const struct world *world,
                         const struct log_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        if (log_check_holds_secret(world->scene->script,
                                   octets_view(&lines->items[i].text)))
            return true;
    return false;
}

const char *log_check_form(const struct world *world)
{
    const struct log_lines *lines = &world->decisions.lines;
    for (size_t i = 0; i < lines->count; i++)
        if (!json_is_valid(octets_view(&lines->items[i].text)))
            return "a line of the decision log is no JSON object";
    return NULL;
}

const char *log_check_all(const struct world *world)
{
    const char *wrong = log_check_form(world);
    if (!wrong && (tells_secret(world, &world->decisions.lines) ||
                   tells_secret(world, &world->server_log.lines)))
        wrong = "a log tells a password or a token";
    return wrong;
}

static void print(const char *name, const struct log_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        struct str line = octets_view(&lines->items[i].text);
        fprintf(stderr, "  %s %.*s\n", name, (int)line.n, line.p);
    }
}

void log_check_print(const struct world *world)
{
    print("decisions:", &world->decisions.lines);
    print("server:", &world->server_log.lines);
}
