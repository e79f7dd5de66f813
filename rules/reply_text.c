#include "rules/reply_text.h"

bool reply_is_of_auth(int code)
{
    return code == 535 || code == 525 || code == 534 || code == 538 ||
           code == 530 || code == 454 || code == 432;
}

/* Digits "." digits "." digits, one and one to three and one to three. */
bool reply_is_enhanced(struct str text)
{
    struct str class, subject, detail;
    uint64_t number;
    if (!str_cut(text, '.', &class, &text) ||
        !str_cut(text, '.', &subject, &detail))
        return false;
    return class.n == 1 && subject.n <= 3 && detail.n <= 3 &&
           str_to_u64(class, &number) == 0 &&
           str_to_u64(subject, &number) == 0 &&
           str_to_u64(detail, &number) == 0;
}

struct str reply_text(struct arena *arena, struct str text)
{
    text = str_head(text, REPLY_TEXT_MAX);
    char *copy = arena_cstr(arena, text);
    for (size_t i = 0; copy != NULL && i < text.n; i++)
        if (copy[i] < ' ' || copy[i] > '~')
            copy[i] = '?';
    return str_span(copy, copy == NULL ? 0 : text.n);
}
