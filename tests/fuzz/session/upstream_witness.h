/* One connection to an upstream, as the witness reads it. */
#ifndef TESTS_FUZZ_SESSION_UPSTREAM_WITNESS_H
#define TESTS_FUZZ_SESSION_UPSTREAM_WITNESS_H

#include "tests/fuzz/session/witness.h"

/* Policy servers too. */
void upstream_witness_given(struct witness *witness, struct far_end *far,
                            struct str octets);
void upstream_witness_taken(struct witness *witness, struct far_end *far,
                            struct str octets);
void upstream_witness_written(struct witness *witness, struct far_end *far,
                              struct str octets);
void upstream_witness_free_all(struct witness *witness);

#endif
