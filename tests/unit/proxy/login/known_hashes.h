/* What is kept of "secret" by each kind, cheap ones where the kind lets us
 * choose. */
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
#define HASH_ARGON2ID                                                          \
    "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$vk+JgWgZGbXHtEqPQPhzXbD+"          \
    "QxxkJR5Fq2AXLhDyYaY"
#define HASH_ARGON2ID_LANES                                                    \
    "$argon2id$v=19$m=64,t=2,p=4$c2FsdHNhbHQ$LcMEG/A4WEU0K2rNyjqC9ubecYuFJ/"   \
    "sHTOBhG0Xl/7M"
#define HASH_ARGON2I                                                           \
    "$argon2i$v=19$m=16,t=2,p=2$c2FsdHNhbHQ$f3GiQhXP4q6iv+F0+P/"               \
    "LRw8cYGGL0JpRfMrdSck4tqM"
/* As doveadm made them. */
#define HASH_SCRAM                                                             \
    "{SCRAM-SHA-256}4096,EWXtUqtxCsYOfOMF2u79ew==,"                            \
    "A/RcGOieQ+SLO/Ft9EA8Nqw2TBTlg2SErjZQgMYoMbc=,"                            \
    "je1wcMYws+aFiCLfGWKH10w1zHq4gFvQDoztEeSkjFU="
#define HASH_SCRAM_RFC                                                         \
    "SCRAM-SHA-256$4096:EWXtUqtxCsYOfOMF2u79ew==$"                             \
    "A/RcGOieQ+SLO/Ft9EA8Nqw2TBTlg2SErjZQgMYoMbc=:"                            \
    "je1wcMYws+aFiCLfGWKH10w1zHq4gFvQDoztEeSkjFU="
#define HASH_CRAM                                                              \
    "{CRAM-MD5}cd3ba7deaad6e5ca23448ba42e379747a9e0f7f1fbc00c8a81bbaac395731b" \
    "56"
/* Of "other". */
#define HASH_BCRYPT_OTHER                                                      \
    "$2b$04$abcdefghijklmnopqrstuu0HtfOlPbTiymk5tcV.3TsFPDd3SYZqu"
/* Some tenths of a second. */
#define HASH_SLOW                                                              \
    "$6$rounds=400000$saltsalt$qdvSgYA9r3TH3YNvh./"                            \
    "urGTW0m1srj0cxPTNpkmmbiqkzi3nES9tk8padWIcro/jK2q6gciDllbDES7McHj4/1"

#endif
