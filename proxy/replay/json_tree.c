/* jsmn finds where each value begins and ends; here its flat tokens become a
 * tree, and texts lose their escapes in a copy: what these stand for is never
 * longer. */
#include "proxy/replay/json_tree.h"

#include <string.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#define TOKENS_FIRST 256

struct builder {
    struct arena *arena;
    char *text; /* a copy that may be written to */
    const jsmntok_t *tokens;
    size_t count, next;
};

/* --- texts --- */

static bool take_hex(const char **at, const char *end, uint32_t *out)
{
    *out = 0;
    if (end - *at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = ascii_lower(*(*at)++);
        if (!ascii_is_digit(c) && (c < 'a' || c > 'f'))
            return false;
        *out =
            *out * 16 + (uint32_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return true;
}

static char *put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char LEADS[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (char)(LEADS[more] | c >> (6 * more));
    while (more-- > 0)
        *to++ = (char)(0x80 | (c >> (6 * more) & 0x3f));
    return to;
}

/* Behind "\u": two of them may be one character. */
static bool take_unicode(const char **at, const char *end, char **to)
{
    uint32_t high, low;
    if (!take_hex(at, end, &high) || (high >= 0xdc00 && high < 0xe000))
        return false;
    if (high >= 0xd800 && high < 0xdc00) {
        if (end - *at < 2 || (*at)[0] != '\\' || (*at)[1] != 'u')
            return false;
        *at += 2;
        if (!take_hex(at, end, &low) || low < 0xdc00 || low >= 0xe000)
            return false;
        high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    *to = put_utf8(*to, high);
    return true;
}

static bool take_escape(const char **at, const char *end, char **to)
{
    static const char LETTERS[] = "\"\\/bfnrt";
    static const char MEANT[] = "\"\\/\b\f\n\r\t";
    if (*at == end)
        return false;
    char c = *(*at)++;
    if (c == 'u')
        return take_unicode(at, end, to);
    const char *letter = c == '\0' ? NULL : strchr(LETTERS, c);
    if (letter == NULL)
        return false;
    *(*to)++ = MEANT[letter - LETTERS];
    return true;
}

static bool read_text(const struct builder *b, const jsmntok_t *token,
                      struct str *out)
{
    char *to = b->text + token->start;
    const char *at = to, *end = b->text + token->end;
    *out = str_span(to, 0);
    while (at < end) {
        char c = *at++;
        if ((unsigned char)c < 0x20)
            return false;
        if (c != '\\')
            *to++ = c;
        else if (!take_escape(&at, end, &to))
            return false;
    }
    out->n = (size_t)(to - out->p);
    return true;
}

/* --- values --- */

static bool read_value(struct builder *b, struct json_node *node, int depth);

static bool read_word(struct json_node *node)
{
    static const struct {
        struct str word;
        enum json_kind kind;
    } WORDS[] = {
        {STR_INIT("null"), JSON_NODE_NULL},
        {STR_INIT("false"), JSON_NODE_FALSE},
        {STR_INIT("true"), JSON_NODE_TRUE},
    };
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        node->kind = WORDS[i].kind;
        if (str_equals(node->text, WORDS[i].word))
            return true;
    }
    node->kind = JSON_NODE_NUMBER;
    for (size_t i = 0; i < node->text.n; i++)
        if (!ascii_is_digit(node->text.p[i]) &&
            memchr("-+.eE", node->text.p[i], 5) == NULL)
            return false;
    return true;
}

/* jsmn hangs the value of a key under the key. */
static bool read_key(struct builder *b, struct str *key)
{
    const jsmntok_t *token = &b->tokens[b->next++];
    return token->type == JSMN_STRING && token->size == 1 &&
           read_text(b, token, key) && b->next < b->count;
}

static bool read_items(struct builder *b, struct json_node *node, int size,
                       int depth)
{
    const struct json_node **last = &node->first;
    if (depth > JSON_TREE_DEPTH_MAX)
        return false;
    for (int i = 0; i < size; i++) {
        struct json_node *item = arena_alloc(b->arena, sizeof *item);
        if (item == NULL || b->next >= b->count ||
            (node->kind == JSON_NODE_OBJECT && !read_key(b, &item->key)) ||
            !read_value(b, item, depth))
            return false;
        *last = item;
        last = &item->next;
        node->count++;
    }
    return true;
}

static bool read_value(struct builder *b, struct json_node *node, int depth)
{
    const jsmntok_t *token = &b->tokens[b->next++];
    switch (token->type) {
    case JSMN_OBJECT:
        node->kind = JSON_NODE_OBJECT;
        return read_items(b, node, token->size, depth + 1);
    case JSMN_ARRAY:
        node->kind = JSON_NODE_ARRAY;
        return read_items(b, node, token->size, depth + 1);
    case JSMN_STRING:
        node->kind = JSON_NODE_TEXT;
        return token->size == 0 && read_text(b, token, &node->text);
    default:
        node->text = str_span(b->text + token->start,
                              (size_t)(token->end - token->start));
        return token->size == 0 && read_word(node);
    }
}

/* jsmn goes on where it ran out of tokens. */
static bool find_tokens(struct builder *b, size_t length)
{
    jsmn_parser parser;
    unsigned room = TOKENS_FIRST;
    jsmntok_t *tokens = arena_alloc(b->arena, room * sizeof *tokens);
    int found = JSMN_ERROR_NOMEM;
    jsmn_init(&parser);
    while (tokens != NULL) {
        found = jsmn_parse(&parser, b->text, length, tokens, room);
        if (found != JSMN_ERROR_NOMEM)
            break;
        jsmntok_t *more = arena_alloc(b->arena, 2 * room * sizeof *tokens);
        if (more != NULL)
            memcpy(more, tokens, room * sizeof *tokens);
        tokens = more;
        room *= 2;
    }
    b->tokens = tokens;
    b->count = found < 0 ? 0 : (size_t)found;
    return found > 0;
}

const struct json_node *json_tree_read(struct arena *arena, struct str text)
{
    struct builder b = {.arena = arena, .text = arena_cstr(arena, text)};
    struct json_node *root = arena_alloc(arena, sizeof *root);
    if (b.text == NULL || root == NULL || text.n > INT32_MAX ||
        !find_tokens(&b, text.n))
        return NULL;
    return read_value(&b, root, 0) && b.next == b.count ? root : NULL;
}

const struct json_node *json_node_get(const struct json_node *node,
                                      const char *key)
{
    size_t n = strlen(key);
    if (node == NULL || node->kind != JSON_NODE_OBJECT)
        return NULL;
    for (const struct json_node *item = node->first; item != NULL;
         item = item->next)
        if (item->key.n == n && memcmp(item->key.p, key, n) == 0)
            return item;
    return NULL;
}
