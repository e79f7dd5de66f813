/* Hashes of "secret" as crypt(3) makes them, cheap ones where the kind lets
 * us choose. */
#ifndef TESTS_KNOWN_HASHES_H
#define TESTS_KNOWN_HASHES_H

#define HASH_YESCRYPT                                                          \
    "$y$j75$abcdefghijklmnop$vZlXu1XtxOBWRxjOpQqONp1WYfMO0dN.H4xeSMU2ZvC"
#define HASH_BCRYPT                                                            \
    "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define HASH_BCRYPT_Y                                                          \
    "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define HASH_SHA512                                                            \
    "$6$rounds=1000$saltsalt$LAV5VE5Y7w1d73x1mFNspYWUpazfmwv2SoepNXNKJ/otop/"  \
    "Zok96Hr8Q13LEv0DRY/x8v0/crpIjl8NJSAqXV/"
#define HASH_SHA256                                                            \
    "$5$rounds=1000$saltsalt$eKLZU9t9OoPWrqOQsoTIKG0aYkZ5rGOoOQhiIvoSWX2"
#define HASH_MD5 "$1$saltsalt$9xy1btjgzLYfb7hivXtC//"
/* Some tenths of a second. */
#define HASH_SLOW                                                              \
    "$6$rounds=400000$saltsalt$qdvSgYA9r3TH3YNvh./"                            \
    "urGTW0m1srj0cxPTNpkmmbiqkzi3nES9tk8padWIcro/jK2q6gciDllbDES7McHj4/1"

#endif
