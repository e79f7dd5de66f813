/* What the workers' users back-ends share: the users files, and the threads
 * that hash. */
#ifndef PROXY_LOGIN_BACK_END_USERS_H
#define PROXY_LOGIN_BACK_END_USERS_H

#include "proxy/login/back_end.h"
#include "proxy/login/book_keeper.h"
#include "proxy/login/hash_threads.h"

/* Handed to `open`. Outlives every back-end. */
struct users_shared {
    struct book_keeper *keeper;
    struct hash_threads *threads;
};

#endif
