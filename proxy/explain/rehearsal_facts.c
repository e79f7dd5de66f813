#include "proxy/explain/rehearsal_internal.h"

#include "config/time_facts.h"
#include "rules/cidr.h"

static void set_if_given(struct rehearsal *r, enum fact fact, struct str value)
{
    if (value.n > 0)
        facts_set_text(&r->facts, fact, value);
}

/* What was stated by name comes last, and counts. */
static void state(struct rehearsal *r, enum stage stage)
{
    for (size_t i = 0; i < r->mail->fact_count; i++) {
        const struct stated_fact *stated = &r->mail->facts[i];
        enum fact fact = stated->ref.fact;
        if (fact_stage(&stated->ref) != stage || fact == FACT_HEADER)
            continue;
        if (fact_type(&stated->ref) == FACT_TYPE_NUMBER)
            facts_set_number(&r->facts, fact, stated->number);
        else if (fact_is_list(&stated->ref))
            facts_set_list(&r->facts, fact, stated->values, stated->count);
        else if (stated->count > 0)
            facts_set_text(&r->facts, fact, stated->values[0]);
    }
}

void rehearsal_learn_upstream(struct rehearsal *r, struct str name)
{
    for (size_t i = 0; i < r->mail->fact_count; i++)
        if (r->mail->facts[i].ref.fact == FACT_UPSTREAM_NAME)
            return;
    facts_set_text(&r->facts, FACT_UPSTREAM_NAME, name);
}

int rehearsal_learn_client(struct rehearsal *r)
{
    struct ip ip;
    set_if_given(r, FACT_CLIENT_IP, r->mail->client);
    if (r->mail->client.n > 0 && ip_parse(r->mail->client, &ip) == 0) {
        struct str net = ip_net_text(&r->arena, &ip);
        if (net.p == NULL)
            return -1;
        facts_set_text(&r->facts, FACT_CLIENT_NET, net);
    }
    if (r->mail->listener != NULL)
        facts_set_text(&r->facts, FACT_LISTENER, r->mail->listener->name);
    time_facts_set(&r->facts, r->mail->at_ms / 1000);
    state(r, STAGE_CONNECT);
    return 0;
}

void rehearsal_learn_helo(struct rehearsal *r)
{
    set_if_given(r, FACT_HELO_NAME, r->mail->helo);
    if (r->mail->helo.n > 0)
        facts_set_text(&r->facts, FACT_HELO_VERB, STR("EHLO"));
    state(r, STAGE_HELO);
}

/* As the state file has it; without an address of the client, nobody can
 * tell. */
static void learn_known(struct rehearsal *r)
{
    struct str net = facts_text(&r->facts, FACT_CLIENT_NET);
    if (net.n == 0)
        return;
    bool is_known =
        ledger_knows(r->run.ledger, r->mail->user, net, r->mail->at_ms);
    facts_set_text(&r->facts, FACT_CLIENT_KNOWN,
                   is_known ? STR("true") : STR("false"));
}

void rehearsal_learn_login(struct rehearsal *r)
{
    static const struct str results[] = {
        [MAIL_WITHOUT_LOGIN] = STR_INIT(""),
        [MAIL_LOGIN_OK] = STR_INIT("ok"),
        [MAIL_LOGIN_FAILED] = STR_INIT("failed"),
        [MAIL_LOGIN_UNAVAILABLE] = STR_INIT("unavailable"),
    };
    const struct rehearsal_mail *mail = r->mail;
    if (mail->login != MAIL_WITHOUT_LOGIN) {
        facts_set_text(&r->facts, FACT_AUTH_NAME, mail->user);
        facts_set_text(&r->facts, FACT_AUTH_RESULT, results[mail->login]);
    }
    if (mail->login == MAIL_LOGIN_OK) {
        facts_set_text(&r->facts, FACT_AUTH_USER, mail->user);
        facts_set_list(&r->facts, FACT_AUTH_ADDRESSES, mail->addresses,
                       mail->address_count);
        facts_set_list(&r->facts, FACT_AUTH_GROUPS, mail->groups,
                       mail->group_count);
        learn_known(r);
    }
    state(r, STAGE_AUTH);
}

