/* Parameters of MAIL and, behind a NUL, of RCPT; the first octet chooses what
 * the upstream offers. What goes on asks for nothing that is not offered, and
 * is read again as the same. Values, as any octets, make xtext, too. */
#include "proxy/smtp/params.h"

#include "proxy/smtp/param_values.h"
#include "proxy/smtp/xtext.h"
#include "rules/base/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct capabilities ALL = {
    .has_size = true,
    .has_8bitmime = true,
    .has_smtputf8 = true,
    .has_dsn = true,
    .has_requiretls = true,
    .has_futurerelease = true,
    .hold_seconds = UINT64_MAX,
    .has_mt_priority = true,
    .has_deliverby = true,
};

/* Each has a space before it, and nothing ends the command or hides in it. */
static void assert_written(struct str text)
{
    assert(text.n == 0 || (text.p[0] == ' ' && text.p[text.n - 1] != ' '));
    assert(utf8_is_valid(text));
    for (size_t i = 0; i < text.n; i++)
        assert((unsigned char)text.p[i] >= ' ' && text.p[i] != 0x7f);
}

static void assert_values(const struct mail_params *params)
{
    assert(params->ret.n == 0 || ret_is_valid(params->ret));
    assert(params->envid.n == 0 || envid_is_valid(params->envid));
    assert(params->hold_for.n == 0 || hold_for_is_valid(params->hold_for));
    assert(params->hold_until.n == 0 ||
           hold_until_is_valid(params->hold_until));
    assert(params->hold_for.n == 0 || params->hold_until.n == 0);
    assert(params->priority.n == 0 || priority_is_valid(params->priority));
    assert(params->deliver_by.n == 0 ||
           deliver_by_is_valid(params->deliver_by));
}

static void assert_same_mail(const struct mail_params *a,
                             const struct mail_params *b)
{
    assert(a->has_size == b->has_size && (!a->has_size || a->size == b->size));
    assert((a->body == BODY_8BITMIME) == (b->body == BODY_8BITMIME));
    assert(a->is_smtputf8 == b->is_smtputf8);
    assert(a->requires_tls == b->requires_tls);
    assert(a->extensions == b->extensions);
    assert(str_equals(a->ret, b->ret) && str_equals(a->envid, b->envid));
    assert(str_equals(a->hold_for, b->hold_for));
    assert(str_equals(a->hold_until, b->hold_until));
    assert(str_equals(a->priority, b->priority));
    assert(str_equals(a->deliver_by, b->deliver_by));
}

static unsigned offered_bits(const struct capabilities *offered)
{
    unsigned bits = 0;
    for (enum extension e = 0; e < EXTENSION_COUNT; e++)
        if (capabilities_have(offered, e))
            bits |= 1U << e;
    return bits;
}

static void write_mail(const struct mail_params *params,
                       const struct capabilities *offered)
{
    char room[PARAMS_TEXT_MAX];
    struct mail_params again;
    struct str what;
    struct str written =
        str_span(room, mail_params_write(params, offered, room, sizeof room));
    assert_written(written);
    assert(mail_params_parse(written, &again, &what) == PARAMS_OK);
    assert(again.extensions == (params->extensions & offered_bits(offered)));
    assert(!again.has_size || offered->has_size);
    if (offered == &ALL)
        assert_same_mail(params, &again);
}

static void read_mail(struct str text, const struct capabilities *offered)
{
    struct mail_params params, kept;
    struct arena arena;
    struct str what;
    enum params_error error = mail_params_parse(text, &params, &what);
    assert(what.n <= 32);
    if (error != PARAMS_OK)
        return;
    assert_values(&params);
    write_mail(&params, &ALL);
    write_mail(&params, offered);
    assert(mail_params_over_offer(&params, &ALL) == NULL ||
           params.deliver_by.n > 0);
    kept = params;
    arena_init(&arena, 4096);
    assert(mail_params_keep(&kept, &arena) == 0);
    assert_same_mail(&params, &kept);
    arena_release(&arena);
}

static void read_rcpt(struct str text, const struct capabilities *offered)
{
    char room[PARAMS_TEXT_MAX];
    struct rcpt_params params, again;
    struct str what;
    if (rcpt_params_parse(text, &params, &what) != PARAMS_OK)
        return;
    assert(params.notify.n == 0 || notify_is_valid(params.notify));
    assert(params.orcpt.n == 0 || orcpt_is_valid(params.orcpt));
    assert(params.needs_dsn == (params.notify.n > 0 || params.orcpt.n > 0));
    struct str written =
        str_span(room, rcpt_params_write(&params, &ALL, room, sizeof room));
    assert_written(written);
    assert(rcpt_params_parse(written, &again, &what) == PARAMS_OK);
    assert(str_equals(params.notify, again.notify));
    assert(str_equals(params.orcpt, again.orcpt));
    size_t n = rcpt_params_write(&params, offered, room, sizeof room);
    assert(n == (offered->has_dsn ? written.n : 0));
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : c - 'A' + 10;
}

static size_t decode(struct str xtext, char *to)
{
    size_t n = 0;
    for (size_t i = 0; i < xtext.n; i++) {
        if (xtext.p[i] != '+') {
            to[n++] = xtext.p[i];
            continue;
        }
        to[n++] =
            (char)(hex_digit(xtext.p[i + 1]) * 16 + hex_digit(xtext.p[i + 2]));
        i += 2;
    }
    return n;
}

static bool is_printable(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < ' ' || text.p[i] > '~')
            return false;
    return true;
}

/* All octets have an xtext, and that of what is printable ASCII is valid. */
static void assert_xtext(struct str octets)
{
    struct arena arena;
    char *back = malloc(octets.n * 3 + 1);
    assert(back != NULL);
    arena_init(&arena, octets.n * 8 + 4096);
    struct str encoded = xtext_encode(&arena, octets);
    assert(encoded.p != NULL && is_printable(encoded));
    assert(xtext_is_valid(encoded) == is_printable(octets));
    assert(str_equals(str_span(back, decode(encoded, back)), octets));
    /* What the client wrote so stands for the same octets as our own. */
    if (xtext_is_valid(octets)) {
        struct str plain = str_span(back, decode(octets, back));
        encoded = xtext_encode(&arena, plain);
        assert(is_printable(plain));
        assert(xtext_is_valid(encoded) && encoded.n <= octets.n);
    }
    arena_release(&arena);
    free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str mail, rcpt;
    if (size == 0)
        return 0;
    struct capabilities offered = {
        .has_size = (data[0] & 1) != 0,
        .has_8bitmime = (data[0] & 2) != 0,
        .has_smtputf8 = (data[0] & 4) != 0,
        .has_dsn = (data[0] & 8) != 0,
        .has_requiretls = (data[0] & 16) != 0,
        .has_futurerelease = (data[0] & 32) != 0,
        .has_mt_priority = (data[0] & 64) != 0,
        .has_deliverby = (data[0] & 128) != 0,
    };
    str_cut(str_span((const char *)data + 1, size - 1), '\0', &mail, &rcpt);
    read_mail(mail, &offered);
    read_rcpt(rcpt, &offered);
    assert_xtext(mail);
    assert_xtext(rcpt);
    return 0;
}
