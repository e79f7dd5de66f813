/* The facts of a recorded line, stage by stage. */
#include "proxy/replay/recorded.h"

#include <string.h>

#include "rules/address.h"
#include "rules/cidr.h"

static void learn_text(struct facts *facts, enum fact fact, struct str text)
{
    if (text.p != NULL)
        facts_set_text(facts, fact, text);
    else
        facts_forget(facts, fact);
}

int recorded_learn_connect(struct recorded *recorded, struct facts *facts)
{
    struct ip ip;
    learn_text(facts, FACT_CLIENT_IP, recorded->client_ip);
    learn_text(facts, FACT_LISTENER, recorded->listener);
    facts_set_number(facts, FACT_CLIENT_PORT, recorded->client_port);
    if (recorded->client_ip.p == NULL ||
        ip_parse(recorded->client_ip, &ip) != 0)
        return 0;
    struct str net = ip_net_text(&recorded->arena, &ip);
    learn_text(facts, FACT_CLIENT_NET, net);
    return net.p == NULL ? -1 : 0;
}

void recorded_learn_tls(const struct recorded *recorded, struct facts *facts)
{
    learn_text(facts, FACT_TLS_VERSION, recorded->tls_version);
    learn_text(facts, FACT_TLS_CIPHER, recorded->tls_cipher);
    learn_text(facts, FACT_TLS_SNI, recorded->tls_sni);
    learn_text(facts, FACT_TLS_CLIENT_FINGERPRINT, recorded->tls_fingerprint);
    if (recorded->tls_name_count > 0)
        facts_set_list(facts, FACT_TLS_CLIENT_NAMES, recorded->tls_names,
                       recorded->tls_name_count);
}

void recorded_learn_helo(const struct recorded_helo *helo, struct facts *facts)
{
    learn_text(facts, FACT_HELO_NAME, helo->name);
    learn_text(facts, FACT_HELO_VERB, helo->verb);
}

/* A login that the rules refused had been proven. */
static struct str result_of(const struct recorded *recorded)
{
    if (recorded->auth_result.p == NULL ||
        str_equals(recorded->auth_result, STR("refused")))
        return STR("ok");
    return recorded->auth_result;
}

void recorded_learn_auth(const struct recorded *recorded, struct facts *facts)
{
    if (!recorded->has_auth)
        return;
    bool is_attempt = recorded->event == RECORDED_AUTH;
    struct str name = recorded->auth_name;
    if (name.p == NULL && !is_attempt)
        name = recorded->auth_user;
    learn_text(facts, FACT_AUTH_NAME, name);
    learn_text(facts, FACT_AUTH_RESULT, result_of(recorded));
    learn_text(facts, FACT_AUTH_MECHANISM, recorded->auth_mechanism);
    learn_text(facts, FACT_AUTH_USER, recorded->auth_user);
    learn_text(facts, FACT_CLIENT_KNOWN, recorded->auth_known);
    if (recorded->auth_user.p == NULL)
        return;
    facts_set_list(facts, FACT_AUTH_ADDRESSES, recorded->addresses,
                   recorded->address_count);
    facts_set_list(facts, FACT_AUTH_GROUPS, recorded->groups,
                   recorded->group_count);
}

void recorded_learn_mail(const struct recorded *recorded, struct facts *facts)
{
    facts_forget_from(facts, STAGE_MAIL);
    learn_text(facts, FACT_MAIL_ID, recorded->id);
    learn_text(facts, FACT_MAIL_FROM, recorded->mail_from);
    learn_text(facts, FACT_MAIL_ORIGINAL, recorded->mail_from);
    learn_text(facts, FACT_MAIL_BODY, recorded->mail_body);
    learn_text(facts, FACT_MAIL_SMTPUTF8, recorded->mail_smtputf8);
    learn_text(facts, FACT_MAIL_REQUIRETLS, recorded->mail_requiretls);
    learn_text(facts, FACT_MAIL_ENVID, recorded->mail_envid);
    if (recorded->has_size)
        facts_set_number(facts, FACT_MAIL_SIZE, recorded->mail_size);
}

static struct str domain_of(struct str address)
{
    ptrdiff_t at = str_last_index(address, '@');
    return at < 0 ? STR("") : str_skip(address, (size_t)at + 1);
}

static bool is_new_domain(const struct recorded *recorded, size_t index)
{
    struct str domain = domain_of(recorded->recipients[index].to);
    for (size_t i = 0; i < index; i++)
        if (str_equals_nocase(domain_of(recorded->recipients[i].to), domain))
            return false;
    return domain.n > 0;
}

void recorded_learn_rcpt(const struct recorded *recorded, size_t index,
                         struct facts *facts)
{
    struct str to = recorded->recipients[index].to;
    uint64_t domains = index == 0 ? 0 : facts->values[FACT_RCPT_DOMAINS].number;
    domains += to.p != NULL && is_new_domain(recorded, index);
    facts_set_number(facts, FACT_RCPT_DOMAINS, domains);
    facts_set_number(facts, FACT_RCPT_COUNT, index + 1);
    learn_text(facts, FACT_RCPT_TO, to);
    learn_text(facts, FACT_RCPT_ORIGINAL, to);
}

/* --- the header --- */

