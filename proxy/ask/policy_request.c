#include "proxy/ask/policy_request.h"

#include <stdio.h>
#include <string.h>

#include "rules/base/octet_writer.h"

/* Values longer than any that SMTP lets in are cut. */
#define VALUE_MAX 1024

static void put_text(struct octet_writer *w, const char *name, struct str value)
{
    octet_writer_put(w, str_from(name));
    octet_writer_put(w, STR("="));
    size_t at = w->used;
    octet_writer_put(w, str_head(value, VALUE_MAX));
    for (; at < w->used; at++)
        if ((unsigned char)w->to[at] < ' ' || w->to[at] == 0x7f)
            w->to[at] = '?';
    octet_writer_put(w, STR("\n"));
}

static void put_number(struct octet_writer *w, const char *name, uint64_t value)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    put_text(w, name, str_span(text, n < 0 ? 0 : (size_t)n));
}

/* Of the ciphers that TLS 1.2 and 1.3 leave over, the name tells. */
static const char *key_size(struct str cipher)
{
    char name[64] = "";
    struct str head = str_head(cipher, sizeof name - 1);
    if (head.n > 0)
        memcpy(name, head.p, head.n);
    if (strstr(name, "128") != NULL)
        return "128";
    if (strstr(name, "256") != NULL || strstr(name, "CHACHA20") != NULL)
        return "256";
    return "";
}

static void put_tls(struct octet_writer *w, const struct policy_request *r)
{
    char protocol[32] = "";
    if (r->encryption_protocol.n > 0)
        snprintf(protocol, sizeof protocol, "TLSv%.*s",
                 (int)str_head(r->encryption_protocol, 16).n,
                 r->encryption_protocol.p);
    put_text(w, "encryption_protocol", str_from(protocol));
    put_text(w, "encryption_cipher", r->encryption_cipher);
    put_text(w, "encryption_keysize", str_from(key_size(r->encryption_cipher)));
}

size_t policy_request_write(const struct policy_request *r, char *to,
                            size_t room)
{
    struct octet_writer w = {.to = to, .room = room};
    put_text(&w, "request", STR("smtpd_access_policy"));
    put_text(&w, "protocol_state", str_from(r->protocol_state));
    put_text(&w, "protocol_name", r->is_extended ? STR("ESMTP") : STR("SMTP"));
    put_text(&w, "helo_name", r->helo_name);
    put_text(&w, "queue_id", STR(""));
    put_text(&w, "sender", r->sender);
    put_text(&w, "recipient", r->recipient);
    put_number(&w, "recipient_count", r->recipient_count);
    put_text(&w, "client_address", r->client_address);
    /* Nobody is looked up here: Postfix says this where a look-up failed. */
    put_text(&w, "client_name", STR("unknown"));
    put_text(&w, "reverse_client_name", STR("unknown"));
    put_number(&w, "client_port", r->client_port);
    put_text(&w, "instance", r->instance);
    put_text(&w, "sasl_method", r->sasl_method);
    put_text(&w, "sasl_username", r->sasl_username);
    put_text(&w, "sasl_sender", STR(""));
    put_number(&w, "size", r->size);
    put_text(&w, "ccert_subject", STR(""));
    put_text(&w, "ccert_issuer", STR(""));
    put_text(&w, "ccert_fingerprint", STR(""));
    put_text(&w, "ccert_pubkey_fingerprint", STR(""));
    put_tls(&w, r);
    put_text(&w, "etrn_domain", STR(""));
    put_text(&w, "stress", STR(""));
    put_text(&w, "server_address", r->server_address);
    put_number(&w, "server_port", r->server_port);
    put_text(&w, "policy_context", r->policy_context);
    octet_writer_put(&w, STR("\n"));
    return w.is_full ? 0 : w.used;
}
