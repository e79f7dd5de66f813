/* The configurations that session_fuzz plays with. Read from memory, once;
 * all inputs share them. */
#ifndef TESTS_FUZZ_SESSION_CONFIGURATIONS_H
#define TESTS_FUZZ_SESSION_CONFIGURATIONS_H

#include "tests/dialogue/world.h"

struct configuration {
    const char *name;
    struct scene scene;
    struct script script;
    struct settings *settings;  /* the scene's */
    struct settings *candidate; /* whose rules are its shadow; NULL: none */
    bool needs_tls;             /* towards the upstreams */
};

size_t configuration_count(void);
/* Reads all of them; ends the program when one is wrong. */
struct configuration *configurations_new(void);
void configurations_free(struct configuration *configurations);

#endif
