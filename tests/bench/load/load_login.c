#include "tests/bench/load/load_login.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/base64.h>

#include "tests/bench/load/fatal.h"

#define MOST_PLAIN 700
#define MOST_ENCODED 1024

static void put_base64(struct octets *out, const char *text, size_t size)
{
    uint8_t encoded[MOST_ENCODED];
    if (size > MOST_PLAIN)
        fatal("--user and --pass are too long");
    octets_add(out, encoded,
               EVP_EncodeBlock(encoded, (const uint8_t *)text, size));
    octets_add_text(out, "\r\n");
}

/* The connections take the users in turn: "bob@example.com" is
 * "bob1@example.com" and so on. */
static void put_user(const struct load_session *session, struct octets *to)
{
    const struct load_options *options = session->load->options;
    size_t size = strcspn(options->user, "@");
    octets_add(to, options->user, size);
    if (options->users > 0)
        octets_print(to, "%" PRIu64, session->number % options->users + 1);
    octets_add_text(to, options->user + size);
}

void load_login_put_auth(struct load_session *session)
{
    const struct load_options *options = session->load->options;
    if (options->auth == AUTH_LOGIN) {
        octets_add_text(&session->out, "AUTH LOGIN\r\n");
        return;
    }
    struct octets response = {.memory = NULL};
    octets_add(&response, "", 1);
    put_user(session, &response);
    octets_add(&response, "", 1);
    octets_add_text(&response, options->password);
    octets_add_text(&session->out, "AUTH PLAIN ");
    put_base64(&session->out, octets_at(&response), octets_size(&response));
    octets_release(&response);
}

void load_login_put_name(struct load_session *session)
{
    struct octets name = {.memory = NULL};
    put_user(session, &name);
    put_base64(&session->out, octets_at(&name), octets_size(&name));
    octets_release(&name);
}

void load_login_put_password(struct load_session *session)
{
    const char *password = session->load->options->password;
    put_base64(&session->out, password, strlen(password));
}
