/* mechanisms: what AUTH offers, everywhere or on one listener. */
#include "config/sections.h"

const char *const mechanism_words[] = {
    [SASL_PLAIN] = "PLAIN",
    [SASL_LOGIN] = "LOGIN",
    NULL,
};

const char *const planned_mechanism_words[] = {
    "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "OAUTHBEARER",
    "XOAUTH2",       "EXTERNAL",           NULL};

unsigned read_mechanisms(struct reader *reader, const struct node *node)
{
    unsigned mechanisms = 0;
    for (size_t i = 0; i < node_list_count(node); i++) {
        const struct node *item = node_list_item(node, i);
        unsigned word = 0;
        if (!schema_word(reader, item, "mechanisms", mechanism_words,
                         planned_mechanism_words, &word))
            continue;
        if ((mechanisms & 1U << word) != 0)
            diags_error(reader->diags, item->mark, "mechanisms has %s twice",
                        mechanism_words[word]);
        mechanisms |= 1U << word;
    }
    if (node_list_count(node) == 0)
        diags_error(reader->diags, node->mark,
                    "mechanisms is empty: write [PLAIN, LOGIN]");
    return mechanisms;
}
