/* Reads a copy of the text, in which escapes are resolved in place: what they
 * stand for is never longer. */
#include "proxy/replay/json_tree.h"

#include <string.h>

struct reader {
    struct arena *arena;
    char *at, *end;
    int depth;
};

static bool read_value(struct reader *reader, struct json_node *node);

static void skip_space(struct reader *reader)
{
    while (reader->at < reader->end &&
           (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\r' ||
            *reader->at == '\n'))
        reader->at++;
}

static bool take(struct reader *reader, char octet)
{
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != octet)
        return false;
    reader->at++;
    return true;
}

static bool take_word(struct reader *reader, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(reader->end - reader->at) < n ||
        memcmp(reader->at, word, n) != 0)
        return false;
    reader->at += n;
    return true;
}

/* --- texts --- */

static bool take_hex(struct reader *reader, uint32_t *out)
{
    *out = 0;
    if (reader->end - reader->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = ascii_lower(*reader->at++);
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
    } else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    } else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* Behind "\u": two of them may be one character. */
static bool take_unicode(struct reader *reader, char **to)
{
    uint32_t high, low;
    if (!take_hex(reader, &high))
        return false;
    bool is_high = high >= 0xd800 && high < 0xdc00;
    if (high >= 0xdc00 && high < 0xe000)
        return false;
    if (is_high && (!take_word(reader, "\\u") || !take_hex(reader, &low) ||
                    low < 0xdc00 || low >= 0xe000))
        return false;
    if (is_high)
        high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    *to = put_utf8(*to, high);
    return true;
}

static bool take_escape(struct reader *reader, char **to)
{
    static const char LETTERS[] = "\"\\/bfnrt";
    static const char MEANT[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end)
        return false;
    char c = *reader->at++;
    if (c == 'u')
        return take_unicode(reader, to);
    const char *letter = c == '\0' ? NULL : strchr(LETTERS, c);
    if (letter == NULL)
        return false;
    *(*to)++ = MEANT[letter - LETTERS];
    return true;
}

/* Behind the opening quote. */
static bool read_text(struct reader *reader, struct str *out)
{
    char *start = reader->at, *to = start;
    while (reader->at < reader->end) {
        char c = *reader->at++;
        if (c == '"') {
            *out = str_span(start, (size_t)(to - start));
            return true;
        }
        if (c != '\\')
            *to++ = c;
        else if (!take_escape(reader, &to))
            return false;
        if ((unsigned char)c < 0x20)
            return false;
    }
    return false;
}

/* --- values --- */

static bool read_number(struct reader *reader, struct json_node *node)
{
    char *start = reader->at;
    while (reader->at < reader->end &&
           (ascii_is_digit(*reader->at) || *reader->at == '-' ||
            *reader->at == '+' || *reader->at == '.' || *reader->at == 'e' ||
            *reader->at == 'E'))
        reader->at++;
    node->kind = JSON_NODE_NUMBER;
    node->text = str_span(start, (size_t)(reader->at - start));
    return node->text.n > 0;
}

static bool read_item(struct reader *reader, struct json_node *item,
                      bool has_key)
{
    if (has_key && (!take(reader, '"') || !read_text(reader, &item->key) ||
                    !take(reader, ':')))
        return false;
    return read_value(reader, item);
}

static bool read_items(struct reader *reader, struct json_node *node, char end)
{
    const struct json_node **last = &node->first;
    if (take(reader, end))
        return true;
    do {
        struct json_node *item = arena_alloc(reader->arena, sizeof *item);
        if (item == NULL || !read_item(reader, item, end == '}'))
            return false;
        *last = item;
        last = &item->next;
        node->count++;
    } while (take(reader, ','));
    return take(reader, end);
}

static bool read_nested(struct reader *reader, struct json_node *node,
                        enum json_kind kind)
{
    node->kind = kind;
    reader->at++;
    if (reader->depth == JSON_TREE_DEPTH_MAX)
        return false;
    reader->depth++;
    bool is_read =
        read_items(reader, node, kind == JSON_NODE_ARRAY ? ']' : '}');
    reader->depth--;
    return is_read;
}

static bool read_value(struct reader *reader, struct json_node *node)
{
    skip_space(reader);
    if (reader->at == reader->end)
        return false;
    switch (*reader->at) {
    case '{':
        return read_nested(reader, node, JSON_NODE_OBJECT);
    case '[':
        return read_nested(reader, node, JSON_NODE_ARRAY);
    case '"':
        reader->at++;
        node->kind = JSON_NODE_TEXT;
        return read_text(reader, &node->text);
    case 't':
        node->kind = JSON_NODE_TRUE;
        return take_word(reader, "true");
    case 'f':
        node->kind = JSON_NODE_FALSE;
        return take_word(reader, "false");
    case 'n':
        return take_word(reader, "null");
    default:
        return read_number(reader, node);
    }
}

const struct json_node *json_tree_read(struct arena *arena, struct str text)
{
    char *copy = arena_cstr(arena, text);
    struct json_node *root = arena_alloc(arena, sizeof *root);
    if (copy == NULL || root == NULL)
        return NULL;
    struct reader reader = {.arena = arena, .at = copy, .end = copy + text.n};
    if (!read_value(&reader, root))
        return NULL;
    skip_space(&reader);
    return reader.at == reader.end ? root : NULL;
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
