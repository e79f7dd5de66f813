#include "proxy/budgets/remote_script.h"

#include "rules/base/keyed_hash.h"
#include "rules/gcra.h"
#include "rules/limit.h"
#include "rules/rule.h"
#include "rules/ruleset.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

#define HASH_DIGITS 32

/* --- keys --- */

struct key_text {
    char *out;
    size_t length;
};

static void put(struct key_text *text, char octet)
{
    if (text->length < REMOTE_KEY_MAX)
        text->out[text->length++] = octet;
}

static void put_plain(struct key_text *text, struct str plain)
{
    for (size_t i = 0; i < plain.n; i++)
        put(text, plain.p[i]);
}

static void put_escaped(struct key_text *text, struct str word)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    for (size_t i = 0; i < word.n; i++) {
        unsigned char c = (unsigned char)word.p[i];
        if (c > ' ' - 1 && c != 0x7f && strchr("%{}|", c) == NULL) {
            put(text, (char)c);
            continue;
        }
        put(text, '%');
        put(text, DIGITS[c >> 4]);
        put(text, DIGITS[c & 15]);
    }
}

/* Strangers choose keys, but not how long they are here. */
static void put_word(struct key_text *text, struct str word)
{
    char hex[65];
    put_escaped(text, str_head(word, REMOTE_TEXT_MAX));
    if (word.n <= REMOTE_TEXT_MAX)
        return;
    sha256_hex(word, hex);
    put(text, '~');
    put_plain(text, str_span(hex, HASH_DIGITS));
}

size_t remote_budget_key(const struct rule *rule, const struct limit *limit,
                         struct str key, char out[REMOTE_KEY_MAX])
{
    struct key_text text = {.out = out};
    put_plain(&text, STR("postern:{"));
    put_word(&text, rule_name(rule));
    put(&text, '|');
    put_plain(&text, str_from(unit_row(limit->unit)->name));
    put(&text, '|');
    put_word(&text, key);
    put(&text, '}');
    return text.length;
}

static size_t named_key(struct str start, struct str name, char *out)
{
    struct key_text text = {.out = out};
    put_plain(&text, start);
    put_word(&text, name);
    put(&text, '}');
    return text.length;
}

size_t remote_list_key(struct str list, char out[REMOTE_KEY_MAX])
{
    return named_key(STR("postern:list:{"), list, out);
}

size_t remote_known_key(struct str user, char out[REMOTE_KEY_MAX])
{
    return named_key(STR("postern:known:{"), user, out);
}

enum remote_kind remote_kind_of(const struct limit *limit, bool has_member)
{
    if (!has_member)
        return REMOTE_BUCKET;
    switch (limit->unit) {
    case UNIT_NETWORKS:
    case UNIT_LOGINS:
        return REMOTE_SET;
    case UNIT_NEW_RECIPIENTS:
        return REMOTE_RECIPIENTS;
    default:
        return REMOTE_BUCKET;
    }
}

const char *remote_kind_word(enum remote_kind kind)
{
    static const char *const WORDS[] = {
        [REMOTE_BUCKET] = "bucket",
        [REMOTE_SET] = "set",
        [REMOTE_RECIPIENTS] = "recipients",
    };
    return WORDS[kind];
}

static unsigned digit_of(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

void remote_member(struct str member, char out[REMOTE_MEMBER])
{
    char hex[65];
    sha256_hex(member, hex);
    for (size_t i = 0; i < REMOTE_MEMBER; i++)
        out[i] = (char)(digit_of(hex[2 * i]) << 4 | digit_of(hex[2 * i + 1]));
}

/* --- arguments --- */

void remote_args_text(struct remote_args *args, struct str text)
{
    if (args->count < REMOTE_ARGS_MAX)
        args->items[args->count++] = text.p == NULL ? STR("") : text;
}

void remote_args_number(struct remote_args *args, uint64_t number)
{
    if (args->count >= REMOTE_ARGS_MAX)
        return;
    char *at = args->numbers[args->count];
    int n = snprintf(at, sizeof args->numbers[0], "%llu",
                     (unsigned long long)number);
    remote_args_text(args, str_span(at, (size_t)n));
}

void remote_args_begin(struct remote_args *args, struct str key,
                       uint64_t now_ms)
{
    args->count = 0;
    remote_args_text(args, STR("1"));
    remote_args_text(args, key);
    if (now_ms == 0)
        remote_args_text(args, STR(""));
    else
        remote_args_number(args, now_ms);
}

/* --- what was told --- */

enum hold_form {
    FORM_BUCKET,      /* asked of the bucket */
    FORM_SET,         /* a member of a set */
    FORM_KNOWN,       /* a recipient that was written to: costs nothing */
    FORM_UNREMEMBERED /* of the bucket: there is no room for the member */
};

static struct budget budget_told(const uint64_t *numbers, uint64_t period_ms)
{
    return (struct budget){
        .used = (unsigned __int128)numbers[0] * period_ms + numbers[1],
        .scale_ms = period_ms,
        .at_ms = 1,
        .held = numbers[2],
    };
}

/* What the script tells is how it stood before: the rest follows by the same
 * arithmetic as in the server's own memory. */
static void read_bucket(const uint64_t *numbers, uint64_t cost,
                        const struct rate *asked, bool is_charge,
                        struct gcra_result *result)
{
    struct rate rate = {numbers[4], asked->period_ms};
    struct budget budget = budget_told(numbers, asked->period_ms);
    if (is_charge)
        gcra_charge(&budget, &rate, numbers[3], cost, 1, result);
    else
        gcra_hold(&budget, &rate, numbers[3], cost, 1, result);
}

static void read_set(const uint64_t *numbers, struct answer *answer)
{
    answer->before = numbers[0];
    answer->after = numbers[1];
    answer->retry_after_ms = answer->is_within ? 0 : numbers[2];
    answer->max = numbers[3];
}

int remote_read_told(const struct redisReply *reply, struct remote_told *told)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements > REMOTE_TOLD_MAX)
        return -1;
    told->count = reply->elements;
    for (size_t i = 0; i < reply->elements; i++) {
        const redisReply *element = reply->element[i];
        if (element == NULL || element->type != REDIS_REPLY_INTEGER ||
            element->integer < 0)
            return -1;
        told->numbers[i] = (uint64_t)element->integer;
    }
    return 0;
}

