/* Streams with TLS on them, over real sockets. */
#include "proxy/net/stream.h"

#include "proxy/tls/tls_engine.h"
#include "tests/support/certificates.h"
#include "tests/support/stream_pair.h"
#include "tests/support/from_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct contexts {
    struct tls_context *server; /* for a.example */
    struct tls_context *client; /* trusts it */
};

static int make_contexts(void **state)
{
    struct contexts *all = calloc(1, sizeof(*all));
    struct certificate_folder folder;
    struct diags diags;
    certificate_folder_init(&folder);
    certificate_make(&folder,
                     &(struct certificate_wish){.file = "a",
                                                .names = "DNS:a.example",
                                                .until_days = 30,
                                                .is_authority = true});
    char *chain = certificate_path(&folder, "a.pem");
    char *key = certificate_path(&folder, "a.key");
    struct certificate_settings certificate = {.chain = chain, .key = key};
    struct tls_settings server = {.certificates = &certificate,
                                  .certificate_count = 1};
    struct upstream_settings client = {.is_verified = true, .ca = chain};
    diags_init(&diags);
    all->server = FROM_DISK(tls_context_new_server(&server, disk, &diags));
    all->client = FROM_DISK(tls_context_new_client(&client, disk, &diags));
    assert_non_null(all->server);
    assert_non_null(all->client);
    diags_release(&diags);
    free(chain);
    free(key);
    certificate_folder_release(&folder);
    *state = all;
    return 0;
}

static int free_contexts(void **state)
{
    struct contexts *all = *state;
    tls_context_free(all->server);
    tls_context_free(all->client);
    free(all);
    return 0;
}

static bool both_are_secure(struct stream_pair *pair)
{
    return pair->server.stream != NULL && pair->client.stream != NULL &&
           stream_is_secure(pair->server.stream) &&
           stream_is_secure(pair->client.stream) &&
           strchr(pair->server.log, 'r') != NULL &&
           strcmp(pair->client.log, "rr") == 0;
}

static void secure_both(struct stream_pair *pair, struct contexts *all)
{
    stream_pair_connect(pair);
    assert_int_equal(end_secure(&pair->server, all->server, NULL), 0);
    assert_int_equal(end_secure(&pair->client, all->client, "a.example"), 0);
    stream_pair_run(pair, both_are_secure);
}

static bool both_heard_five(struct stream_pair *pair)
{
    return end_heard(&pair->server).n == 5 && end_heard(&pair->client).n == 5;
}

static bool server_heard_five(struct stream_pair *pair)
{
    return end_heard(&pair->server).n == 5;
}

static bool server_ended(struct stream_pair *pair)
{
    return strchr(pair->server.log, 'e') != NULL;
}

static bool client_ended(struct stream_pair *pair)
{
    return strchr(pair->client.log, 'e') != NULL;
}

static void both_ends_secure_and_talk(void **state)
{
    struct stream_pair pair;
    stream_pair_init(&pair);
    secure_both(&pair, *state);
    end_write(&pair.client, STR("hello"));
    end_write(&pair.server, STR("there"));
    stream_pair_run(&pair, both_heard_five);
    assert_string_equal(pair.server.log, "rb");
    assert_string_equal(stream_tls_version(pair.server.stream), "1.3");
    assert_string_equal(stream_tls_sni(pair.server.stream), "a.example");
    assert_true(strlen(stream_tls_cipher(pair.server.stream)) > 0);
    /* Once is enough. */
    struct contexts *all = *state;
    assert_int_equal(end_secure(&pair.server, all->server, NULL), -1);
    stream_pair_release(&pair);
}

static void words_written_during_the_handshake_go_inside_tls(void **state)
{
    struct contexts *all = *state;
    struct stream_pair pair;
    stream_pair_init(&pair);
    stream_pair_connect(&pair);
    end_secure(&pair.server, all->server, NULL);
    end_secure(&pair.client, all->client, "a.example");
    end_write(&pair.client, STR("hello"));
    stream_pair_run(&pair, server_heard_five);
    assert_string_equal(pair.server.log, "rb");
    assert_true(str_equals(end_heard(&pair.server), STR("hello")));
    stream_pair_release(&pair);
}

