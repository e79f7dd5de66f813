#include "proxy/sasl/sasl.h"

#include "proxy/sasl/base64.h"
#include "rules/base/utf8.h"

#include <openssl/mem.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_OCTETS 1024

enum sasl_step {
    STEP_START,
    STEP_MESSAGE,  /* PLAIN: the one message is awaited */
    STEP_NAME,     /* LOGIN */
    STEP_PASSWORD, /* LOGIN */
    STEP_DONE
};

static const char *const MECHANISMS[] = {
    [SASL_PLAIN] = "PLAIN",
    [SASL_LOGIN] = "LOGIN",
};

/* "Username:" and "Password:": some clients compare them. */
static const char ASK_NAME[] = "VXNlcm5hbWU6";
static const char ASK_PASSWORD[] = "UGFzc3dvcmQ6";

int sasl_mechanism_parse(struct str name, enum sasl_mechanism *out)
{
    for (enum sasl_mechanism m = SASL_PLAIN; m <= SASL_LOGIN; m++) {
        if (str_equals_nocase(name, str_from(MECHANISMS[m]))) {
            *out = m;
            return 0;
        }
    }
    return -1;
}

const char *sasl_mechanism_name(enum sasl_mechanism mechanism)
{
    return MECHANISMS[mechanism];
}

void sasl_init(struct sasl *sasl, enum sasl_mechanism mechanism)
{
    *sasl = (struct sasl){.mechanism = mechanism, .step = STEP_START};
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
    wipe(&sasl->password, &sasl->password_length);
    sasl->step = STEP_DONE;
}

static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
            return true;
    return false;
}

/* A name goes into look-ups, replies and the log. */
static bool is_name(struct str name)
{
    return name.n > 0 && name.n <= NAME_MAX_OCTETS && !has_control(name) &&
           utf8_is_valid(name);
}

static bool is_password(struct str password)
{
    return password.n > 0 && str_index(password, '\0') < 0 &&
           str_index(password, '\r') < 0 && str_index(password, '\n') < 0;
}

/* A copy with a NUL behind it that the length does not count. */
static int keep(struct str secret, char **to, size_t *length)
{
    *to = malloc(secret.n + 1);
    if (*to == NULL)
        return -1;
    memcpy(*to, secret.p, secret.n);
    (*to)[secret.n] = '\0';
    *length = secret.n;
    return 0;
}

static enum sasl_next keep_name(struct sasl *sasl, struct str name)
{
    if (!is_name(name))
        return SASL_MALFORMED;
    if (keep(name, &sasl->name, &sasl->name_length) < 0)
        return SASL_MEMORY;
    return SASL_CHALLENGE;
}

static enum sasl_next keep_password(struct sasl *sasl, struct str password)
{
    if (!is_password(password))
        return SASL_MALFORMED;
    if (keep(password, &sasl->password, &sasl->password_length) < 0)
        return SASL_MEMORY;
    return SASL_CREDENTIALS;
}

/* RFC 4616 2: [authzid] NUL authcid NUL passwd. */
static enum sasl_next take_message(struct sasl *sasl, struct str message)
{
    struct str authzid;
    struct str authcid;
    struct str passwd;
    if (!utf8_is_valid(message) || !str_cut(message, '\0', &authzid, &passwd) ||
        !str_cut(passwd, '\0', &authcid, &passwd))
        return SASL_MALFORMED;
    if (!is_name(authcid) || !is_password(passwd))
        return SASL_MALFORMED;
    if (authzid.n > 0 && !str_equals(authzid, authcid))
        return SASL_MISMATCH;
    enum sasl_next next = keep_name(sasl, authcid);
    return next == SASL_CHALLENGE ? keep_password(sasl, passwd) : next;
}

static enum sasl_next take(struct sasl *sasl, struct str decoded,
                           const char **challenge)
{
    enum sasl_next next;
    switch ((enum sasl_step)sasl->step) {
    case STEP_MESSAGE:
        return take_message(sasl, decoded);
    case STEP_NAME:
        next = keep_name(sasl, decoded);
        sasl->step = STEP_PASSWORD;
        *challenge = ASK_PASSWORD;
        return next;
    case STEP_PASSWORD:
        return keep_password(sasl, decoded);
    case STEP_START:
    case STEP_DONE:
        break;
    }
    return SASL_MALFORMED;
}

static enum sasl_next decode_and_take(struct sasl *sasl, struct str text,
                                      const char **challenge)
{
    char decoded[BASE64_TEXT_MAX];
    size_t length;
    enum sasl_next next = SASL_MALFORMED;
    if (base64_decode(text, decoded, &length) == 0)
        next = take(sasl, str_span(decoded, length), challenge);
    OPENSSL_cleanse(decoded, sizeof decoded);
    if (next == SASL_CREDENTIALS)
        sasl->step = STEP_DONE;
    else if (next != SASL_CHALLENGE)
        sasl_release(sasl);
    return next;
}

enum sasl_next sasl_begin(struct sasl *sasl, bool has_initial,
                          struct str initial, const char **challenge)
{
    assert(sasl->step == STEP_START);
    bool is_login = sasl->mechanism == SASL_LOGIN;
    sasl->step = is_login ? STEP_NAME : STEP_MESSAGE;
    *challenge = is_login ? ASK_NAME : "";
    if (!has_initial)
        return SASL_CHALLENGE;
    if (str_equals(initial, STR("=")))
        initial = str_head(initial, 0);
    else if (initial.n == 0)
        return SASL_MALFORMED;
    return decode_and_take(sasl, initial, challenge);
}

enum sasl_next sasl_respond(struct sasl *sasl, struct str line,
                            const char **challenge)
{
    *challenge = "";
    if (!str_equals(line, STR("*")))
        return decode_and_take(sasl, line, challenge);
    sasl_release(sasl);
    return SASL_CANCELLED;
}
