#include "proxy/sasl/sasl.h"

#include "proxy/sasl/base64.h"
#include "proxy/sasl/sasl_internal.h"

#include <assert.h>
#include <stdlib.h>

#include <openssl/mem.h>

static const struct sasl_kind *const kinds[SASL_MECHANISMS] = {
    [SASL_PLAIN] = &sasl_kind_plain,
    [SASL_LOGIN] = &sasl_kind_login,
    [SASL_SCRAM_SHA_256] = &sasl_kind_scram,
    [SASL_SCRAM_SHA_256_PLUS] = &sasl_kind_scram_plus,
    [SASL_OAUTHBEARER] = &sasl_kind_oauthbearer,
    [SASL_XOAUTH2] = &sasl_kind_xoauth2,
    [SASL_EXTERNAL] = &sasl_kind_external,
    [SASL_CRAM_MD5] = &sasl_kind_cram_md5,
};

int sasl_mechanism_parse(struct str name, enum sasl_mechanism *out)
{
    for (enum sasl_mechanism m = 0; m < SASL_MECHANISMS; m++) {
        if (str_equals_nocase(name, str_from(kinds[m]->name))) {
            *out = m;
            return 0;
        }
    }
    return -1;
}

const char *sasl_mechanism_name(enum sasl_mechanism mechanism)
{
    return kinds[mechanism]->name;
}

void sasl_init(struct sasl *sasl, enum sasl_mechanism mechanism,
               const struct sasl_channel *channel)
{
    *sasl = (struct sasl){.mechanism = mechanism, .channel = channel};
}

static void wipe(char **secret, size_t *length)
{
    if (*secret != NULL)
        OPENSSL_cleanse(*secret, *length);
    free(*secret);
    *secret = NULL;
    *length = 0;
}

void sasl_release(struct sasl *sasl)
{
    wipe(&sasl->name, &sasl->name_length);
    wipe(&sasl->authzid, &sasl->authzid_length);
    wipe(&sasl->secret, &sasl->secret_length);
    if (sasl->state != NULL)
        OPENSSL_cleanse(sasl->state, sasl->state_size);
    free(sasl->state);
    sasl->state = NULL;
    sasl->state_size = 0;
    sasl->phase = SASL_PHASE_DONE;
}

bool sasl_refuse(struct sasl *sasl, const char **challenge)
{
    const char *excuse = kinds[sasl->mechanism]->excuse;
    sasl_release(sasl);
    if (excuse == NULL)
        return false;
    *challenge = excuse;
    sasl->phase = SASL_PHASE_EXCUSE;
    return true;
}

/* After each step: what may come now. */
static enum sasl_next go_on(struct sasl *sasl, enum sasl_next next,
                            const char **challenge)
{
    switch (next) {
    case SASL_CHALLENGE:
        sasl->phase = SASL_PHASE_RESPONSE;
        return next;
    case SASL_SECRETS:
        sasl->phase = SASL_PHASE_SECRETS;
        return next;
    case SASL_CLAIM:
        sasl->phase = SASL_PHASE_DONE;
        return next;
    case SASL_REFUSED:
        return sasl_refuse(sasl, challenge) ? SASL_CHALLENGE : next;
    case SASL_CANCELLED:
    case SASL_MALFORMED:
    case SASL_MEMORY:
        break;
    }
    sasl_release(sasl);
    return next;
}

static enum sasl_next decode_and_take(struct sasl *sasl, struct str text,
                                      const char **challenge)
{
    char decoded[BASE64_TEXT_MAX];
    size_t length;
    enum sasl_next next = SASL_MALFORMED;
    if (sasl->phase == SASL_PHASE_RESPONSE &&
        base64_decode(text, decoded, &length) == 0) {
        next = kinds[sasl->mechanism]->take(sasl, str_span(decoded, length),
                                            challenge);
        sasl->responses++;
    }
    OPENSSL_cleanse(decoded, sizeof decoded);
    return go_on(sasl, next, challenge);
}

enum sasl_next sasl_begin(struct sasl *sasl, bool has_initial,
                          struct str initial, const char **challenge)
{
    const struct sasl_kind *kind = kinds[sasl->mechanism];
    assert(sasl->phase == SASL_PHASE_START);
    sasl->phase = SASL_PHASE_RESPONSE;
    *challenge = kind->question == NULL ? "" : kind->question;
    /* RFC 4954 4: where the server speaks first, a response is a fault; and
     * an empty one is written as "=". */
    if (has_initial && (kind->ask != NULL || initial.n == 0))
        return go_on(sasl, SASL_MALFORMED, challenge);
    if (kind->ask != NULL)
        return go_on(sasl, kind->ask(sasl, challenge), challenge);
    if (!has_initial)
        return SASL_CHALLENGE;
    if (str_equals(initial, STR("=")))
        initial = str_head(initial, 0);
    return decode_and_take(sasl, initial, challenge);
}

enum sasl_next sasl_respond(struct sasl *sasl, struct str line,
                            const char **challenge)
{
    bool is_refused = sasl->phase == SASL_PHASE_EXCUSE;
    *challenge = "";
    if (!is_refused && !str_equals(line, STR("*")))
        return decode_and_take(sasl, line, challenge);
    sasl_release(sasl);
    return is_refused ? SASL_REFUSED : SASL_CANCELLED;
}

enum sasl_next sasl_take_scram(struct sasl *sasl,
                               const struct scram_verifier *verifier,
                               const char **challenge)
{
    const struct sasl_kind *kind = kinds[sasl->mechanism];
    assert(sasl->phase == SASL_PHASE_SECRETS && kind->take_scram != NULL);
    *challenge = "";
    return go_on(sasl, kind->take_scram(sasl, verifier, challenge), challenge);
}

enum sasl_next sasl_take_cram(struct sasl *sasl,
                              const uint8_t contexts[CRAM_CONTEXTS])
{
    const struct sasl_kind *kind = kinds[sasl->mechanism];
    const char *challenge = "";
    assert(sasl->phase == SASL_PHASE_SECRETS && kind->take_cram != NULL);
    return go_on(sasl, kind->take_cram(sasl, contexts), &challenge);
}
