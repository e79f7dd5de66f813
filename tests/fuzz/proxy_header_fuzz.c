/* The PROXY header: whatever comes, the same octets with more behind them are
 * read the same, and what is ready lies within them and within the cap. */
#include "proxy/net/proxy_header.h"

#include "tests/fuzz/pieces.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct proxy_header whole, part;
    const char *why = NULL;
    enum proxy_header_result result = proxy_header_read(text, &whole, &why);
    assert((result == PROXY_HEADER_BAD) == (why != NULL));
    if (result == PROXY_HEADER_READY)
        assert(whole.octets <= size && whole.octets <= PROXY_HEADER_MAX);
    if (result == PROXY_HEADER_MORE)
        assert(size < PROXY_HEADER_MAX);
    for (size_t n = 0; n <= size; n++) {
        enum proxy_header_result early =
            proxy_header_read(str_head(text, n), &part, &why);
        if (early == PROXY_HEADER_MORE)
            continue;
        assert(early == result);
        assert(early == PROXY_HEADER_BAD || part.octets == whole.octets);
        break;
    }
    return 0;
}