int remote_read_hold(const struct remote_told *told, uint64_t cost,
                     const struct rate *rate, bool is_charge,
                     struct answer *answer, bool *has_member)
{
    const uint64_t *numbers = told->numbers;
    struct gcra_result result;
    if (told->count != 7 || numbers[0] > FORM_UNREMEMBERED ||
        (rate->period_ms > 0 && numbers[6] == 0))
        return -1;
    *answer = (struct answer){.is_within = numbers[1] != 0};
    if (numbers[0] == FORM_SET) {
        read_set(numbers + 2, answer);
        return 0;
    }
    if (numbers[0] == FORM_UNREMEMBERED)
        *has_member = false;
    if (numbers[0] == FORM_KNOWN)
        cost = 0;
    read_bucket(numbers + 2, cost, rate, is_charge && numbers[0] != FORM_KNOWN,
                &result);
    answer->max = numbers[5];
    answer->before = result.before;
    answer->after = numbers[0] == FORM_KNOWN ? result.before : result.after;
    if (answer->is_within)
        return numbers[0] == FORM_KNOWN || result.is_within ? 0 : -1;
    answer->retry_after_ms = result.retry_after_ms;
    answer->is_held_up = result.is_held_up;
    return result.is_within ? -1 : 0;
}

/* --- a look --- */

enum look_number {
    LOOK_USED,
    LOOK_PART,
    LOOK_PERIOD,
    LOOK_AT,
    LOOK_RATE,
    LOOK_HELD,
    LOOK_PERCENT,
    LOOK_UNTIL,
    LOOK_NOW,
    LOOK_MEMBERS,
    LOOK_LAST,
    LOOK_NUMBERS
};

static uint64_t until(uint64_t at_ms, uint64_t now_ms)
{
    return at_ms > now_ms ? at_ms - now_ms : 0;
}

static void look_at_set(const uint64_t *numbers, struct ledger_budget *out)
{
    out->used = numbers[LOOK_MEMBERS];
    out->empty_in_ms = until(numbers[LOOK_LAST], numbers[LOOK_NOW]);
}

static void look_at_bucket(const uint64_t *numbers, bool is_mapped,
                           struct ledger_budget *out)
{
    struct gcra_result result;
    uint64_t now_ms = numbers[LOOK_NOW];
    struct budget budget = {
        .used = (unsigned __int128)numbers[LOOK_USED] * numbers[LOOK_PERIOD] +
                numbers[LOOK_PART],
        .scale_ms = numbers[LOOK_PERIOD],
        .at_ms = numbers[LOOK_AT],
        .held = numbers[LOOK_HELD],
    };
    /* A list may have changed since; how it drains is what counts. */
    if (is_mapped)
        out->rate = (struct rate){numbers[LOOK_RATE], numbers[LOOK_PERIOD]};
    if (is_mapped && out->rate.amount == 0)
        return;
    gcra_hold(&budget, &out->rate, 0, 0, now_ms, &result);
    out->held = budget.held;
    out->used = result.before - budget.held;
    budget.held = 0;
    out->empty_in_ms =
        out->used > 0 ? until(gcra_idle_at_ms(&budget, &out->rate), now_ms) : 0;
}

int remote_read_look(const struct remote_told *told,
                     const struct ledger_target *target,
                     struct ledger_budget *out)
{
    const struct limit *limit = target->limit;
    const uint64_t *numbers = told->numbers;
    if (told->count != LOOK_NUMBERS)
        return -1;
    *out = (struct ledger_budget){
        .rate = limit->rate, .boost_percent = (uint32_t)numbers[LOOK_PERCENT]};
    out->rate.amount =
        ledger_boosted_amount(limit->rate.amount, out->boost_percent);
    if (out->boost_percent > 0)
        out->boost_left_ms = until(numbers[LOOK_UNTIL], numbers[LOOK_NOW]);
    if (remote_kind_of(limit, true) == REMOTE_SET)
        look_at_set(numbers, out);
    else
        look_at_bucket(numbers, limit->value != NULL, out);
    out->max = limit->burst != 0
                   ? ledger_boosted_max(limit, limit->burst, out->boost_percent)
                   : out->rate.amount;
    return out->used > 0 || out->held > 0 || out->boost_percent > 0;
}
