/* How a session logs in. */
#ifndef BENCH_LOAD_LOAD_LOGIN_H
#define BENCH_LOAD_LOAD_LOGIN_H

#include "tests/bench/load/load_session.h"

/* AUTH with what its mechanism begins with. */
void load_login_put_auth(struct load_session *session);
/* The responses of LOGIN. */
void load_login_put_name(struct load_session *session);
void load_login_put_password(struct load_session *session);

#endif
