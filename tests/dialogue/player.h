/* Plays a script once: does what it says, expects what it expects. */
#ifndef TESTS_DIALOGUE_PLAYER_H
#define TESTS_DIALOGUE_PLAYER_H

#include "tests/dialogue/world.h"

/* MODE_FAULT: the allocation that fails, and whether all behind it do. */
struct fault_plan {
    size_t nth;
    bool is_lasting;
};

struct player {
    const struct scene *scene;
    const struct script *script;
    struct world world;
    unsigned mode;
    struct fault_plan fault;
    const struct step *left_at; /* the step that did not go as written */
    struct octets problem;      /* empty: all went as written */
    /* For runs with a failing allocation: what the client is told at the
     * end of data must be what the upstream said. */
    bool end_of_data_is_due, upstream_took_it;
    size_t messages_before;
};

enum player_result {
    PLAYER_FINE,
    PLAYER_FAILED,  /* the problem was printed */
    PLAYER_NO_FAULT /* fine, but so few allocations were never made */
};

/* In MODE_FAULT a reply may differ once the allocation has failed, as far as
 * it is safe. */
enum player_result player_run(const struct scene *scene, unsigned mode,
                              struct fault_plan fault, bool is_verbose);

#endif
