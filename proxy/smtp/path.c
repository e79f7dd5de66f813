#include "proxy/smtp/path.h"

#include "rules/domain_name.h"

/* The index of the '>' that closes the path, or 0. One inside a quoted local
 * part is text. */
static size_t closing_bracket(struct str text)
{
    bool is_quoted = false;
    for (size_t i = 1; i < text.n; i++) {
        char c = text.p[i];
        if (is_quoted && c == '\\')
            i++;
        else if (c == '"')
            is_quoted = !is_quoted;
        else if (c == '>' && !is_quoted)
            return i;
    }
    return 0;
}

/* A-d-l ":" is understood and ignored (RFC 5321 C). Returns -1 when what
 * begins like a route is none. */
static int drop_route(struct str *inner)
{
    struct str route;
    struct str hop;
    bool has_more = true;
    if (inner->n == 0 || inner->p[0] != '@')
        return 0;
    if (!str_cut(*inner, ':', &route, inner))
        return -1;
    while (has_more) {
        has_more = str_cut(route, ',', &hop, &route);
        if (hop.n == 0 || hop.p[0] != '@')
            return -1;
        if (!domain_is_valid(str_skip(hop, 1)))
            return -1;
    }
    return inner->n == 0 ? -1 : 0;
}

/* Takes "<…>" and the spaces behind it off *text. */
static enum path_error cut_path(struct str *text, struct str *inner)
{
    *inner = str_head(*text, 0);
    if (text->n == 0 || text->p[0] != '<')
        return PATH_SYNTAX;
    size_t end = closing_bracket(*text);
    if (end == 0)
        return PATH_SYNTAX;
    *inner = str_span(text->p + 1, end - 1);
    struct str rest = str_skip(*text, end + 1);
    if (rest.n > 0 && rest.p[0] != ' ')
        return PATH_SYNTAX;
    while (rest.n > 0 && rest.p[0] == ' ')
        rest = str_skip(rest, 1);
    if (drop_route(inner) < 0)
        return PATH_SYNTAX;
    *text = rest;
    return PATH_OK;
}

static enum path_error check_mailbox(struct str mailbox)
{
    struct address address;
    switch (address_parse(mailbox, &address)) {
    case ADDRESS_OK:
        return PATH_OK;
    case ADDRESS_TOO_LONG:
        return PATH_TOO_LONG;
    case ADDRESS_UNQUALIFIED:
        return PATH_UNQUALIFIED;
    case ADDRESS_SYNTAX:
        break;
    }
    return PATH_SYNTAX;
}

enum path_error path_reverse(struct str *text, struct str *mailbox)
{
    enum path_error error = cut_path(text, mailbox);
    if (error != PATH_OK || mailbox->n == 0)
        return error;
    return check_mailbox(*mailbox);
}

enum path_error path_forward(struct str *text, struct str *mailbox)
{
    enum path_error error = cut_path(text, mailbox);
    if (error != PATH_OK)
        return error;
    if (str_equals_nocase(*mailbox, STR("Postmaster")))
        return PATH_OK;
    return check_mailbox(*mailbox);
}