static void start_tls_on_reply(struct stream_end_point *self, char event)
{
    struct contexts *all = self->pair->test;
    if (event == 'b' && end_heard(self).n == 5)
        assert_int_equal(end_secure(self, all->client, "a.example"), 0);
}

static bool client_heard_secret(struct stream_pair *pair)
{
    return end_heard(&pair->client).n == strlen("220\r\nsecret");
}

static void what_was_queued_before_leaves_in_clear_text(void **state)
{
    struct contexts *all = *state;
    struct stream_pair pair;
    stream_pair_init(&pair);
    pair.test = all;
    stream_pair_connect(&pair);
    pair.client.on_event = start_tls_on_reply;
    end_write(&pair.server, STR("220\r\n"));
    assert_int_equal(end_secure(&pair.server, all->server, NULL), 0);
    end_write(&pair.server, STR("secret"));
    stream_pair_run(&pair, client_heard_secret);
    assert_string_equal(pair.client.log, "rbrb");
    assert_true(str_equals(end_heard(&pair.client), STR("220\r\nsecret")));
    stream_pair_release(&pair);
}

static void clear_text_behind_starttls_is_refused(void **state)
{
    struct contexts *all = *state;
    struct stream_pair pair;
    stream_pair_init(&pair);
    int fd = stream_pair_connect_raw(&pair);
    pair.server.is_hoarding = true;
    assert_int_equal(write(fd, "STARTTLS\r\nMAIL", 14), 14);
    stream_pair_turn(&pair);
    assert_string_equal(pair.server.log, "b");
    stream_consume(pair.server.stream, 10);
    assert_int_equal(end_secure(&pair.server, all->server, NULL), -1);
    stream_consume(pair.server.stream, 4);
    assert_int_equal(end_secure(&pair.server, all->server, NULL), 0);
    stream_pair_release(&pair);
    close(fd);
}

static void clear_text_instead_of_a_handshake_gets_an_alert(void **state)
{
    struct contexts *all = *state;
    struct stream_pair pair;
    unsigned char heard[64];
    stream_pair_init(&pair);
    int fd = stream_pair_connect_raw(&pair);
    end_secure(&pair.server, all->server, NULL);
    assert_int_equal(write(fd, "EHLO client.example\r\n", 21), 21);
    stream_pair_run(&pair, server_ended);
    assert_int_equal(pair.server.end, STREAM_END_TLS);
    assert_string_equal(pair.server.log, "e");
    assert_string_equal(pair.server.error,
                        "wrong version number (clear text?)");
    assert_int_equal(stream_input(pair.server.stream).n, 0);
    assert_int_equal(read(fd, heard, sizeof(heard)), 7);
    assert_int_equal(heard[0], 21); /* an alert */
    end_close(&pair.server);
    stream_pair_turn(&pair);
    assert_int_equal(read(fd, heard, sizeof(heard)), 0);
    close(fd);
    stream_pair_release(&pair);
}

static void a_wrong_name_fails_with_words(void **state)
{
    struct contexts *all = *state;
    struct stream_pair pair;
    stream_pair_init(&pair);
    stream_pair_connect(&pair);
    end_secure(&pair.server, all->server, NULL);
    end_secure(&pair.client, all->client, "b.example");
    stream_pair_run(&pair, client_ended);
    assert_int_equal(pair.client.end, STREAM_END_TLS);
    assert_string_equal(pair.client.log, "re");
    const char want[] = "certificate verify failed: Hostname mismatch";
    assert_memory_equal(pair.client.error, want, sizeof want - 1);
    end_close(&pair.client);
    stream_pair_run(&pair, server_ended);
    assert_int_equal(pair.server.end, STREAM_END_TLS);
    stream_pair_release(&pair);
}

static void leaving_during_the_handshake_is_told(void **state)
{
    struct contexts *all = *state;
    struct stream_pair pair;
    stream_pair_init(&pair);
    int fd = stream_pair_connect_raw(&pair);
    end_secure(&pair.server, all->server, NULL);
    close(fd);
    stream_pair_run(&pair, server_ended);
    assert_int_equal(pair.server.end, STREAM_END_TLS);
    assert_string_equal(pair.server.error,
                        "closed by the peer during the TLS handshake");
    stream_pair_release(&pair);
}

