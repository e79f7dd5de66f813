/* Streams whose handshakes are signed by somebody else, or not. */
#include "proxy/net/key_link.h"

#include "proxy/keys/key_keeper.h"
#include "proxy/keys/key_wire.h"
#include "tests/support/kept_keys.h"
#include "tests/support/stream_pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
    struct kept_keys kept;
    struct stream_pair pair;
    int keeper; /* the end that a keeper would have */
};

static void set_up(struct scene *scene, uint64_t deadline_ms)
{
    int ends[2];
    kept_keys_init(&scene->kept, false, true);
    stream_pair_init(&scene->pair);
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    scene->keeper = ends[0];
    assert_int_equal(key_link_open(scene->pair.loop, ends[1], deadline_ms), 0);
}

static void tear_down(struct scene *scene)
{
    stream_pair_release(&scene->pair);
    kept_keys_release(&scene->kept);
    if (scene->keeper >= 0)
        close(scene->keeper);
}

static void secure(struct scene *scene)
{
    stream_pair_connect(&scene->pair);
    assert_int_equal(end_secure(&scene->pair.server, scene->kept.keyless, NULL),
                     0);
    assert_int_equal(
        end_secure(&scene->pair.client, scene->kept.client, "a.example"), 0);
}

static bool both_are_secure(struct stream_pair *pair)
{
    return strchr(pair->server.log, 'r') != NULL &&
           strcmp(pair->client.log, "rr") == 0;
}

static bool server_has_ended(struct stream_pair *pair)
{
    return strchr(pair->server.log, 'e') != NULL;
}

static void tell(void *owner, const char *words)
{
    (void)owner;
    fail_msg("%s", words);
}

static void a_keeper_signs_for_streams(void **state)
{
    struct scene scene;
    (void)state;
    set_up(&scene, KEY_LINK_DEADLINE_MS);
    struct key_keeper *keeper = key_keeper_new(tell, NULL);
    assert_non_null(keeper);
    key_keeper_renew(keeper, scene.kept.keys);
    scene.kept.keys = NULL;
    assert_int_equal(key_keeper_add(keeper, scene.keeper), 0);
    scene.keeper = -1;
    secure(&scene);
    stream_pair_run(&scene.pair, both_are_secure);
    key_keeper_free(keeper);
    tear_down(&scene);
}

static void check_failure(struct scene *scene, const char *words)
{
    stream_pair_run(&scene->pair, server_has_ended);
    assert_int_equal(scene->pair.server.end, STREAM_END_TLS);
    if (strstr(scene->pair.server.error, words) == NULL)
        fail_msg("%s", scene->pair.server.error);
    tear_down(scene);
}

static void who_gets_no_answer_fails_in_time(void **state)
{
    struct scene scene;
    (void)state;
    set_up(&scene, 1);
    secure(&scene);
    check_failure(&scene, "did not answer within 1ms");
}

static void a_keeper_that_goes_fails_who_waits(void **state)
{
    struct scene scene;
    (void)state;
    set_up(&scene, KEY_LINK_DEADLINE_MS);
    close(scene.keeper);
    scene.keeper = -1;
    secure(&scene);
    check_failure(&scene, "is gone");
}

static void without_a_link_there_is_no_signature(void **state)
{
    struct scene scene;
    (void)state;
    set_up(&scene, KEY_LINK_DEADLINE_MS);
    key_link_close(scene.pair.loop);
    secure(&scene);
    check_failure(&scene, "is gone");
}

static void what_is_no_answer_ends_the_link(void **state)
{
    struct scene scene;
    (void)state;
    set_up(&scene, KEY_LINK_DEADLINE_MS);
    assert_int_equal(send(scene.keeper, "hello", 5, 0), 5);
    secure(&scene);
    check_failure(&scene, "is gone");
}

/* --- the link alone --- */

struct heard {
    struct key_wait wait;
    size_t signatures, refusals;
    struct loop *loop;
    struct key_wait *other; /* to be forgotten when this is told */
};

static void on_done(struct key_wait *wait, struct str signature,
                    const char *words)
{
    struct heard *heard = (struct heard *)wait;
    if (signature.n > 0)
        heard->signatures++;
    else
        heard->refusals += words[0] != '\0' ? 1 : 0;
    if (heard->other != NULL)
        key_link_forget(heard->loop, heard->other);
}