void rehearsal_learn_mail(struct rehearsal *r)
{
    /* Of the form of one; no log has it. */
    facts_set_text(&r->facts, FACT_MAIL_ID, STR("000000000001"));
    facts_set_text(&r->facts, FACT_MAIL_FROM, r->mail->from);
    facts_set_text(&r->facts, FACT_MAIL_ORIGINAL, r->mail->from);
    if (r->mail->has_size)
        facts_set_number(&r->facts, FACT_MAIL_SIZE, r->mail->size);
    state(r, STAGE_MAIL);
}

static struct str domain_of(struct str address)
{
    ptrdiff_t at = str_last_index(address, '@');
    return at < 0 ? STR("") : str_skip(address, (size_t)at + 1);
}

/* Whether no earlier address has the domain of this one. */
static bool is_new_domain(const struct str *addresses, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (str_equals_nocase(domain_of(addresses[i]),
                              domain_of(addresses[index])))
            return false;
    return true;
}

void rehearsal_learn_recipient(struct rehearsal *r, size_t index)
{
    const struct str *to = r->mail->to;
    uint64_t domains = 0;
    for (size_t i = 0; i <= index; i++)
        domains += is_new_domain(to, i) ? 1 : 0;
    facts_set_text(&r->facts, FACT_RCPT_TO, to[index]);
    facts_set_text(&r->facts, FACT_RCPT_ORIGINAL, to[index]);
    facts_set_number(&r->facts, FACT_RCPT_COUNT, index + 1);
    facts_set_number(&r->facts, FACT_RCPT_DOMAINS, domains);
    state(r, STAGE_RCPT);
}

int rehearsal_learn_recipients(struct rehearsal *r)
{
    size_t count = 0;
    struct str *domains =
        arena_array(&r->arena, r->accepted_count + 1, sizeof *domains);
    if (domains == NULL)
        return -1;
    for (size_t i = 0; i < r->accepted_count; i++)
        if (is_new_domain(r->accepted, i))
            domains[count++] = domain_of(r->accepted[i]);
    facts_set_list(&r->facts, FACT_DATA_RECIPIENTS, r->accepted,
                   r->accepted_count);
    facts_set_list(&r->facts, FACT_DATA_DOMAINS, domains, count);
    state(r, STAGE_DATA);
    return 0;
}

void rehearsal_learn_header(struct rehearsal *r)
{
    struct header_fields *header = r->mail->header;
    if (header != NULL) {
        uint64_t bytes = header_fields_bytes(header);
        for (size_t i = 0; i < r->effects.edit_count; i++)
            (void)header_fields_edit(header, &r->effects.edits[i]);
        facts_set_header(&r->facts, header);
        facts_set_number(&r->facts, FACT_HEADERS_COUNT, header->count);
        facts_set_number(&r->facts, FACT_HEADERS_BYTES, bytes);
        facts_set_number(&r->facts, FACT_HEADERS_HOPS,
                         header_fields_hops(header));
    }
    state(r, STAGE_HEADER);
}

void rehearsal_learn_message(struct rehearsal *r)
{
    if (r->mail->header != NULL) {
        facts_set_number(&r->facts, FACT_MESSAGE_BYTES, r->mail->bytes);
        facts_set_number(&r->facts, FACT_MESSAGE_LINES, r->mail->lines);
        facts_set_number(&r->facts, FACT_MESSAGE_LONGEST_LINE,
                         r->mail->longest_line);
    }
    state(r, STAGE_MESSAGE);
}

void rehearsal_learn_reply(struct rehearsal *r, struct str to)
{
    const struct rehearsal_mail *mail = r->mail;
    facts_set_text(&r->facts, FACT_REPLY_COMMAND,
                   mail->is_reply_to_rcpt ? STR("RCPT") : STR("DATA"));
    facts_set_number(&r->facts, FACT_REPLY_CODE, (uint64_t)mail->reply_code);
    facts_set_text(&r->facts, FACT_REPLY_ENHANCED, mail->reply_enhanced);
    facts_set_text(&r->facts, FACT_REPLY_TEXT, mail->reply_text);
    if (r->upstream != NULL)
        rehearsal_learn_upstream(r, r->upstream->name);
    if (to.n > 0)
        facts_set_text(&r->facts, FACT_REPLY_TO, to);
    state(r, STAGE_REPLY);
}
