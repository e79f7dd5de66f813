#include "proxy/replay/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *keep(struct str text)
{
    return strndup(text.n == 0 ? "" : text.p, text.n);
}

static void keep_in(char *to, size_t room, struct str text)
{
    snprintf(to, room, "%.*s", (int)str_head(text, room - 1).n,
             text.n == 0 ? "" : text.p);
}

static struct replay_row *find_row(struct replay *replay, struct str rule)
{
    for (size_t i = 0; i < replay->row_count; i++)
        if (str_equals(str_from(replay->rows[i].rule), rule))
            return &replay->rows[i];
    if (replay->row_count == REPLAY_ROWS_MAX)
        return NULL;
    if (replay->row_count == replay->row_capacity) {
        size_t capacity = replay->row_capacity * 2 + 16;
        struct replay_row *grown =
            realloc(replay->rows, capacity * sizeof *grown);
        if (grown == NULL)
            return NULL;
        replay->rows = grown;
        replay->row_capacity = capacity;
    }
    struct replay_row row = {
        .rule = keep(rule),
        .users = calloc(2 * REPLAY_USERS_MAX, sizeof *row.users)};
    if (row.rule == NULL || row.users == NULL) {
        free(row.rule);
        free(row.users);
        return NULL;
    }
    replay->rows[replay->row_count] = row;
    return &replay->rows[replay->row_count++];
}

static uint32_t hash(struct str text)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (unsigned char)text.p[i]) * 16777619u;
    return h;
}

static void count_user(struct replay_row *row, struct str user)
{
    size_t at = hash(user) % (2 * REPLAY_USERS_MAX);
    while (row->users[at].name != NULL &&
           !str_equals(str_from(row->users[at].name), user))
        at = (at + 1) % (2 * REPLAY_USERS_MAX);
    struct replay_user *slot = &row->users[at];
    if (slot->name == NULL && row->user_count < REPLAY_USERS_MAX &&
        (slot->name = keep(user)) != NULL)
        row->user_count++;
    if (slot->name == NULL)
        row->other_users++;
    else
        slot->count++;
}

int replay_note(struct replay *replay, const struct replay_finding *finding)
{
    struct replay_row *row = find_row(replay, finding->rule);
    if (row == NULL) {
        replay->rows_left_out++;
        return replay->row_count == REPLAY_ROWS_MAX ? 0 : -1;
    }
    if (row->first_us == 0 || finding->time_us < row->first_us)
        row->first_us = finding->time_us;
    if (finding->time_us > row->last_us)
        row->last_us = finding->time_us;
    row->counts[finding->change]++;
    count_user(row, finding->user.n > 0 ? finding->user : STR("-"));
    if (row->example_count == REPLAY_EXAMPLES_MAX)
        return 0;
    struct replay_example *example = &row->examples[row->example_count++];
    example->change = finding->change;
    keep_in(example->id, sizeof example->id, finding->id);
    keep_in(example->user, sizeof example->user, finding->user);
    keep_in(example->before, sizeof example->before, finding->before);
    keep_in(example->after, sizeof example->after, finding->after);
    return 0;
}

int replay_note_gap(struct replay *replay, struct str rule, struct str fact)
{
    for (size_t i = 0; i < replay->gap_count; i++) {
        struct replay_gap *gap = &replay->gaps[i];
        if (str_equals(str_from(gap->rule), rule) &&
            str_equals(str_from(gap->fact), fact)) {
            gap->transactions++;
            return 0;
        }
    }
    if (replay->gap_count == replay->gap_capacity) {
        size_t capacity = replay->gap_capacity * 2 + 16;
        struct replay_gap *grown =
            realloc(replay->gaps, capacity * sizeof *grown);
        if (grown == NULL)
            return -1;
        replay->gaps = grown;
        replay->gap_capacity = capacity;
    }
    struct replay_gap gap = {keep(rule), keep(fact), 1};
    replay->gaps[replay->gap_count++] = gap;
    return gap.rule == NULL || gap.fact == NULL ? -1 : 0;
}

bool replay_has_changes(const struct replay *replay)
{
    for (size_t i = 0; i < CHANGE_COUNT; i++)
        if (replay->counts[i] > 0 || replay->session_counts[i] > 0)
            return true;
    return false;
}

size_t replay_busiest(const struct replay_row *row,
                      const struct replay_user **top, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < 2 * REPLAY_USERS_MAX; i++) {
        const struct replay_user *user = &row->users[i];
        if (user->name == NULL)
            continue;
        size_t at = found < count ? found++ : count;
        for (; at > 0 && top[at - 1]->count < user->count; at--)
            if (at < count)
                top[at] = top[at - 1];
        if (at < count)
            top[at] = user;
    }
    return found;
}

void replay_free(struct replay *replay)
{
    if (replay == NULL)
        return;
    for (size_t i = 0; i < replay->row_count; i++) {
        for (size_t j = 0; j < 2 * REPLAY_USERS_MAX; j++)
            free(replay->rows[i].users[j].name);
        free(replay->rows[i].users);
        free(replay->rows[i].rule);
    }
    for (size_t i = 0; i < replay->gap_count; i++) {
        free(replay->gaps[i].rule);
        free(replay->gaps[i].fact);
    }
    free(replay->rows);
    free(replay->gaps);
    free(replay);
}

uint64_t replay_transactions(const struct replay *replay)
{
    return replay->transactions;
}

uint64_t replay_newly_refused(const struct replay *replay)
{
    return replay->counts[NEWLY_REFUSED];
}

uint64_t replay_newly_passed(const struct replay *replay)
{
    return replay->counts[NEWLY_PASSED];
}

uint64_t replay_changed(const struct replay *replay)
{
    return replay->counts[CHANGED];
}