/* Reads a question; its id, or -1. */
static int64_t read_question(int fd)
{
    char message[KEY_WIRE_ROOM];
    struct key_question question;
    uint32_t id;
    ssize_t n = recv(fd, message, sizeof message, MSG_DONTWAIT);
    if (n <= 0 || key_wire_get_question(str_span(message, (size_t)n), &id,
                                        &question) != 0)
        return -1;
    return id;
}

static void send_answer(int fd, int64_t id, struct str signature)
{
    char message[KEY_WIRE_ROOM];
    size_t n = key_wire_put_answer(message, (uint32_t)id, signature);
    assert_int_equal(send(fd, message, n, 0), n);
}

static void answers_may_come_in_any_order(void **state)
{
    struct scene scene;
    const struct key_question question = {.input = STR("words")};
    struct heard heard[3];
    int64_t ids[3];
    (void)state;
    set_up(&scene, KEY_LINK_DEADLINE_MS);
    for (size_t i = 0; i < 3; i++) {
        heard[i] = (struct heard){.wait = {.done = on_done}};
        assert_null(key_link_ask(scene.pair.loop, &heard[i].wait, &question));
        ids[i] = read_question(scene.keeper);
        assert_true(ids[i] >= 0);
    }
    key_link_forget(scene.pair.loop, &heard[1].wait);
    send_answer(scene.keeper, ids[2], STR("signed"));
    send_answer(scene.keeper, ids[1], STR("signed"));
    send_answer(scene.keeper, ids[0], STR(""));
    send_answer(scene.keeper, ids[0], STR("signed"));
    stream_pair_turn(&scene.pair);
    assert_int_equal(heard[0].refusals, 1);
    assert_int_equal(heard[0].signatures, 0);
    assert_int_equal(heard[1].refusals + heard[1].signatures, 0);
    assert_int_equal(heard[2].signatures, 1);
    tear_down(&scene);
}

static void told_of_an_end_one_may_forget_another(void **state)
{
    struct scene scene;
    const struct key_question question = {.input = STR("words")};
    struct heard first, second;
    (void)state;
    set_up(&scene, KEY_LINK_DEADLINE_MS);
    second = (struct heard){.wait = {.done = on_done}};
    first = (struct heard){.wait = {.done = on_done},
                           .loop = scene.pair.loop,
                           .other = &second.wait};
    assert_null(key_link_ask(scene.pair.loop, &first.wait, &question));
    assert_null(key_link_ask(scene.pair.loop, &second.wait, &question));
    close(scene.keeper);
    scene.keeper = -1;
    stream_pair_turn(&scene.pair);
    assert_int_equal(first.refusals, 1);
    assert_int_equal(second.refusals, 0);
    tear_down(&scene);
}

static void more_than_the_socket_holds_waits_up_to_a_cap(void **state)
{
    struct scene scene;
    const struct key_question question = {.input = STR("words")};
    static struct heard heard[KEY_LINK_WAITS_MAX + 1];
    size_t answered = 0;
    int64_t id;
    (void)state;
    set_up(&scene, KEY_LINK_DEADLINE_MS);
    for (size_t i = 0; i < KEY_LINK_WAITS_MAX; i++) {
        heard[i] = (struct heard){.wait = {.done = on_done}};
        assert_null(key_link_ask(scene.pair.loop, &heard[i].wait, &question));
    }
    assert_non_null(key_link_ask(scene.pair.loop,
                                 &heard[KEY_LINK_WAITS_MAX].wait, &question));
    for (size_t rounds = 0; answered < KEY_LINK_WAITS_MAX && rounds < 100000;
         rounds++) {
        while ((id = read_question(scene.keeper)) >= 0) {
            send_answer(scene.keeper, id, STR("signed"));
            answered++;
            stream_pair_turn(&scene.pair);
        }
        stream_pair_turn(&scene.pair);
    }
    stream_pair_turn(&scene.pair);
    assert_int_equal(answered, KEY_LINK_WAITS_MAX);
    for (size_t i = 0; i < KEY_LINK_WAITS_MAX; i++)
        assert_int_equal(heard[i].signatures, 1);
    tear_down(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_keeper_signs_for_streams),
        cmocka_unit_test(who_gets_no_answer_fails_in_time),
        cmocka_unit_test(a_keeper_that_goes_fails_who_waits),
        cmocka_unit_test(without_a_link_there_is_no_signature),
        cmocka_unit_test(what_is_no_answer_ends_the_link),
        cmocka_unit_test(answers_may_come_in_any_order),
        cmocka_unit_test(told_of_an_end_one_may_forget_another),
        cmocka_unit_test(more_than_the_socket_holds_waits_up_to_a_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