#define MUCH ((size_t)5 * 1024 * 1024)

struct pouring {
    char *octets;
    size_t sent;
};

static void pour(struct stream_end_point *self, char event)
{
    struct pouring *pouring = self->pair->test;
    (void)event;
    while (pouring->sent < MUCH &&
           stream_pending(self->stream) < STREAM_OUTPUT_HIGH) {
        struct str next = str_head(
            str_skip(str_span(pouring->octets, MUCH), pouring->sent), 10000);
        end_write(self, next);
        pouring->sent += next.n;
    }
    if (pouring->sent == MUCH && event == 'd')
        end_close(self);
}

static void much_passes_in_bounded_memory_and_ends_in_order(void **state)
{
    struct stream_pair pair;
    struct pouring pouring = {malloc(MUCH), 0};
    for (size_t i = 0; i < MUCH; i++)
        pouring.octets[i] = (char)(i * 2654435761U >> 23);
    stream_pair_init(&pair);
    secure_both(&pair, *state);
    pair.test = &pouring;
    pair.server.is_hoarding = true;
    pair.client.on_event = pour;
    pour(&pair.client, 'b');
    stream_pair_turn(&pair);
    assert_int_equal(stream_input(pair.server.stream).n, STREAM_INPUT_MAX);
    assert_true(pouring.sent < MUCH);
    /* What is still encrypted stays so during a pause. */
    end_pause(&pair.server);
    end_hear(&pair.server);
    stream_pair_turn(&pair);
    assert_int_equal(stream_input(pair.server.stream).n, 0);
    end_resume(&pair.server);
    stream_pair_run(&pair, server_ended);
    assert_int_equal(pair.server.end, STREAM_END_EOF);
    assert_int_equal(end_heard(&pair.server).n, MUCH);
    assert_memory_equal(end_heard(&pair.server).p, pouring.octets, MUCH);
    stream_pair_release(&pair);
    free(pouring.octets);
}

/* A client of the test's own: an engine on a socket. */
struct raw_client {
    int fd;
    struct tls_engine *engine;
};

static void exchange(struct stream_pair *pair, struct raw_client *client)
{
    char octets[16384];
    for (int i = 0; i < 4; i++) {
        tls_engine_advance(client->engine);
        struct str output = tls_engine_output(client->engine);
        if (output.n > 0)
            assert_int_equal(send(client->fd, output.p, output.n, 0), output.n);
        tls_engine_sent(client->engine, output.n);
        stream_pair_turn(pair);
        ssize_t got = recv(client->fd, octets, sizeof(octets), MSG_DONTWAIT);
        if (got > 0)
            tls_engine_feed(client->engine, str_span(octets, (size_t)got));
    }
}

static void open_raw_client(struct stream_pair *pair, struct raw_client *client,
                            struct contexts *all)
{
    client->fd = stream_pair_connect_raw(pair);
    client->engine = tls_engine_new(all->client, "a.example");
    end_secure(&pair->server, all->server, NULL);
    exchange(pair, client);
    assert_string_equal(pair->server.log, "r");
}

static void close_raw_client(struct raw_client *client)
{
    close(client->fd);
    tls_engine_free(client->engine);
}

static void a_cut_is_not_an_orderly_end(void **state)
{
    struct stream_pair pair;
    struct raw_client client;
    stream_pair_init(&pair);
    open_raw_client(&pair, &client, *state);
    tls_engine_write(client.engine, STR("DATA"));
    exchange(&pair, &client);
    shutdown(client.fd, SHUT_WR);
    stream_pair_run(&pair, server_ended);
    assert_string_equal(pair.server.log, "rbe");
    assert_int_equal(pair.server.end, STREAM_END_TRUNCATED);
    close_raw_client(&client);
    stream_pair_release(&pair);
}

