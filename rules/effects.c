#include "rules/effects.h"

void effects_init(struct effects *effects, struct arena *arena)
{
    *effects = (struct effects){.arena = arena, .size_max = UINT64_MAX};
}