static const struct recorded_header *find_header(const struct recorded *r,
                                                 struct str name)
{
    for (size_t i = 0; i < r->header_fact_count; i++)
        if (str_equals_nocase(r->headers[i].name, name))
            return &r->headers[i];
    return NULL;
}

static int add_field(struct arena *arena, struct header_fields *fields,
                     struct str name, struct str body)
{
    struct str raw = arena_printf(arena, "%.*s:%.*s\r\n", (int)name.n, name.p,
                                  (int)body.n, body.p);
    if (raw.p == NULL)
        return -1;
    struct header_field field = {
        .name = str_head(raw, name.n),
        .body = str_span(raw.p + name.n + 1, body.n),
        .raw = raw,
    };
    return header_fields_append(fields, &field);
}

/* The addresses of From make a field that reads as they do, as long as each
 * is one. */
static bool from_is_plain(const struct recorded *r)
{
    struct address parsed;
    for (size_t i = 0; i < r->from_count; i++)
        if (address_parse(r->from[i], &parsed) != ADDRESS_OK)
            return false;
    return true;
}

static int add_from(const struct recorded *r, struct arena *arena,
                    struct header_fields *fields)
{
    struct str body = STR("");
    if (r->from_count == 0 || !from_is_plain(r))
        return 0;
    for (size_t i = 0; i < r->from_count; i++) {
        body =
            arena_printf(arena, "%.*s%s%.*s", (int)body.n, body.p,
                         i == 0 ? " " : ", ", (int)r->from[i].n, r->from[i].p);
        if (body.p == NULL)
            return -1;
    }
    return add_field(arena, fields, STR("From"), body);
}

int recorded_learn_header(const struct recorded *recorded, struct arena *arena,
                          struct header_fields *fields, struct facts *facts)
{
    header_fields_init(fields, arena);
    if (find_header(recorded, STR("from")) == NULL &&
        add_from(recorded, arena, fields) != 0)
        return -1;
    for (size_t i = 0; i < recorded->header_fact_count; i++) {
        const struct recorded_header *header = &recorded->headers[i];
        for (size_t j = 0; j < header->count; j++)
            if (add_field(arena, fields, header->name, header->bodies[j]) != 0)
                return -1;
    }
    facts_set_header(facts, fields);
    facts_set_number(facts, FACT_HEADERS_COUNT, recorded->header_count);
    facts_set_number(facts, FACT_HEADERS_BYTES, recorded->header_bytes);
    facts_forget(facts, FACT_HEADERS_HOPS);
    if (recorded->has_hops)
        facts_set_number(facts, FACT_HEADERS_HOPS, recorded->header_hops);
    return 0;
}

void recorded_learn_message(const struct recorded *recorded,
                            struct facts *facts)
{
    facts_set_number(facts, FACT_MESSAGE_BYTES, recorded->message_bytes);
    facts_set_number(facts, FACT_MESSAGE_LINES, recorded->message_lines);
    if (recorded->has_longest_line)
        facts_set_number(facts, FACT_MESSAGE_LONGEST_LINE,
                         recorded->message_longest_line);
}

void recorded_learn_reply(const struct recorded *recorded,
                          const struct recorded_recipient *recipient,
                          struct facts *facts)
{
    const struct reply *reply =
        recipient != NULL ? &recipient->upstream : &recorded->upstream_reply;
    facts_set_text(facts, FACT_REPLY_COMMAND,
                   recipient != NULL ? STR("RCPT") : STR("DATA"));
    facts_set_number(facts, FACT_REPLY_CODE, (uint64_t)reply->code);
    facts_set_text(facts, FACT_REPLY_ENHANCED, reply->enhanced);
    facts_set_text(facts, FACT_REPLY_TEXT, reply->text);
    learn_text(facts, FACT_UPSTREAM_NAME, recorded->upstream_name);
    learn_text(facts, FACT_UPSTREAM_SERVER, recorded->upstream_server);
    if (recipient != NULL)
        learn_text(facts, FACT_REPLY_TO, recipient->sent);
    else
        facts_forget(facts, FACT_REPLY_TO);
}

/* --- what is not there --- */

static bool is_among(const struct str *names, size_t count,
                     const struct fact_ref *ref)
{
    struct str name = str_from(fact_name(ref->fact));
    for (size_t i = 0; i < count; i++) {
        struct str head, header;
        if (str_equals(names[i], name))
            return true;
        if (ref->fact == FACT_HEADER &&
            str_cut(names[i], '.', &head, &header) && str_equals(head, name) &&
            str_equals_nocase(header, ref->header))
            return true;
    }
    return false;
}

bool recorded_holds(const struct recorded *recorded, const struct fact_ref *ref)
{
    if (is_among(recorded->cut, recorded->cut_count, ref) ||
        is_among(recorded->redacted, recorded->redacted_count, ref))
        return false;
    switch (ref->fact) {
    case FACT_HEADER:
        if (find_header(recorded, ref->header) != NULL)
            return true;
        return str_equals_nocase(ref->header, STR("from")) &&
               ref->part != FACT_PART_NAME && from_is_plain(recorded);
    case FACT_HEADERS_HOPS:
        return recorded->has_hops;
    case FACT_MESSAGE_LONGEST_LINE:
        return recorded->has_longest_line;
    case FACT_HELO_VERB:
        return recorded->helo_verb.p != NULL || recorded->helo_name.p == NULL;
    default:
        return true;
    }
}
