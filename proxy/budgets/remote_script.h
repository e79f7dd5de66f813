/* What a shared store is asked: its keys, the scripts that run there, what
 * they take and what they tell. Pure but for the hash of a member. The texts
 * of the scripts are those of proxy/budgets/redis. */
#ifndef PROXY_BUDGETS_REMOTE_SCRIPT_H
#define PROXY_BUDGETS_REMOTE_SCRIPT_H

#include "rules/evaluate.h"
#include "rules/ledger_budget.h"

enum remote_script_id {
    SCRIPT_HOLD,   /* hold.lua */
    SCRIPT_SETTLE, /* settle.lua */
    SCRIPT_RENEW,  /* renew.lua */
    SCRIPT_LIST,   /* list.lua */
    SCRIPT_LOOK,   /* look.lua */
    SCRIPT_RESET,  /* reset.lua */
    SCRIPT_BOOST,  /* boost.lua */
    SCRIPT_COUNT
};
/* Those that a session needs: the first so many. */
#define SCRIPTS_OF_SESSIONS (SCRIPT_LIST + 1)

struct remote_script {
    const char *name;
    const char *text; /* no NUL behind it */
    size_t length;
};
extern const struct remote_script remote_scripts[SCRIPT_COUNT];

/* What is counted more than so far is counted as so far: doubles are exact up
 * to here. */
#define REMOTE_UNITS_MAX (UINT64_C(1) << 53)
/* A name or key beyond this is cut, and ends with its hash. */
#define REMOTE_TEXT_MAX 160
#define REMOTE_KEY_MAX 1600
#define REMOTE_MEMBER 16
#define REMOTE_LISTED_MAX 100000 /* values a list */
#define REMOTE_NETS_MAX 1000     /* known nets a login */
#define REMOTE_NETS_MS (30 * UINT64_C(86400000))

/* "postern:{RULE|UNIT|KEY}", "postern:list:{NAME}" and "postern:known:{USER}":
 * as written, but for %, {, }, | and control characters, which become %XX.
 * The octets written, at most REMOTE_KEY_MAX; no NUL. */
size_t remote_budget_key(const struct rule *rule, const struct limit *limit,
                         struct str key, char out[REMOTE_KEY_MAX]);
size_t remote_list_key(struct str list, char out[REMOTE_KEY_MAX]);
size_t remote_known_key(struct str user, char out[REMOTE_KEY_MAX]);

/* What a limit counts, as the scripts call it. */
enum remote_kind { REMOTE_BUCKET, REMOTE_SET, REMOTE_RECIPIENTS };
enum remote_kind remote_kind_of(const struct limit *limit, bool has_member);
const char *remote_kind_word(enum remote_kind kind);

/* Of a member only a hash is kept there. */
void remote_member(struct str member, char out[REMOTE_MEMBER]);

/* The arguments of one run, behind the name of the script. */
#define REMOTE_ARGS_MAX 16
struct remote_args {
    struct str items[REMOTE_ARGS_MAX];
    size_t count;
    char numbers[REMOTE_ARGS_MAX][24]; /* texts of those that are numbers */
};
/* Begins with "1", the key, the time (0: the store's own) and what follows for
 * all scripts but list.lua. The texts are borrowed. */
void remote_args_begin(struct remote_args *args, struct str key,
                       uint64_t now_ms);
void remote_args_text(struct remote_args *args, struct str text);
void remote_args_number(struct remote_args *args, uint64_t number);

struct redisReply;

/* Numbers that a script told. */
#define REMOTE_TOLD_MAX 12
struct remote_told {
    uint64_t numbers[REMOTE_TOLD_MAX];
    size_t count;
};

/* The numbers of a reply. 0, or -1: no such array. */
int remote_read_told(const struct redisReply *reply, struct remote_told *told);

/* What hold.lua told. *has_member is set to false where the member could not
 * be remembered. 0, or -1: it can't be so. */
int remote_read_hold(const struct remote_told *told, uint64_t cost,
                     const struct rate *rate, bool is_charge,
                     struct answer *answer, bool *has_member);
/* What look.lua told, as ledger_look(): whether there is anything. -1: it
 * can't be so. */
int remote_read_look(const struct remote_told *told,
                     const struct ledger_target *target,
                     struct ledger_budget *out);

#endif