static void nothing_after_close_notify_is_looked_at(void **state)
{
    struct stream_pair pair;
    struct raw_client client;
    stream_pair_init(&pair);
    open_raw_client(&pair, &client, *state);
    tls_engine_write(client.engine, STR("BDAT "));
    tls_engine_close(client.engine);
    struct str output = tls_engine_output(client.engine);
    assert_int_equal(send(client.fd, output.p, output.n, MSG_MORE), output.n);
    assert_int_equal(send(client.fd, "Q", 1, 0), 1);
    stream_pair_run(&pair, server_ended);
    assert_string_equal(pair.server.log, "rbe");
    assert_int_equal(pair.server.end, STREAM_END_EOF);
    assert_int_equal(end_heard(&pair.server).n, 5);
    stream_pair_turn(&pair);
    assert_int_equal(end_heard(&pair.server).n, 5);
    close_raw_client(&client);
    stream_pair_release(&pair);
}

static void a_paused_stream_decrypts_nothing_until_resumed(void **state)
{
    struct stream_pair pair;
    struct raw_client client;
    stream_pair_init(&pair);
    open_raw_client(&pair, &client, *state);
    end_pause(&pair.server);
    tls_engine_write(client.engine, STR("hello"));
    exchange(&pair, &client);
    assert_string_equal(pair.server.log, "r");
    end_resume(&pair.server);
    stream_pair_run(&pair, server_heard_five);
    close_raw_client(&client);
    stream_pair_release(&pair);
}

static void pause_when_ready(struct stream_end_point *self, char event)
{
    if (event == 'r')
        end_pause(self);
}

static bool client_heard_five(struct stream_pair *pair)
{
    return end_heard(&pair->client).n == 5;
}

/* The client's first words come with the end of its handshake. */
static void a_pause_when_ready_holds_back_the_first_words(void **state)
{
    struct contexts *all = *state;
    struct stream_pair pair;
    stream_pair_init(&pair);
    stream_pair_connect(&pair);
    pair.server.on_event = pause_when_ready;
    end_secure(&pair.server, all->server, NULL);
    end_secure(&pair.client, all->client, "a.example");
    end_write(&pair.client, STR("hello"));
    stream_pair_turn(&pair);
    assert_string_equal(pair.server.log, "r");
    end_write(&pair.server, STR("there"));
    stream_pair_run(&pair, client_heard_five);
    end_resume(&pair.server);
    stream_pair_run(&pair, server_heard_five);
    assert_string_equal(pair.server.log, "rb");
    stream_pair_release(&pair);
}

static void say_and_close_when_secure(struct stream_end_point *self, char event)
{
    if (event != 'r' || !stream_is_secure(self->stream))
        return;
    end_write(self, STR("hello"));
    end_close(self);
}

static void an_end_waits_for_the_words_before_it(void **state)
{
    struct contexts *all = *state;
    struct stream_pair pair;
    stream_pair_init(&pair);
    stream_pair_connect(&pair);
    pair.server.on_event = pause_when_ready;
    pair.client.on_event = say_and_close_when_secure;
    end_secure(&pair.server, all->server, NULL);
    end_secure(&pair.client, all->client, "a.example");
    stream_pair_turn(&pair);
    assert_string_equal(pair.server.log, "r");
    end_resume(&pair.server);
    stream_pair_run(&pair, server_ended);
    assert_string_equal(pair.server.log, "rbe");
    assert_int_equal(pair.server.end, STREAM_END_EOF);
    stream_pair_release(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_secure_and_talk),
        cmocka_unit_test(words_written_during_the_handshake_go_inside_tls),
        cmocka_unit_test(what_was_queued_before_leaves_in_clear_text),
        cmocka_unit_test(clear_text_behind_starttls_is_refused),
        cmocka_unit_test(clear_text_instead_of_a_handshake_gets_an_alert),
        cmocka_unit_test(a_wrong_name_fails_with_words),
        cmocka_unit_test(leaving_during_the_handshake_is_told),
        cmocka_unit_test(much_passes_in_bounded_memory_and_ends_in_order),
        cmocka_unit_test(a_cut_is_not_an_orderly_end),
        cmocka_unit_test(nothing_after_close_notify_is_looked_at),
        cmocka_unit_test(a_paused_stream_decrypts_nothing_until_resumed),
        cmocka_unit_test(a_pause_when_ready_holds_back_the_first_words),
        cmocka_unit_test(an_end_waits_for_the_words_before_it),
    };
    return cmocka_run_group_tests(tests, make_contexts, free_contexts);
}
