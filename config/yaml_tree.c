/* A recursive descent over libyaml's events; the cap on depth bounds the
 * recursion. Errors of meaning (a tag, a key given twice) are noted and the
 * reading goes on; libyaml's own and those of the caps end it. */
#include "config/yaml_tree.h"

#include "config/yaml_anchors.h"
#include "config/yaml_hint.h"
#include "config/yaml_keys.h"

#include <yaml.h>

struct tree {
    yaml_parser_t parser;
    struct arena *arena;
    struct diags *diags;
    const char *file;
    struct str octets;
    size_t nodes; /* so far, with what aliases expand to */
    struct yaml_anchors anchors;
    size_t chars, bytes; /* one place, as libyaml and as memory counts */
};

static struct mark to_mark(const struct tree *tree, yaml_mark_t mark)
{
    return (struct mark){tree->file, mark.line + 1, mark.column + 1};
}

/* libyaml's index counts characters. Places come mostly in order, so the
 * search goes on from the last one. */
static size_t byte_of(struct tree *tree, size_t index)
{
    if (index < tree->chars)
        tree->chars = tree->bytes = 0;
    while (tree->chars < index && tree->bytes < tree->octets.n) {
        tree->bytes++;
        while (tree->bytes < tree->octets.n &&
               ((unsigned char)tree->octets.p[tree->bytes] & 0xc0) == 0x80)
            tree->bytes++;
        tree->chars++;
    }
    return tree->bytes;
}

static char octet_at(struct tree *tree, size_t index)
{
    size_t at = byte_of(tree, index);
    return at < tree->octets.n ? tree->octets.p[at] : '\0';
}

