/* What a policy server said, read as an action. Whatever it is, what comes
 * out lies in the text, fits its kind, and does not depend on the case of the
 * words or on blanks around them. */
#include "rules/policy_action.h"

#include "rules/reply_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_reply(const struct policy_action *action)
{
    assert(action->code >= 400 && action->code < 600);
    assert(!reply_is_of_auth(action->code));
    assert(reply_is_enhanced(action->enhanced));
    assert(action->enhanced.p[0] - '0' == action->code / 100);
    assert(action->text.n > 0);
}

static void assert_field(const struct policy_action *action)
{
    assert(action->name.n > 0 && action->text.n > 0);
    for (size_t i = 0; i < action->name.n; i++)
        assert(action->name.p[i] > ' ' && action->name.p[i] <= '~' &&
               action->name.p[i] != ':');
    for (size_t i = 0; i < action->text.n; i++)
        assert((uint8_t)action->text.p[i] >= ' ' || action->text.p[i] == '\t');
}

static void assert_sound(const struct policy_action *action)
{
    switch (action->kind) {
    case POLICY_ACTION_REPLY:
    case POLICY_ACTION_DEFER_IF_REJECT:
    case POLICY_ACTION_DEFER_IF_PERMIT:
        assert_reply(action);
        break;
    case POLICY_ACTION_PREPEND:
        assert_field(action);
        break;
    default:
        assert(action->code == 0 && action->name.n == 0);
    }
}

static void assert_blanks_do_not_matter(struct str text,
                                        const struct policy_action *action)
{
    struct policy_action padded;
    char *copy = malloc(text.n + 2);
    assert(copy != NULL);
    copy[0] = ' ';
    if (text.n > 0)
        memcpy(copy + 1, text.p, text.n);
    copy[text.n + 1] = '\t';
    policy_action_parse(str_span(copy, text.n + 2), &padded);
    if (text.n + 2 <= POLICY_ACTION_MAX_OCTETS) {
        assert(padded.kind == action->kind && padded.code == action->code);
        assert(str_equals(padded.text, action->text));
    }
    for (size_t i = 0; i < text.n; i++)
        copy[i] = ascii_lower(text.p[i]);
    policy_action_parse(str_span(copy, text.n), &padded);
    assert(padded.kind == action->kind && padded.code == action->code);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct policy_action action;
    policy_action_parse(text, &action);
    assert_sound(&action);
    assert_blanks_do_not_matter(text, &action);
    return 0;
}
