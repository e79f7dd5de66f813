#include "rules/rule_table.h"

#define EVERYWHERE AT_ALL_STAGES, "every stage"
#define BEFORE_REPLY AT_ALL_STAGES & ~AT_STAGE(REPLY), "every stage but reply"
#define UP_TO_RCPT                                                             \
    AT_STAGE(CONNECT) | AT_STAGE(HELO) | AT_STAGE(AUTH) | AT_STAGE(MAIL) |     \
        AT_STAGE(RCPT),                                                        \
        "connect, helo, auth, mail, rcpt"
#define MAIL_TO_HEADER                                                         \
    AT_STAGE(MAIL) | AT_STAGE(RCPT) | AT_STAGE(DATA) | AT_STAGE(HEADER),       \
        "mail, rcpt, data, header"

/* By enum rule_mode. */
static const char *const modes[] = {"live", "shadow", "off", NULL};
static const char *const counts[] = {"accepted", "attempts", NULL};

const struct rule_key rule_keys[] = {
    {"rule", VALUE_NAME, EVERYWHERE,
     .help = "what the rule is called in the log; unique, as budgets are kept "
             "by it"},
    {"mode", VALUE_WORD, EVERYWHERE, .words = modes,
     .help = "live; shadow: only logs what it would have done; off"},
    {"when", VALUE_CONDITION, EVERYWHERE,
     .help = "facts and what they must be, all of them; without it the rule "
             "always applies"},
    {"limit", VALUE_LIMIT, EVERYWHERE,
     .help = "the rule acts only on what exceeds this"},
    {"accept", VALUE_TRUE, BEFORE_REPLY,
     .help = "ends the rules of this stage, and only them"},
    {"reject", VALUE_REPLY, BEFORE_REPLY, .classes = '5',
     .help = "refuses for good: \"550 5.7.1 text\""},
    {"defer", VALUE_REPLY, BEFORE_REPLY, .classes = '4',
     .help = "refuses for now: \"450 4.7.1 text\""},
    {"close", VALUE_REPLY, BEFORE_REPLY, .classes = 'c',
     .help = "answers and closes the connection: \"421 4.7.0 text\""},
    {"rewrite", VALUE_REWRITE,
     AT_STAGE(MAIL) | AT_STAGE(RCPT) | AT_STAGE(HEADER), "mail, rcpt, header",
     .help = "puts another value in the place of mail.from, rcpt.to or a "
             "header field"},
    {"headers", VALUE_HEADERS, MAIL_TO_HEADER,
     .help = "removes, sets and adds header fields"},
    {"add_recipient", VALUE_RECIPIENT,
     AT_STAGE(RCPT) | AT_STAGE(DATA) | AT_STAGE(HEADER), "rcpt, data, header",
     .help = "sends the message to one more address"},
    {"route", VALUE_UPSTREAM, UP_TO_RCPT,
     .help = "the upstream that takes the message"},
    {"list", VALUE_LIST_CHANGE, EVERYWHERE,
     .help = "adds to or removes from dynamic lists"},
    {"ask", VALUE_POLICY_SERVER,
     AT_STAGE(MAIL) | AT_STAGE(RCPT) | AT_STAGE(DATA) | AT_STAGE(MESSAGE),
     "mail, rcpt, data, message",
     .help = "asks a policy server, whose answer decides"},
    {"delay", VALUE_TIME, BEFORE_REPLY, .help = "holds the answer for so long"},
    {"tag", VALUE_TEMPLATES, EVERYWHERE,
     .help = "words for the log, one or a list"},
    {"note", VALUE_TEMPLATE, EVERYWHERE, .help = "a sentence for the log"},
};

const size_t rule_key_count = sizeof rule_keys / sizeof *rule_keys;

const struct rule_key *rule_key_find(struct str name)
{
    for (size_t i = 0; i < rule_key_count; i++)
        if (str_equals(name, str_from(rule_keys[i].name)))
            return &rule_keys[i];
    return NULL;
}

bool rule_rewrites(enum stage stage, enum fact *out)
{
    static const struct {
        enum stage stage;
        enum fact fact;
    } FACTS[] = {
        {STAGE_MAIL, FACT_MAIL_FROM},
        {STAGE_RCPT, FACT_RCPT_TO},
        {STAGE_HEADER, FACT_HEADER},
    };
    for (size_t i = 0; i < sizeof FACTS / sizeof *FACTS; i++) {
        *out = FACTS[i].fact;
        if (FACTS[i].stage == stage)
            return true;
    }
    return false;
}

const struct rule_key limit_keys[LIMIT_KEYS] = {
    [LIMIT_KEY_BY] =
        {"by", VALUE_TEMPLATES, EVERYWHERE,
         .help =
             "whose budget it is, such as \"{auth.user}\"; of a list the first "
             "whose facts all exist; without it all share one"},
    [LIMIT_KEY_BURST] =
        {"burst", VALUE_COUNT, EVERYWHERE,
         .help = "how much may go at once; the whole limit if not said"},
    [LIMIT_KEY_COUNT] =
        {"count", VALUE_WORD, EVERYWHERE, .words = counts,
         .help =
             "attempts: charged at once and kept; else what the upstream does "
             "not accept is given back"},
    [LIMIT_KEY_WARN] = {"warn", VALUE_PERCENT, EVERYWHERE,
                        .help = "from which share of it a use is logged"},
};

const struct rule_key header_keys[] = {
    [HEADER_EDIT_REMOVE] = {"remove", VALUE_GLOBS, MAIL_TO_HEADER,
                            .help = "names of fields; * stands for any text"},
    [HEADER_EDIT_SET] = {"set", VALUE_FIELDS, MAIL_TO_HEADER,
                         .help = "{Name: text}: the only field of that name"},
    [HEADER_EDIT_ADD] = {"add", VALUE_FIELDS, MAIL_TO_HEADER,
                         .help = "{Name: text}: one more field"},
    [HEADER_EDIT_ADD_MISSING] = {"add_missing", VALUE_FIELDS, MAIL_TO_HEADER,
                                 .help = "{Name: text}: unless there is one"},
};

const size_t header_key_count = sizeof header_keys / sizeof *header_keys;

const struct test_word_row test_words[WORD_COUNT] = {
    [WORD_SHORT] = {"", VALUE_TEST, "any value is, or is in"},
    [WORD_IS] = {"is", VALUE_TEST, "equality, without patterns or lists"},
    [WORD_IN] = {"in", VALUE_TEST, "any value is in"},
    [WORD_NOT_IN] = {"not_in", VALUE_TEST, "any value is outside"},
    [WORD_EVERY_IN] = {"every_in", VALUE_TEST, "all values are in"},
    [WORD_NONE_IN] = {"none_in", VALUE_TEST, "no value is in"},
    [WORD_MATCHES] = {"matches", VALUE_PATTERN,
                      "a regular expression between slashes"},
    [WORD_ABOVE] = {"above", VALUE_COUNT, "a number above this one"},
    [WORD_BELOW] = {"below", VALUE_COUNT, "a number below this one"},
    [WORD_EXISTS] = {"exists", VALUE_FLAG, "whether the fact is known at all"},
};
