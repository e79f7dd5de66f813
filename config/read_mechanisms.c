/* mechanisms: what AUTH offers, everywhere or on one listener. */
#include "config/sections.h"

#define OF_TOKENS (1U << SASL_OAUTHBEARER | 1U << SASL_XOAUTH2)
#define OF_CERTIFICATES (1U << SASL_EXTERNAL)

const char *const mechanism_words[] = {
    [SASL_PLAIN] = "PLAIN",
    [SASL_LOGIN] = "LOGIN",
    [SASL_SCRAM_SHA_256] = "SCRAM-SHA-256",
    [SASL_SCRAM_SHA_256_PLUS] = "SCRAM-SHA-256-PLUS",
    [SASL_OAUTHBEARER] = "OAUTHBEARER",
    [SASL_XOAUTH2] = "XOAUTH2",
    [SASL_EXTERNAL] = "EXTERNAL",
    [SASL_CRAM_MD5] = "CRAM-MD5",
    [SASL_MECHANISMS] = NULL,
};

unsigned read_mechanisms(struct reader *reader, const struct node *node)
{
    unsigned mechanisms = 0;
    for (size_t i = 0; i < node_list_count(node); i++) {
        const struct node *item = node_list_item(node, i);
        unsigned word = 0;
        if (!schema_word(reader, item, "mechanisms", mechanism_words, &word))
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

static bool has_tokens(const struct settings *settings)
{
    for (size_t i = 0; i < settings->auth.backend_count; i++)
        if (settings->auth.backends[i].kind != BACKEND_USERS &&
            settings->auth.backends[i].kind != BACKEND_UPSTREAM)
            return true;
    return false;
}

static bool has_client_ca(const struct settings *settings)
{
    for (size_t i = 0; i < settings->listener_count; i++)
        if (settings->listeners[i].client_ca.path != NULL)
            return true;
    return false;
}

/* What nobody could judge. */
static void check(struct reader *reader, struct mark mark, unsigned mechanisms,
                  bool has_certificates)
{
    if ((mechanisms & OF_TOKENS) != 0 && !has_tokens(reader->settings))
        diags_error(reader->diags, mark,
                    "OAUTHBEARER and XOAUTH2 need a back-end that can judge "
                    "tokens: add {jwt: {...}}, {introspect: {...}} or "
                    "{dovecot: SOCKET} to auth.backends");
    if ((mechanisms & OF_CERTIFICATES) != 0 && !has_certificates)
        diags_error(reader->diags, mark,
                    "EXTERNAL needs the certificates of clients: say "
                    "client_ca: FILE on the listener");
}

void read_check_mechanisms(struct reader *reader, const struct node *root)
{
    const struct settings *settings = reader->settings;
    const struct node *auth = node_get(root, "auth");
    const struct node *common = auth == NULL || auth->kind != NODE_MAP
                                    ? NULL
                                    : node_get(auth, "mechanisms");
    if (common != NULL)
        check(reader, common->mark, settings->auth.mechanisms,
              has_client_ca(settings));
    for (size_t i = 0; i < settings->listener_count; i++)
        check(reader, settings->listeners[i].mark,
              settings->listeners[i].mechanisms,
              settings->listeners[i].client_ca.path != NULL);
}
