#include "tests/unit/config/golden.h"

static const struct golden faults[] = {
    {.name = "a text that begins with at",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      when: {auth.user: @contained}\n",
     .want = "t.yaml:4:25: error: a text can't begin with @ here: put "
             "it in quotes\n"},
    {.name = "a text that begins with a star",
     .text = "lists:\n"
             "  partners: [*.example.org]\n",
     .want = "t.yaml:2:14: error: a value that begins with * names an "
             "anchor: put it in quotes\n"},
    {.name = "an alias of nothing",
     .text = "lists:\n"
             "  partners: [*partner]\n",
     .want = "t.yaml:2:14: error: no anchor &partner stands above: put "
             "a text that begins with * in quotes\n"},
    {.name = "a comparison without quotes",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      when:\n"
             "        mail.size: > 10M\n"
             "      reject: \"552 5.3.4 No\"\n",
     .want = "t.yaml:5:20: error: a value that begins with > or | opens "
             "a block of text: put it in quotes\n"},
    {.name = "a template without quotes",
     .text = "policy:\n"
             "  rcpt:\n"
             "    - rule: a\n"
             "      when: {mail.from: {not_in: {auth.addresses}}}\n"
             "      reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:4:34: error: {auth.addresses} without quotes is a "
             "map in YAML: put it in quotes\n"},
    {.name = "a template with a tail",
     .text = "policy:\n"
             "  rcpt:\n"
             "    - rule: a\n"
             "      limit:\n"
             "        recipients: 5/h\n"
             "        by: {auth.user}@x\n",
     .want = "t.yaml:6:24: error: a text can't begin with @ here: put "
             "it in quotes\n"},
    {.name = "a colon in a text",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      reject: 550 5.7.1 Sorry: no\n",
     .want = "t.yaml:4:30: error: a `:` where no key can be: put a text "
             "that holds \": \" in quotes, or check the indentation\n"},
    {.name = "a comment in a reply",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      reject: 550 5.7.1 Call desk #5\n",
     .want = "t.yaml:4:15: error: the text ends before ` #`, where YAML "
             "begins a comment: quote the text\n"},
    {.name = "a comment in a note",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      note: seen by desk #5\n",
     .want = "t.yaml:4:13: error: the text ends before ` #`, where YAML "
             "begins a comment: quote the text\n"},
    {.name = "a quote that is not closed",
     .text = "lists:\n"
             "  partners: [\"example.org]\n",
     .without = GOLDEN_ALL,
     .want = "t.yaml:2:14: error: the quote that opens here is not "
             "closed\n"},
    {.name = "a brace that is not closed",
     .text = "lists: {partners: [example.org]\n",
     .want = "t.yaml:1:8: error: the { that opens here is not closed by "
             "}: close it, or put a text that begins with { in quotes\n"},
    {.name = "a bracket that is not closed",
     .text = "lists:\n"
             "  partners: [example.org\n"
             "  friends: [example.net]\n",
     .want = "t.yaml:2:13: error: the [ that opens here is not closed "
             "by ]: close it, or put a text that begins with [ in "
             "quotes\n"},
    {.name = "a tab",
     .text = "lists:\n"
             "\tpartners: [example.org]\n",
     .want = "t.yaml:2:1: error: a tab: YAML is indented with spaces\n"},
    {.name = "a backslash in double quotes",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      when: {mail.from: \"/^x\\d$/\"}\n",
     .want = "t.yaml:4:29: error: in \"...\" a backslash begins an "
             "escape, and this is none: write '...', where it means "
             "itself\n"},
    {.name = "a tag",
     .text = "lists:\n"
             "  partners: !!str example.org\n",
     .want = "t.yaml:2:13: error: a tag (!...) has no use here: remove "
             "it, or put a text that begins with ! in quotes\n"},
    {.name = "a merge key",
     .text = "lists:\n"
             "  <<: {partners: [example.org]}\n",
     .want = "t.yaml:2:3: error: merge keys (<<) have no use here: "
             "write the keys out\n"},
    {.name = "a key given twice",
     .text = "workers: 1\n"
             "workers: 2\n",
     .want = "t.yaml:2:1: error: workers is given twice, first on line "
             "1: keep one\n"},
    {.name = "a key deep inside given twice",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      rule: b\n"
             "      reject: \"550 5.7.1 No\"\n",
     .want = "t.yaml:4:7: error: rule is given twice, first on line 3: "
             "keep one\n"},
    {.name = "a second document",
     .text = "workers: 1\n"
             "---\n"
             "workers: 2\n",
     .want = "t.yaml:2:1: error: a second document (---) begins here: a "
             "configuration is one, the rest can be read by `include:`\n"},
    {.name = "an empty file",
     .text = "",
     .without = GOLDEN_ALL,
     .want = "t.yaml: error: the file is empty\n"},
    {.name = "comments only",
     .text = "# nothing\n",
     .without = GOLDEN_ALL,
     .want = "t.yaml: error: the file is empty\n"},
    {.name = "a list as a file",
     .text = "- hostname\n",
     .without = GOLDEN_ALL,
     .want = "t.yaml:1:1: error: a configuration is a map of sections, "
             "such as hostname: mail.example.com\n"},
    {.name = "a scalar as a file",
     .text = "hostname\n",
     .without = GOLDEN_ALL,
     .want = "t.yaml:1:1: error: a configuration is a map of sections, "
             "such as hostname: mail.example.com\n"},
    {.name = "what is not utf8",
     .text = "lists:\n"
             "  x: caf\xe9\n",
     .want = "t.yaml:2:10: error: not UTF-8: save the file in the "
             "encoding UTF-8\n"},
    {.name = "a wrong indentation",
     .text = "log:\n"
             "    level: info\n"
             "  server: stderr\n",
     .want = "t.yaml:3:3: error: neither a key of the map above nor its "
             "end: check the indentation, or put the whole value in "
             "quotes if part of it is quoted or in braces\n"},
    {.name = "a text before the colon",
     .text = "log\n"
             "  level: info\n",
     .want = "t.yaml:2:8: error: a `:` where no key can be: put a text "
             "that holds \": \" in quotes, or check the indentation\n"},
    {.name = "an anchor inside itself",
     .text = "lists: &a\n"
             "  x: [*a]\n",
     .want = "t.yaml:2:7: error: *a stands inside what it names\n"},
    {.name = "a value that begins with a percent",
     .text = "lists:\n"
             "  x: %foo\n",
     .want = "t.yaml:2:6: error: a text can't begin with % here: put it "
             "in quotes\n"},
    {.name = "a map as a key",
     .text = "lists:\n"
             "  {a: b}: x\n",
     .want = "t.yaml:2:3: error: a key must be a text: put it in quotes "
             "if it begins with { or [\n"},
    {.name = "text behind a quoted one",
     .text = "policy:\n"
             "  mail:\n"
             "    - rule: a\n"
             "      reject: \"550\" no\n",
     .want = "t.yaml:4:21: error: neither a key of the map above nor "
             "its end: check the indentation, or put the whole value in "
             "quotes if part of it is quoted or in braces\n"},
    {.name = "a nul octet",
     .text = "hostname: \"a\\0b\"\n",
     .without = GOLDEN_HOSTNAME,
     .want = "t.yaml:1:11: error: a text can't hold a NUL octet (\\0)\n"},
};

static void each_fault_of_yaml_says_what_to_do(void **state)
{
    (void)state;
    golden_check(faults, sizeof faults / sizeof *faults);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_of_yaml_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
