/* What stands on the socket of the keeper of private keys, in both directions.
 * What is taken is within its caps, and is written again as it was. */
#include "proxy/keys/key_wire.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_question(struct str message)
{
    static char again[KEY_WIRE_ROOM];
    struct key_question question;
    uint32_t id;
    if (key_wire_get_question(message, &id, &question) != 0)
        return;
    assert(question.input.n <= KEY_INPUT_MAX);
    size_t n = key_wire_put_question(again, id, &question);
    assert(str_equals(str_span(again, n), message));
}

static void try_answer(struct str message)
{
    static char again[KEY_WIRE_ROOM];
    struct str signature;
    uint32_t id;
    if (key_wire_get_answer(message, &id, &signature) != 0)
        return;
    assert(signature.n <= KEY_SIGNATURE_MAX);
    size_t n = key_wire_put_answer(again, id, signature);
    assert(str_equals(str_span(again, n), message));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str message = {(const char *)data, size};
    try_question(message);
    try_answer(message);
    return 0;
}
