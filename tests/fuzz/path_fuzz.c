/* Paths and mailboxes: what is accepted holds nothing that could end a
 * command, parses again, and has one canonical form. */
#include "proxy/smtp/path.h"

#include "rules/base/utf8.h"
#include "tests/fuzz/pieces.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_canonical(struct str mailbox)
{
    struct arena arena;
    struct address address;
    arena_init(&arena, 8192);
    struct str once = address_canonical(&arena, mailbox);
    /* Only beyond ASCII may one be longer: in A-labels, composed. */
    assert(once.p != NULL);
    assert(str_has_8bit(mailbox) || once.n <= mailbox.n);
    struct str twice = address_canonical(&arena, once);
    assert(str_equals(once, twice));
    assert(address_parse(once, &address) == ADDRESS_OK);
    arena_release(&arena);
}

static void assert_mailbox(struct str mailbox)
{
    struct address address;
    assert(utf8_is_valid(mailbox));
    for (size_t i = 0; i < mailbox.n; i++)
        assert((unsigned char)mailbox.p[i] >= ' ' && mailbox.p[i] != 0x7f);
    if (mailbox.n == 0 || str_equals_nocase(mailbox, STR("postmaster")))
        return;
    assert(address_parse(mailbox, &address) == ADDRESS_OK);
    assert(address.local.n + 1 + address.domain.n == mailbox.n);
    assert(address.local.n > 0 && address.domain.n > 0);
    assert(str_equals(address.text, mailbox));
    assert_canonical(mailbox);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct str rest = text;
    struct str mailbox;
    struct arena arena;
    if (path_reverse(&rest, &mailbox) == PATH_OK) {
        assert_mailbox(mailbox);
        assert(rest.n < text.n && rest.p + rest.n == text.p + text.n);
        assert(rest.n == 0 || rest.p[0] != ' ');
    }
    rest = text;
    if (path_forward(&rest, &mailbox) == PATH_OK) {
        assert(mailbox.n > 0);
        assert_mailbox(mailbox);
    }
    arena_init(&arena, size + 4096);
    struct str canonical = address_canonical(&arena, text);
    assert(str_has_8bit(text) || canonical.n <= text.n);
    arena_release(&arena);
    return 0;
}
