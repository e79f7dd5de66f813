/* A session from its greeting to where it may send mail. */
#ifndef BENCH_LOAD_LOAD_OPENING_H
#define BENCH_LOAD_LOAD_OPENING_H

#include "tests/bench/load/load_dialogue.h"

/* The handshake of TLS is done. */
void load_opening_secured(struct load_session *session);

on_reply load_opening_on_greeting, load_opening_on_ehlo,
    load_opening_on_starttls, load_opening_on_auth_name,
    load_opening_on_auth_password, load_opening_on_auth;

#endif
