#include "proxy/keys/key_keeper.h"

#include "proxy/keys/key_wire.h"
#include "proxy/tls/tls_engine.h"
#include "tests/support/engine_pair.h"
#include "tests/support/kept_keys.h"

#include <assert.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct told {
    pthread_mutex_t lock;
    size_t count;
};

static struct told told = {PTHREAD_MUTEX_INITIALIZER, 0};

static void tell(void *owner, const char *words)
{
    struct told *mine = owner;
    assert(words[0] != '\0');
    pthread_mutex_lock(&mine->lock);
    mine->count++;
    pthread_mutex_unlock(&mine->lock);
}

static size_t times_told(void)
{
    pthread_mutex_lock(&told.lock);
    size_t count = told.count;
    pthread_mutex_unlock(&told.lock);
    return count;
}

/* Our end of a new pair. */
static int join(struct key_keeper *keeper)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    assert_int_equal(key_keeper_add(keeper, ends[1]), 0);
    return ends[0];
}

/* What a handshake under these certificates asks. The engines keep it. */
static struct key_question question_of(const struct kept_keys *kept,
                                       struct engine_pair *pair)
{
    struct key_question question;
    *pair = engine_pair_new(kept->keyless, kept->client, "a.example", 700);
    assert_true(tls_engine_asks(pair->server, &question));
    return question;
}

static void ask(int fd, uint32_t id, const struct key_question *question)
{
    char message[KEY_WIRE_ROOM];
    size_t n = key_wire_put_question(message, id, question);
    assert_int_equal(send(fd, message, n, 0), n);
}

/* The signature's length: 0 is a refusal. */
static size_t hear(int fd, uint32_t wanted)
{
    char message[KEY_WIRE_ROOM];
    struct str signature;
    uint32_t id;
    ssize_t n = recv(fd, message, sizeof message, 0);
    assert_true(n > 0);
    assert_int_equal(
        key_wire_get_answer(str_span(message, (size_t)n), &id, &signature), 0);
    assert_int_equal(id, wanted);
    return signature.n;
}

static void it_answers_all_its_sockets(void **state)
{
    struct kept_keys kept;
    struct engine_pair pair;
    (void)state;
    kept_keys_init(&kept, false, true);
    struct key_question question = question_of(&kept, &pair);
    struct key_keeper *keeper = key_keeper_new(tell, &told);
    assert_non_null(keeper);
    key_keeper_renew(keeper, kept.keys);
    kept.keys = NULL;
    int sockets[3];
    for (size_t i = 0; i < 3; i++)
        sockets[i] = join(keeper);
    for (uint32_t id = 0; id < 30; id++)
        ask(sockets[id % 3], id, &question);
    for (uint32_t id = 0; id < 30; id++)
        assert_true(hear(sockets[id % 3], id) > 0);
    key_keeper_free(keeper);
    for (size_t i = 0; i < 3; i++)
        close(sockets[i]);
    engine_pair_free(&pair);
    kept_keys_release(&kept);
}

static void a_renewal_keeps_the_keys_before(void **state)
{
    struct kept_keys kept[3];
    struct engine_pair pairs[3];
    struct key_question questions[3];
    (void)state;
    struct key_keeper *keeper = key_keeper_new(tell, &told);
    int fd = join(keeper);
    for (size_t i = 0; i < 3; i++) {
        kept_keys_init(&kept[i], false, true);
        questions[i] = question_of(&kept[i], &pairs[i]);
    }
    ask(fd, 1, &questions[0]);
    assert_int_equal(hear(fd, 1), 0);
    for (size_t i = 0; i < 3; i++) {
        key_keeper_renew(keeper, kept[i].keys);
        kept[i].keys = NULL;
        for (uint32_t j = 0; j < 3; j++) {
            ask(fd, j, &questions[j]);
            assert_int_equal(hear(fd, j) > 0, j == i || j + 1 == i);
        }
    }
    assert_true(times_told() > 0);
    key_keeper_free(keeper);
    close(fd);
    for (size_t i = 0; i < 3; i++) {
        engine_pair_free(&pairs[i]);
        kept_keys_release(&kept[i]);
    }
}

static void who_says_anything_else_is_closed(void **state)
{
    struct kept_keys kept;
    struct engine_pair pair;
    char octet;
    static char much[4 * KEY_WIRE_ROOM];
    (void)state;
    kept_keys_init(&kept, false, true);
    struct key_question question = question_of(&kept, &pair);
    struct key_keeper *keeper = key_keeper_new(tell, &told);
    key_keeper_renew(keeper, kept.keys);
    kept.keys = NULL;
    int good = join(keeper);
    const struct str wrong[] = {STR("x"), STR("give me the key"),
                                str_span(much, sizeof much)};
    for (size_t i = 0; i < 3; i++) {
        int fd = join(keeper);
        size_t before = times_told();
        assert_int_equal(send(fd, wrong[i].p, wrong[i].n, 0), wrong[i].n);
        assert_int_equal(recv(fd, &octet, 1, 0), 0);
        assert_int_equal(times_told(), before + 1);
        close(fd);
    }
    ask(good, 7, &question);
    assert_true(hear(good, 7) > 0);
    question.input = STR("anything else");
    ask(good, 8, &question);
    assert_int_equal(hear(good, 8), 0);
    close(good);
    key_keeper_free(keeper);
    engine_pair_free(&pair);
    kept_keys_release(&kept);
}

static void sockets_have_a_cap_and_come_back(void **state)
{
    static int fds[KEY_KEEPER_SOCKETS_MAX];
    int ends[2];
    size_t count = 0;
    (void)state;
    struct key_keeper *keeper = key_keeper_new(tell, &told);
    /* As many as this process may open, if those are fewer. */
    while (count < KEY_KEEPER_SOCKETS_MAX &&
           socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0) {
        fds[count++] = ends[0];
        assert_int_equal(key_keeper_add(keeper, ends[1]), 0);
    }
    if (count == KEY_KEEPER_SOCKETS_MAX &&
        socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0) {
        assert_int_equal(key_keeper_add(keeper, ends[1]), -1);
        close(ends[0]);
    }
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    key_keeper_free(keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_answers_all_its_sockets),
        cmocka_unit_test(a_renewal_keeps_the_keys_before),
        cmocka_unit_test(who_says_anything_else_is_closed),
        cmocka_unit_test(sockets_have_a_cap_and_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
