/* Reads along what the product reads and writes on each connection, by means
 * of its own, and ends the program at the first octet that breaks a promise:
 *
 *   to an upstream: known commands in a legal order, nothing that it did not
 *   offer, contents without a bare CR, bare LF or NUL, with dots doubled and
 *   one end, and that of a message which a client has ended, once; nothing
 *   behind a reply that nobody asked for, none that is no reply, none a 421;
 *
 *   to a client: well-formed replies, one a command, in their order, none in
 *   advance; nothing before TLS and a login that needs them; no login to who
 *   says no password or token, and shows no certificate; and no 2yz to a
 *   message without the 2yz of an upstream to that message.
 *
 * All memory is the witness's. */
#ifndef TESTS_FUZZ_SESSION_WITNESS_H
#define TESTS_FUZZ_SESSION_WITNESS_H

#include "config/settings.h"
#include "tests/dialogue/fake_net.h"
#include "tests/dialogue/script.h"
#include "tests/fuzz/session/messages.h"

struct witness {
    struct net_tap tap; /* for the loop */
    const struct script *script;
    const struct listener_settings *listener; /* where a new client arrives */
    bool needs_tls;                           /* to the upstreams */
    bool obliges, offers_all; /* upstreams answer at once, kindly */
    bool is_told;             /* somebody said a password in the open */
    struct messages messages;
    struct client_witness *clients;
    struct upstream_witness *upstreams;
};

void witness_open(struct witness *witness);
/* Nothing more is said: is_told holds from here on. */
void witness_end(struct witness *witness);
void witness_close(struct witness *witness);
/* What an obliging upstream, or a policy server, says to a connection. */
void witness_greet(const struct witness *witness, struct far_end *far);

/* For the parts of a witness: says what was promised and what was seen, and
 * ends the program. */
_Noreturn void witness_accuse(const struct far_end *far, const char *what,
                              struct str seen);
/* Something that may be logged: does it hold a password? */
void witness_heard_openly(struct witness *witness, struct str octets);

#endif
