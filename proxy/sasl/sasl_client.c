/* A mechanism is a function that takes the decoded challenge of each step; the
 * first step is the initial response, without a challenge. */
#include "proxy/sasl/sasl_client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/mem.h>

/* So many octets give a text of BASE64_TEXT_MAX. */
#define PLAIN_MAX (BASE64_TEXT_MAX / 4 * 3)

static enum sasl_client_next cancel(struct sasl_client *client,
                                    const char *error)
{
    client->error = error;
    return SASL_CLIENT_CANCEL;
}

static enum sasl_client_next respond(struct sasl_client *client,
                                     struct str octets, struct str *response)
{
    if (octets.n > PLAIN_MAX)
        return cancel(client, "the user's name and secret are too long");
    *response = base64_encode(octets, client->response);
    return SASL_CLIENT_RESPOND;
}

/* Fills `to`, of PLAIN_MAX octets, sends it and wipes it. */
__attribute__((format(printf, 3, 4))) static enum sasl_client_next
respond_with(struct sasl_client *client, struct str *response,
             const char *format, ...)
{
    char text[PLAIN_MAX];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    enum sasl_client_next next =
        n < 0 || (size_t)n >= sizeof text
            ? cancel(client, "the user's name and secret are too long")
            : respond(client, str_span(text, (size_t)n), response);
    OPENSSL_cleanse(text, sizeof text);
    return next;
}

#define TEXT(s) (int)(s).n, (s).n == 0 ? "" : (s).p

/* RFC 4616 2, without a name to act for. */
static enum sasl_client_next step_plain(struct sasl_client *client,
                                        struct str challenge,
                                        struct str *response)
{
    const struct sasl_login *login = &client->login;
    (void)challenge;
    if (client->step > 0)
        return cancel(client, "it asked for more than PLAIN has");
    client->has_ended = true;
    return respond_with(client, response, "%c%.*s%c%.*s", '\0',
                        TEXT(login->user), '\0', TEXT(login->secret));
}

/* Whatever its two questions say. */
static enum sasl_client_next step_login(struct sasl_client *client,
                                        struct str challenge,
                                        struct str *response)
{
    (void)challenge;
    switch (client->step) {
    case 0:
        *response = (struct str){NULL, 0};
        return SASL_CLIENT_RESPOND;
    case 1:
        return respond(client, client->login.user, response);
    case 2:
        client->has_ended = true;
        return respond(client, client->login.secret, response);
    default:
        return cancel(client, "it asked for more than LOGIN has");
    }
}

static enum sasl_client_next step_scram(struct sasl_client *client,
                                        struct str challenge,
                                        struct str *response)
{
    struct scram_client *scram = &client->scram;
    const struct sasl_login *login = &client->login;
    char message[SCRAM_MESSAGE_MAX];
    const char *error = "the user's name has characters that SCRAM can't take";
    struct str out = STR("");
    if (client->step == 0)
        out = scram_client_first(scram, login->user, login->secret, login->keys,
                                 message);
    else if (client->step == 1)
        out = scram_client_final(scram, challenge, message, &error);
    else
        client->has_ended = scram_client_verify(scram, challenge, &error);
    if (out.p == NULL || (client->step > 1 && !client->has_ended))
        return cancel(client, error);
    return respond(client, out, response);
}

/* The second step is there for the server to say why it refuses: what is
 * answered then is empty, and its refusal follows. */
static enum sasl_client_next step_xoauth2(struct sasl_client *client,
                                          struct str challenge,
                                          struct str *response)
{
    const struct sasl_login *login = &client->login;
    (void)challenge;
    client->has_ended = client->step == 0;
    if (client->step > 1)
        return cancel(client, "it asked for more than XOAUTH2 has");
    if (client->step == 1)
        return respond(client, STR(""), response);
    return respond_with(client, response,
                        "user=%.*s\001auth=Bearer %.*s\001\001",
                        TEXT(login->user), TEXT(login->secret));
}

/* RFC 7628 3.1, 3.2.3. */
static enum sasl_client_next step_oauthbearer(struct sasl_client *client,
                                              struct str challenge,
                                              struct str *response)
{
    const struct sasl_login *login = &client->login;
    (void)challenge;
    client->has_ended = client->step == 0;
    if (client->step > 1)
        return cancel(client, "it asked for more than OAUTHBEARER has");
    if (client->step == 1)
        return respond(client, STR("\001"), response);
    if (str_index(login->user, ',') >= 0 || str_index(login->user, '=') >= 0)
        return cancel(client, "OAUTHBEARER takes no comma and no = in a name");
    return respond_with(client, response,
                        "n,a=%.*s,\001host=%.*s\001port=%u\001auth=Bearer "
                        "%.*s\001\001",
                        TEXT(login->user), TEXT(login->host),
                        (unsigned)login->port, TEXT(login->secret));
}

static const struct {
    const char *name;
    enum sasl_client_next (*step)(struct sasl_client *client,
                                  struct str challenge, struct str *response);
} mechanisms[MECHANISM_COUNT] = {
    [MECHANISM_PLAIN] = {"PLAIN", step_plain},
    [MECHANISM_LOGIN] = {"LOGIN", step_login},
    [MECHANISM_SCRAM_SHA_256] = {"SCRAM-SHA-256", step_scram},
    [MECHANISM_XOAUTH2] = {"XOAUTH2", step_xoauth2},
    [MECHANISM_OAUTHBEARER] = {"OAUTHBEARER", step_oauthbearer},
};

const char *sasl_client_mechanism_name(enum login_mechanism mechanism)
{
    return mechanisms[mechanism].name;
}

struct sasl_client *sasl_client_new(const struct sasl_login *login)
{
    struct sasl_client *client = calloc(1, sizeof(*client));
    if (client != NULL)
        client->login = *login;
    return client;
}

void sasl_client_free(struct sasl_client *client)
{
    if (client == NULL)
        return;
    OPENSSL_cleanse(client, sizeof(*client));
    free(client);
}

static enum sasl_client_next take_step(struct sasl_client *client,
                                       struct str challenge,
                                       struct str *response)
{
    enum sasl_client_next next =
        mechanisms[client->login.mechanism].step(client, challenge, response);
    client->step++;
    if (next == SASL_CLIENT_CANCEL)
        client->has_ended = false;
    return next;
}

enum sasl_client_next sasl_client_begin(struct sasl_client *client,
                                        struct str *response)
{
    return take_step(client, STR(""), response);
}

enum sasl_client_next sasl_client_respond(struct sasl_client *client,
                                          struct str challenge,
                                          struct str *response)
{
    char decoded[BASE64_TEXT_MAX];
    size_t length = 0;
    /* LOGIN's questions mean nothing, and some servers write them plainly. */
    if (client->login.mechanism != MECHANISM_LOGIN &&
        base64_decode(challenge, decoded, &length) != 0) {
        client->has_ended = false;
        return cancel(client, "its challenge is no base64");
    }
    return take_step(client, str_span(decoded, length), response);
}

bool sasl_client_has_ended(const struct sasl_client *client)
{
    return client->has_ended;
}