/* Faults of the encoding come with an offset in octets and no mark. */
static struct mark mark_of_offset(const struct tree *tree, size_t offset)
{
    struct mark mark = {tree->file, 1, 1};
    for (size_t i = 0; i < offset && i < tree->octets.n; i++) {
        unsigned char octet = (unsigned char)tree->octets.p[i];
        if (octet == '\n') {
            mark.line++;
            mark.column = 1;
        } else if ((octet & 0xc0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

static void fail_by_libyaml(struct tree *tree)
{
    const yaml_parser_t *parser = &tree->parser;
    char octet = octet_at(tree, parser->problem_mark.index);
    struct yaml_hint hint =
        yaml_hint_find(parser->problem, parser->context, octet);
    struct mark mark = to_mark(tree, parser->problem_mark);
    if (parser->error == YAML_READER_ERROR)
        mark = mark_of_offset(tree, parser->problem_offset);
    else if (hint.is_at_start && parser->context != NULL)
        mark = to_mark(tree, parser->context_mark);
    diags_error(tree->diags, mark, "%s", hint.text);
}

static bool next_event(struct tree *tree, yaml_event_t *event)
{
    if (yaml_parser_parse(&tree->parser, event))
        return true;
    fail_by_libyaml(tree);
    return false;
}

static bool is_too_deep(struct tree *tree, size_t depth, struct mark mark)
{
    if (depth <= YAML_MAX_DEPTH)
        return false;
    diags_error(tree->diags, mark, "nested more than %d levels deep",
                YAML_MAX_DEPTH);
    return true;
}

static bool count_nodes(struct tree *tree, size_t more, struct mark mark)
{
    tree->nodes += more;
    if (tree->nodes <= YAML_MAX_NODES)
        return true;
    diags_error(tree->diags, mark,
                "more than %d values, with what aliases expand to",
                YAML_MAX_NODES);
    return false;
}

static struct node *fail_full(struct tree *tree, struct mark mark)
{
    diags_error(tree->diags, mark, "the file is too large for its memory");
    return NULL;
}

/* NULL after a diagnostic: the anchors are too many, or memory is. */
static struct yaml_anchor *
open_anchor(struct tree *tree, const yaml_char_t *name, struct node *node)
{
    if (tree->anchors.count == YAML_MAX_ANCHORS) {
        diags_error(tree->diags, node->mark, "more than %d anchors",
                    YAML_MAX_ANCHORS);
        return NULL;
    }
    struct yaml_anchor *anchor = yaml_anchors_open(
        &tree->anchors, tree->arena, str_from((const char *)name), node);
    if (anchor == NULL)
        fail_full(tree, node->mark);
    return anchor;
}

static struct node *find_alias(struct tree *tree, const yaml_event_t *event,
                               size_t depth)
{
    struct str name = str_from((const char *)event->data.alias.anchor);
    struct mark mark = to_mark(tree, event->start_mark);
    const struct yaml_anchor *anchor = yaml_anchors_find(&tree->anchors, name);
    if (anchor == NULL) {
        diags_error(tree->diags, mark,
                    "no anchor &%.*s stands above: put a text that begins "
                    "with * in quotes",
                    (int)name.n, name.p);
        return NULL;
    }
    if (anchor->is_open) {
        diags_error(tree->diags, mark, "*%.*s stands inside what it names",
                    (int)name.n, name.p);
        return NULL;
    }
    if (is_too_deep(tree, depth + anchor->node->height, mark) ||
        !count_nodes(tree, anchor->weight, mark))
        return NULL;
    return anchor->node;
}

static struct node *new_node(struct tree *tree, const yaml_event_t *event,
                             enum node_kind kind)
{
    struct mark mark = to_mark(tree, event->start_mark);
    struct node *node = arena_alloc(tree->arena, sizeof *node);
    if (node == NULL)
        return fail_full(tree, mark);
    node->kind = kind;
    node->mark = mark;
    return node;
}

static void refuse_tag(struct tree *tree, const yaml_char_t *tag,
                       struct mark mark)
{
    if (tag != NULL)
        diags_error(
            tree->diags, mark,
            "a tag (!...) has no use here: remove it, or put a text that "
            "begins with ! in quotes");
}

/* Whether blanks and then a # follow: a comment that may have been meant as
 * part of the text. */
static bool is_commented(struct tree *tree, size_t index)
{
    size_t at = byte_of(tree, index);
    size_t start = at;
    while (at < tree->octets.n &&
           (tree->octets.p[at] == ' ' || tree->octets.p[at] == '\t'))
        at++;
    return at > start && at < tree->octets.n && tree->octets.p[at] == '#';
}

static struct node *read_scalar(struct tree *tree, const yaml_event_t *event)
{
    struct node *node = new_node(tree, event, NODE_SCALAR);
    if (node == NULL)
        return NULL;
    struct str text = {(const char *)event->data.scalar.value,
                       event->data.scalar.length};
    struct str rest;
    refuse_tag(tree, event->data.scalar.tag, node->mark);
    if (str_cut(text, '\0', &text, &rest))
        diags_error(tree->diags, node->mark,
                    "a text can't hold a NUL octet (\\0)");
    node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->has_comment =
        node->is_plain && is_commented(tree, event->end_mark.index);
    node->text = arena_str(tree->arena, text);
    return node->text.p == NULL ? fail_full(tree, node->mark) : node;
}

static struct node *read_node(struct tree *tree, const yaml_event_t *event,
                              size_t depth);

/* Reads the next event's node; *end: there was none, the collection ends. */
static struct node *read_child(struct tree *tree, size_t depth,
                               yaml_event_type_t end_type, bool *end)
{
    yaml_event_t event;
    if (!next_event(tree, &event))
        return NULL;
    *end = event.type == end_type;
    struct node *child = *end ? NULL : read_node(tree, &event, depth);
    yaml_event_delete(&event);
    return child;
}

static bool append(struct tree *tree, struct node *node, size_t *capacity,
                   struct node *key, struct node *value)
{
    size_t key_capacity = *capacity;
    void *keys = arena_grow(tree->arena, node->keys, node->count, &key_capacity,
                            sizeof *node->keys);
    void *values = arena_grow(tree->arena, node->values, node->count, capacity,
                              sizeof *node->values);
    if (keys == NULL || values == NULL)
        return fail_full(tree, node->mark) != NULL;
    node->keys = keys;
    node->values = values;
    node->keys[node->count] = key;
    node->values[node->count++] = value;
    if (node->height < value->height + 1)
        node->height = value->height + 1;
    return true;
}

static bool read_sequence(struct tree *tree, struct node *node, size_t depth)
{
    size_t capacity = 0;
    bool end = false;
    for (;;) {
        struct node *value =
            read_child(tree, depth + 1, YAML_SEQUENCE_END_EVENT, &end);
        if (end)
            return true;
        if (value == NULL || !append(tree, node, &capacity, NULL, value))
            return false;
    }
}

static bool read_map(struct tree *tree, struct node *node, size_t depth)
{
    size_t capacity = 0;
    bool end = false;
    for (;;) {
        struct node *key =
            read_child(tree, depth + 1, YAML_MAPPING_END_EVENT, &end);
        if (end)
            return yaml_keys_check(node, tree->diags) == 0 ||
                   fail_full(tree, node->mark) != NULL;
        struct node *value =
            key == NULL
                ? NULL
                : read_child(tree, depth + 1, YAML_MAPPING_END_EVENT, &end);
        if (value == NULL)
            return false;
        if (yaml_keys_is_key(key, tree->diags) &&
            !append(tree, node, &capacity, key, value))
            return false;
    }
}

static struct node *read_collection(struct tree *tree,
                                    const yaml_event_t *event, size_t depth)
{
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    struct node *node =
        new_node(tree, event, is_map ? NODE_MAP : NODE_SEQUENCE);
    if (node == NULL || is_too_deep(tree, depth, node->mark))
        return NULL;
    const yaml_char_t *anchor = is_map ? event->data.mapping_start.anchor
                                       : event->data.sequence_start.anchor;
    refuse_tag(tree,
               is_map ? event->data.mapping_start.tag
                      : event->data.sequence_start.tag,
               node->mark);
    size_t before = tree->nodes - 1;
    size_t opened = tree->anchors.count;
    if (anchor != NULL && open_anchor(tree, anchor, node) == NULL)
        return NULL;
    bool read =
        is_map ? read_map(tree, node, depth) : read_sequence(tree, node, depth);
    if (!read)
        return NULL;
    if (anchor != NULL) {
        tree->anchors.items[opened].is_open = false;
        tree->anchors.items[opened].weight = tree->nodes - before;
    }
    return node;
}

static struct node *read_node(struct tree *tree, const yaml_event_t *event,
                              size_t depth)
{
    if (event->type == YAML_ALIAS_EVENT)
        return find_alias(tree, event, depth);
    if (!count_nodes(tree, 1, to_mark(tree, event->start_mark)))
        return NULL;
    if (event->type != YAML_SCALAR_EVENT)
        return read_collection(tree, event, depth);
    struct node *node = read_scalar(tree, event);
    if (node == NULL || event->data.scalar.anchor == NULL)
        return node;
    struct yaml_anchor *anchor =
        open_anchor(tree, event->data.scalar.anchor, node);
    if (anchor == NULL)
        return NULL;
    anchor->is_open = false;
    anchor->weight = 1;
    return node;
}

/* Past the stream's and the document's start, the root, and that no second
 * document follows. */
static struct node *read_document(struct tree *tree)
{
    yaml_event_t event;
    struct node *root = NULL;
    bool has_root = false;
    for (;;) {
        if (!next_event(tree, &event))
            return NULL;
        yaml_event_type_t type = event.type;
        struct mark mark = to_mark(tree, event.start_mark);
        bool is_node = type != YAML_STREAM_START_EVENT &&
                       type != YAML_DOCUMENT_START_EVENT &&
                       type != YAML_DOCUMENT_END_EVENT &&
                       type != YAML_STREAM_END_EVENT;
        if (is_node)
            root = read_node(tree, &event, 1);
        bool is_second = type == YAML_DOCUMENT_START_EVENT && has_root;
        has_root = has_root || is_node;
        yaml_event_delete(&event);
        if (is_node && root == NULL)
            return NULL;
        if (type == YAML_STREAM_END_EVENT)
            break;
        if (is_second) {
            diags_error(tree->diags, mark,
                        "a second document (---) begins here: a configuration "
                        "is one, the rest can be read by `include:`");
            return NULL;
        }
    }
    if (!has_root)
        diags_error(tree->diags, (struct mark){tree->file, 0, 0},
                    "the file is empty");
    return root;
}

struct node *yaml_tree_parse(struct arena *arena, const char *file,
                             struct str octets, struct diags *diags)
{
    struct mark whole = {file, 0, 0};
    if (octets.n > YAML_MAX_OCTETS) {
        diags_error(diags, whole, "larger than %d MiB",
                    YAML_MAX_OCTETS / 1024 / 1024);
        return NULL;
    }
    if (str_starts_with(octets, STR("\xef\xbb\xbf"))) /* a byte order mark */
        octets = str_skip(octets, 3);
    if (octets.n == 0)
        octets = STR("");
    struct tree tree = {
        .arena = arena, .diags = diags, .file = file, .octets = octets};
    if (!yaml_parser_initialize(&tree.parser)) {
        diags_error(diags, whole, "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&tree.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&tree.parser, (const unsigned char *)octets.p,
                                 octets.n);
    struct node *root = read_document(&tree);
    yaml_parser_delete(&tree.parser);
    return root;
}
