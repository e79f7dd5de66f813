/* What all workers' ways in share. For login.c, which asks. */
#ifndef PROXY_LOGIN_LOGINS_H
#define PROXY_LOGIN_LOGINS_H

#include "proxy/login/back_ends.h"
#include "proxy/login/book_keeper.h"
#include "proxy/login/failure_delay.h"
#include "proxy/login/login_cache.h"

struct logins {
    const struct auth_settings *auth;
    struct book_keeper *keeper;
    struct hash_threads *threads;
    struct users_shared users;
    struct login_cache *cache;
    struct failure_delay *failures;
    struct back_ends back_ends;
};

#endif
