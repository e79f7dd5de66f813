#include "proxy/session/data_stage.h"

#include "proxy/session/session_reply.h"
#include "proxy/session/transaction.h"

static bool learn_facts(struct session *s)
{
    struct transaction *t = s->transaction;
    struct domain_set domains = {0};
    struct str *accepted =
        arena_array(&t->arena, t->accepted_count, sizeof *accepted);
    size_t count = 0;
    if (accepted == NULL)
        return false;
    for (size_t i = 0; i < t->recipient_count; i++) {
        if (t->recipients[i].state != RECIPIENT_ACCEPTED)
            continue;
        accepted[count] = t->recipients[i].mailbox;
        if (domain_set_add(&domains, &t->arena, accepted[count++]) != 0)
            return false;
    }
    facts_set_list(&s->facts, FACT_DATA_RECIPIENTS, accepted, count);
    facts_set_list(&s->facts, FACT_DATA_DOMAINS, domains.items, domains.count);
    return true;
}

enum data_stage data_stage_begin(struct session *s)
{
    struct transaction *t = s->transaction;
    if (t->recipient_count == 0) {
        session_bad_command(s, 503, "5.5.1", "RCPT first");
        return DATA_STAGE_REFUSED;
    }
    if (t->accepted_count == 0) {
        session_reply(s, 554, "5.5.1", "No valid recipients");
        return DATA_STAGE_REFUSED;
    }
    if (t->has_final) { /* the upstream went away meanwhile */
        transaction_reply_final(s);
        return DATA_STAGE_OVER;
    }
    if (learn_facts(s))
        return DATA_STAGE_READY;
    session_reply(s, 451, "4.3.0", "Out of memory, try again later");
    return DATA_STAGE_REFUSED;
}
