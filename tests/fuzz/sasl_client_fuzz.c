/* What an upstream answers to AUTH: the first octet chooses the mechanism, the
 * rest is what it challenges with, a line each; base64 is made of it here. */
#include "proxy/sasl/sasl_client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char NONCE[] = "rOprNGfwEbeRWgbNEkqO";

static void assert_response(const struct sasl_client *client,
                            enum sasl_client_next next, struct str response)
{
    char decoded[BASE64_TEXT_MAX];
    size_t length;
    if (next == SASL_CLIENT_CANCEL) {
        assert(client->error != NULL && !sasl_client_has_ended(client));
        return;
    }
    assert(response.n <= BASE64_TEXT_MAX);
    assert(response.p == NULL ||
           base64_decode(response, decoded, &length) == 0);
}

/* RFC 5802 3: whoever lets SCRAM end has shown that it has the server's key,
 * which nobody here can. */
static void assert_end(const struct sasl_client *client)
{
    if (client->login.mechanism == MECHANISM_SCRAM_SHA_256)
        assert(!sasl_client_has_ended(client));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct scram_keys keys;
    struct str rest = str_span((const char *)data, size), response = STR("");
    if (size == 0)
        return 0;
    const struct sasl_login login = {
        .mechanism = (enum login_mechanism)(data[0] % MECHANISM_COUNT),
        .user = STR("user"),
        .secret = STR("pencil"),
        .host = STR("mta.example"),
        .port = 587,
        .keys = &keys,
    };
    struct sasl_client *client = sasl_client_new(&login);
    assert(client != NULL);
    memcpy(client->scram.nonce, NONCE, sizeof NONCE);
    rest = str_skip(rest, 1);
    enum sasl_client_next next = sasl_client_begin(client, &response);
    assert_response(client, next, response);
    while (next == SASL_CLIENT_RESPOND && rest.n > 0) {
        struct str line;
        str_cut(rest, '\n', &line, &rest);
        char *text = malloc(BASE64_ROOM(line.n));
        assert(text != NULL);
        next =
            sasl_client_respond(client, base64_encode(line, text), &response);
        free(text);
        assert_response(client, next, response);
        assert_end(client);
    }
    sasl_client_free(client);
    return 0;
}
