#include "tests/fuzz/session/witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/dialogue/log_check.h"
#include "tests/dialogue/pattern.h"
#include "tests/fuzz/session/client_witness.h"
#include "tests/fuzz/session/obliging.h"
#include "tests/fuzz/session/upstream_witness.h"

#define SHOWN_MAX 2000
#define POLICY_PORT 10023

void witness_accuse(const struct far_end *far, const char *what,
                    struct str seen)
{
    struct octets text = {0};
    escape_write(str_head(seen, SHOWN_MAX), &text);
    struct str shown = octets_view(&text);
    fprintf(stderr, "broken promise: %s; %c%zu: %.*s\n", what,
            far ? far->side : '-', far ? far->number : 0, (int)shown.n,
            shown.p);
    abort();
}

void witness_heard_openly(struct witness *witness, struct str octets)
{
    witness->is_told |= log_check_holds_secret(witness->script, octets);
}

/* One at a local path has no port. */
static bool is_policy_server(const struct far_end *far)
{
    return far->port == POLICY_PORT || !far->port;
}

static void on_given(void *owner, struct far_end *far, struct str octets)
{
    struct witness *witness = owner;
    if (far->side == 'C')
        client_witness_given(witness, far, octets);
    else
        upstream_witness_given(witness, far, octets);
}

static void on_taken(void *owner, struct far_end *far, struct str octets)
{
    struct witness *witness = owner;
    if (far->side == 'U' && !is_policy_server(far))
        upstream_witness_taken(witness, far, octets);
}

/* Attributes, a line each, and an empty line. */
static void read_question(const struct witness *witness, struct far_end *far,
                          struct str octets)
{
    if (memchr(octets.p, '\r', octets.n) || memchr(octets.p, 0, octets.n))
        witness_accuse(far, "a question holds no CR and no NUL", octets);
    if (!str_ends_with_nocase(octets, STR("\n\n")))
        witness_accuse(far, "a question is written whole", octets);
    struct str line, rest = str_head(octets, octets.n - 1);
    while (str_cut(rest, '\n', &line, &rest))
        if (str_index(line, '=') < 1)
            witness_accuse(far, "a question is of attributes", octets);
    if (witness->obliges)
        obliging_answer(far, ASKED_ACTION, false);
}

static void on_written(void *owner, struct far_end *far, struct str octets)
{
    struct witness *witness = owner;
    if (far->side == 'C')
        client_witness_written(witness, far, octets);
    else if (is_policy_server(far))
        read_question(witness, far, octets);
    else
        upstream_witness_written(witness, far, octets);
}

void witness_open(struct witness *witness)
{
    witness->tap = (struct net_tap){on_given, on_taken, on_written, witness};
}

void witness_greet(const struct witness *witness, struct far_end *far)
{
    if (!is_policy_server(far))
        obliging_answer(far, ASKED_BANNER, witness->offers_all);
}

void witness_end(struct witness *witness)
{
    client_witness_end_all(witness);
}

void witness_close(struct witness *witness)
{
    client_witness_free_all(witness);
    upstream_witness_free_all(witness);
    messages_release(&witness->messages);
}
