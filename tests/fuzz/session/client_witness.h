/* One client's connection, as the witness reads it. */
#ifndef TESTS_FUZZ_SESSION_CLIENT_WITNESS_H
#define TESTS_FUZZ_SESSION_CLIENT_WITNESS_H

#include "tests/fuzz/session/witness.h"

void client_witness_given(struct witness *witness, struct far_end *far,
                          struct str octets);
void client_witness_written(struct witness *witness, struct far_end *far,
                            struct str octets);
/* Nothing more is read: what was left unfinished may be in a log. */
void client_witness_end_all(struct witness *witness);
void client_witness_free_all(struct witness *witness);

#endif
