/* Who is this? One claim, held against the back-ends of auth.backends in
 * their order until one accepts it; the answer comes on the asking loop.
 * Nothing here blocks. */
#ifndef PROXY_LOGIN_LOGIN_H
#define PROXY_LOGIN_LOGIN_H

#include "config/files.h"
#include "config/settings.h"
#include "proxy/log/server_log.h"
#include "proxy/login/claim.h"
#include "proxy/net/loop.h"
#include "proxy/sasl/cram_md5.h"
#include "proxy/sasl/scram_verifier.h"
#include "rules/base/keyed_hash.h"

struct logins; /* what the back-ends share: one a process */
struct logins_renewal;
struct login_client; /* a loop's way in: one a worker */
struct login_query;  /* one question under way */
struct upstreams;

/* What a worker's back-ends work with; outlives them. */
struct back_end_means {
    struct loop *loop;
    struct server_log *log;
    struct upstreams *upstreams;
};

/* Reads users files and keys; every fault is a diagnostic at its line, and
 * the result NULL. */
struct logins *logins_new(const struct settings *settings, struct files *files,
                          struct diags *diags);
/* Reads the same files again, beside what serves: settings whose `auth` is as
 * it was. NULL with errors in diags. */
struct logins_renewal *logins_prepare(const struct settings *settings,
                                      struct files *files, struct diags *diags);
/* NULL is fine. */
void logins_renewal_free(struct logins_renewal *renewal);
/* What is asked next is held against what was prepared, and what auth.cache
 * kept is void, if anything has changed; the log hears of that. Takes the
 * renewal. Any thread, one at a time. */
void logins_renew(struct logins *logins, struct logins_renewal *renewal,
                  struct server_log *log);
/* Before any login_client is: what a name gets that nobody has then depends
 * on this secret alone, and stays the same as long as that does. Without it,
 * it is another one in each process: whoever asks before and after a restart
 * can tell such a name from a login's. */
void logins_keep_stand_ins(struct logins *logins,
                           const uint8_t secret[KEYED_HASH_SECRET]);
/* After every login_client was freed. */
void logins_free(struct logins *logins);

/* NULL when out of memory. */
struct login_client *login_client_new(struct logins *logins,
                                      const struct back_end_means *means);
/* What is still asked is cancelled. */
void login_client_free(struct login_client *client);

enum login_result {
    LOGIN_OK,
    LOGIN_FAILED,     /* not this one; another back-end may still know it */
    LOGIN_UNAVAILABLE /* nobody could be asked: 454 */
};

/* All borrowed within the call. */
struct login_answer {
    enum login_result result;
    struct str user;             /* normalised, when LOGIN_OK */
    const struct str *addresses; /* canonical, or globs in lower case */
    size_t address_count;
    const struct str *groups;
    size_t group_count;
    /* Names that the user may act as; "*": any. */
    const struct str *may_act_as;
    size_t may_act_as_count;
    /* False: the back-end tells a name and nothing else. Its line in a users
     * file may tell more, or the name is an address. */
    bool has_addresses, has_groups;
    /* The same question need not be asked again for the longer of auth.cache
     * and cache_ms, but never beyond expires_ms, a token's; 0: no matter. */
    uint64_t cache_ms, expires_ms;
    const char *error; /* of LOGIN_UNAVAILABLE: "connection refused" */
};

typedef void login_then(void *owner, const struct login_answer *answer);

/* Copies the claim (the copy is wiped after use; the caller wipes its own),
 * but for its mechanism and its client, which must last until the answer.
 * `then` comes later, on the client's loop, once, never from inside; not
 * at all after login_cancel(). NULL when out of memory. */
struct login_query *login_ask(struct login_client *client,
                              const struct claim *claim, login_then *then,
                              void *owner);
void login_cancel(struct login_query *query);

/* Whether any back-end can judge a claim of this kind. */
bool login_takes(const struct login_client *client, enum claim_kind kind);
/* Whether SCRAM can be offered to everybody: users files alone know passwords
 * here, and every login in them holds its keys. */
bool login_all_hold_scram(const struct login_client *client);
/* What is kept for SCRAM or CRAM-MD5 under a name as a client writes it; for a
 * name without any, what looks like another's and no proof fits. The caller's
 * to wipe. */
void login_scram_verifier(const struct login_client *client, struct str name,
                          struct scram_verifier *out);
void login_cram_contexts(const struct login_client *client, struct str name,
                         uint8_t out[CRAM_CONTEXTS]);

/* A login failed: how long its answer is to be held. That grows with each
 * failure of the network and of the name, and is forgotten by and by; a name
 * that is known to come from there is not held up for what strangers tried. */
uint64_t login_note_failure(struct login_client *client, struct str net,
                            struct str name, bool is_known);

/* SASLprep and lower case (RFC 4013). p is NULL when the name can't be
 * normalised (unassigned, bidirectional or control characters). */
struct str login_normalise(struct arena *arena, struct str name);
/* The same into memory of the caller's, which the result lies in. */
#define LOGIN_NAME_ROOM 256
struct str login_normalise_to(struct str name, char to[LOGIN_NAME_ROOM]);
/* By which what is kept of any name is found: normalised, or as it is where
 * it can't be. No other way to write a name has a key of its own. */
struct str login_name_key(struct str name, char to[LOGIN_NAME_ROOM]);

#endif
