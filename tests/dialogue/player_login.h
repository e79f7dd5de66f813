/* The client's side of the logins that a script can't write down, as they
 * answer what the server makes up:
 *
 *     C: <login SCRAM-SHA-256 bob secret as=boss flag=y stop=1>
 *     C: <login SCRAM-SHA-256-PLUS bob secret channel=other>
 *     C: <login CRAM-MD5 bob secret>
 *
 * What the server says last is left for the script to expect: anything but a
 * challenge, or with `stop` the challenge behind so many. */
#ifndef TESTS_DIALOGUE_PLAYER_LOGIN_H
#define TESTS_DIALOGUE_PLAYER_LOGIN_H

#include "tests/dialogue/player.h"

/* NULL, or what is wrong with the words or with the server. */
const char *player_login(struct player *p, struct far_end *far,
                         struct str words);

#endif
