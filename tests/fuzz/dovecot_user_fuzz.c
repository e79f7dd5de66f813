/* What an authentication server says of a user, and a claim that is made of
 * the same octets. What comes out is what rules may rely on; a claim that can
 * be said is one line, whose response holds its texts and no others. */
#include "proxy/login/dovecot_claim.h"
#include "proxy/login/dovecot_user.h"
#include "proxy/sasl/base64.h"
#include "rules/address.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_user(struct str fields)
{
    const struct dovecot_answer answer = {1, fields};
    struct dovecot_remarks remarks;
    struct login_answer out;
    struct arena arena;
    struct address parsed;
    arena_init(&arena, DOVECOT_ARENA_MAX);
    dovecot_user_read(&answer, &arena, &out, &remarks);
    assert((out.result == LOGIN_OK) == (out.user.n > 0));
    assert((out.result == LOGIN_UNAVAILABLE) == (out.error != NULL));
    for (size_t i = 0; i < out.user.n; i++)
        assert((unsigned char)out.user.p[i] >= ' ');
    assert(out.has_addresses || out.address_count == 0);
    for (size_t i = 0; i < out.address_count; i++)
        assert(str_index(out.addresses[i], '*') >= 0 ||
               address_parse(out.addresses[i], &parsed) == ADDRESS_OK);
    assert(out.has_groups || out.group_count == 0);
    for (size_t i = 0; i < out.group_count; i++)
        assert(out.groups[i].n > 0 && str_index(out.groups[i], ',') < 0);
    (void)dovecot_failure_is_temporary(&answer, &arena);
    arena_release(&arena);
}

static size_t count_of(struct str text, char octet)
{
    size_t count = 0;
    for (size_t i = 0; i < text.n; i++)
        count += text.p[i] == octet;
    return count;
}

/* What ends a text within a response: others can't be put in. */
static void check_response(struct str line, enum dovecot_mechanism mechanism)
{
    static char response[BASE64_TEXT_MAX];
    size_t n = 0;
    const char *text = memmem(line.p, line.n, "\tresp=", 6);
    assert(text != NULL && line.p[line.n - 1] == '\n');
    text += 6;
    struct str encoded = str_span(text, (size_t)(line.p + line.n - 1 - text));
    assert(str_index(line, '\n') == (ptrdiff_t)line.n - 1);
    if (encoded.n > BASE64_TEXT_MAX)
        return;
    assert(base64_decode(encoded, response, &n) == 0);
    if (mechanism == DOVECOT_PLAIN)
        assert(count_of(str_span(response, n), '\0') == 2);
    else
        assert(count_of(str_span(response, n), '\001') == 3);
}

static void check_claim(const struct claim *claim)
{
    static char line[DOVECOT_LINE_MAX];
    const bool has[DOVECOT_MECHANISMS] = {true, true, true};
    enum dovecot_mechanism mechanism = dovecot_claim_mechanism(claim, has);
    size_t n = dovecot_claim_write(claim, mechanism, 1, line, sizeof line);
    assert(n <= sizeof line);
    if (n > 0)
        check_response(str_span(line, n), mechanism);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_span((const char *)data, size), name, rest;
    check_user(text);
    struct claim claim = {.mechanism = "PLAIN"};
    str_cut(text, '\t', &name, &rest);
    str_cut(rest, '\t', &claim.secret, &claim.authzid);
    claim.name = name;
    claim.session = claim.authzid;
    check_claim(&claim);
    claim.kind = CLAIM_TOKEN;
    check_claim(&claim);
    claim.mechanism = "XOAUTH2";
    check_claim(&claim);
    return 0;
}
