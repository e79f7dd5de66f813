/* What the workers' users back-ends share: the users files, read once, and
 * the threads that hash. */
#ifndef PROXY_LOGIN_BACK_END_USERS_H
#define PROXY_LOGIN_BACK_END_USERS_H

#include "proxy/login/back_end.h"
#include "proxy/login/hash_threads.h"
#include "proxy/login/user_book.h"

/* Handed to `open`. Outlives every back-end. */
struct users_shared {
    const struct user_book *book;
    struct hash_threads *threads;
};

#endif
