#include "config/yaml_hint.h"

#include <string.h>

/* The first row fits whose problem and context (NULL: any) are contained in
 * libyaml's, and whose octet (NUL: any) stands there. */
static const struct {
    const char *problem;
    const char *context;
    char octet;
    struct yaml_hint hint;
} hints[] = {
    {"cannot start any token",
     NULL,
     '\t',
     {"a tab: YAML is indented with spaces", false}},
    {"cannot start any token",
     NULL,
     '@',
     {"a text can't begin with @ here: put it in quotes", false}},
    {"cannot start any token",
     NULL,
     '`',
     {"a text can't begin with ` here: put it in quotes", false}},
    {"cannot start any token",
     NULL,
     '%',
     {"a text can't begin with % here: put it in quotes", false}},
    {"cannot start any token",
     NULL,
     0,
     {"no value can begin with this: put it in quotes", false}},
    {"mapping values are not allowed",
     NULL,
     0,
     {"a `:` where no key can be: put a text that holds \": \" in quotes, or "
      "check the indentation",
      false}},
    {"block sequence entries are not allowed",
     NULL,
     0,
     {"a list entry (- ...) where none can be: check the indentation", false}},
    {"could not find expected ':'",
     NULL,
     0,
     {"neither `key: value` nor `- entry`: a `:` is missing, or the text "
      "before it must be put in quotes",
      true}},
    {NULL,
     "scanning a block scalar",
     0,
     {"a value that begins with > or | opens a block of text: put it in "
      "quotes",
      true}},
    {NULL,
     "scanning an alias",
     0,
     {"a value that begins with * names an anchor: put it in quotes", true}},
    {NULL,
     "scanning an anchor",
     0,
     {"a value that begins with & sets an anchor: put it in quotes", true}},
    {NULL,
     "parsing a quoted scalar",
     0,
     {"in \"...\" a backslash begins an escape, and this is none: write '...', "
      "where it means itself",
      false}},
    {"document indicator",
     "scanning a quoted scalar",
     0,
     {"the quote that opens here is not closed", true}},
    {"end of stream",
     "scanning a quoted scalar",
     0,
     {"the quote that opens here is not closed", true}},
    {NULL,
     "scanning a tag",
     0,
     {"a value that begins with ! is a tag, which has no use here: put it in "
      "quotes",
      true}},
    {NULL,
     "scanning a directive",
     0,
     {"a line that begins with % is a directive, which has no use here", true}},
    {"tag handle",
     NULL,
     0,
     {"a value that begins with ! is a tag, which has no use here: put it in "
      "quotes",
      false}},
    {"expected ',' or '}'",
     NULL,
     0,
     {"the { that opens here is not closed by }: close it, or put a text "
      "that begins with { in quotes",
      true}},
    {"expected ',' or ']'",
     NULL,
     0,
     {"the [ that opens here is not closed by ]: close it, or put a text "
      "that begins with [ in quotes",
      true}},
    {"expected key",
     "block mapping",
     0,
     {"neither a key of the map above nor its end: check the indentation, or "
      "put the whole value in quotes if part of it is quoted or in braces",
      false}},
    {"expected '-' indicator",
     NULL,
     0,
     {"neither an entry of the list above nor its end: check the indentation",
      false}},
    {"expected <document start>",
     NULL,
     0,
     {"the value above has ended: put the whole of it in quotes if part of it "
      "is quoted or in braces",
      false}},
    {"expected node content",
     NULL,
     0,
     {"a value is missing here: close the { or [ above, or put a text that "
      "begins with one of , ] } in quotes",
      false}},
    {"tab character", NULL, 0, {"a tab: YAML is indented with spaces", false}},
    {"control characters", NULL, 0, {"a control character: remove it", false}},
    {"UTF-8",
     NULL,
     0,
     {"not UTF-8: save the file in the encoding UTF-8", false}},
};

static bool contains(const char *text, const char *part)
{
    return part == NULL || (text != NULL && strstr(text, part) != NULL);
}

struct yaml_hint yaml_hint_find(const char *problem, const char *context,
                                char octet)
{
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (contains(problem, hints[i].problem) &&
            contains(context, hints[i].context) &&
            (hints[i].octet == 0 || hints[i].octet == octet))
            return hints[i].hint;
    if (problem == NULL)
        problem = "this is not YAML";
    return (struct yaml_hint){problem, false};
}
