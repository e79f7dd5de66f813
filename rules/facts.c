#include "rules/facts.h"

#include <assert.h>

void facts_init(struct facts *facts)
{
    *facts = (struct facts){0};
}

void facts_set_text(struct facts *facts, enum fact fact, struct str value)
{
    struct fact_value *v = &facts->values[fact];
    *v = (struct fact_value){.is_known = true, .single = value, .count = 1};
    v->items = &v->single;
    facts->changes++;
}

void facts_set_number(struct facts *facts, enum fact fact, uint64_t value)
{
    facts->values[fact] =
        (struct fact_value){.is_known = true, .number = value};
    facts->changes++;
}

void facts_set_list(struct facts *facts, enum fact fact,
                    const struct str *values, size_t count)
{
    assert(count <= UINT32_MAX);
    facts->values[fact] = (struct fact_value){
        .is_known = true, .items = values, .count = (uint32_t)count};
    facts->changes++;
}

void facts_set_header(struct facts *facts, struct header_fields *fields)
{
    facts->header = fields;
    facts->changes++;
}

void facts_forget(struct facts *facts, enum fact fact)
{
    facts->values[fact] = (struct fact_value){0};
    facts->changes++;
}

void facts_copy(struct facts *facts, const struct facts *from, enum fact fact)
{
    const struct fact_value *theirs = &from->values[fact];
    struct fact_value *mine = &facts->values[fact];
    *mine = *theirs;
    if (theirs->items == &theirs->single)
        mine->items = &mine->single;
    facts->changes++;
}

void facts_forget_from(struct facts *facts, enum stage stage)
{
    for (enum fact f = 0; f < FACT_COUNT; f++) {
        struct fact_ref ref = {.fact = f};
        if (fact_stage(&ref) >= stage)
            facts_forget(facts, f);
    }
    if (stage <= STAGE_HEADER)
        facts->header = NULL;
}

struct str facts_text(const struct facts *facts, enum fact fact)
{
    const struct fact_value *v = &facts->values[fact];
    return v->count == 1 ? v->items[0] : (struct str){"", 0};
}

bool facts_know(const struct facts *facts, enum fact fact)
{
    return facts->values[fact].is_known;
}
