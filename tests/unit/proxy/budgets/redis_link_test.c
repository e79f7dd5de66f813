/* A link to what is a Redis that refuses us, or no Redis at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/budgets/redis_link.h"
#include "proxy/budgets/redis_words.h"
#include "proxy/log/server_log.h"
#include "proxy/net/timer.h"
#include "tests/support/redis_peer.h"

enum { BOUND_MS = 20000, LOG_MAX = 65536 };

static char folder[64], socket_path[96], log_path[96];

struct world {
    struct loop *loop;
    struct timer *tick, *bound;
    struct limits_settings settings;
    struct store_meter meter;
    struct server_log *log;
    struct store_word *word;
    struct redis_link *link;
    size_t ups, downs;
    const char *want; /* what the fault begins with */
};

static void on_up(void *owner)
{
    struct world *w = owner;
    w->ups++;
    redis_link_is_useful(w->link);
}

static void on_down(void *owner)
{
    ((struct world *)owner)->downs++;
}

static const struct redis_link_events EVENTS = {.on_up = on_up,
                                                .on_down = on_down};

static bool is_as_wanted(const struct world *w)
{
    return w->want == NULL ? redis_link_is_up(w->link)
                           : strncmp(redis_link_fault(w->link), w->want,
                                     strlen(w->want)) == 0;
}

static void on_tick(void *owner)
{
    struct world *w = owner;
    if (is_as_wanted(w))
        loop_stop(w->loop);
    else
        timer_start(w->tick, 1);
}

static void on_bound(void *owner)
{
    struct world *w = owner;
    fail_msg("the fault is \"%s\", not \"%s\"", redis_link_fault(w->link),
             w->want == NULL ? "" : w->want);
}

/* Until the fault begins with these words; NULL: until it is up. */
static void wait_for(struct world *w, const char *want)
{
    w->want = want;
    timer_start(w->tick, 0);
    timer_start(w->bound, BOUND_MS);
    loop_run(w->loop);
    timer_stop(w->tick);
    timer_stop(w->bound);
}

static void open_world(struct world *w, const char *path)
{
    struct diags diags;
    struct log_settings log = {.server = log_path};
    *w = (struct world){.settings = {.store = STORE_REDIS,
                                     .store_text = STR("redis+unix:///it"),
                                     .store_socket = path,
                                     .store_timeout_ms = 5000}};
    unlink(log_path);
    diags_init(&diags);
    w->log = server_log_new(&log, &diags);
    assert_non_null(w->log);
    diags_release(&diags);
    w->word = store_word_new(&w->settings, w->log);
    assert_non_null(w->word);
    w->loop = loop_new();
    assert_non_null(w->loop);
    w->tick = timer_new(w->loop, on_tick, w);
    w->bound = timer_new(w->loop, on_bound, w);
}

static void start_link(struct world *w)
{
    w->link =
        redis_link_new(w->loop, &w->settings, w->word, &w->meter, &EVENTS, w);
    assert_non_null(w->link);
}

static void close_world(struct world *w)
{
    redis_link_free(w->link);
    timer_free(w->tick);
    timer_free(w->bound);
    loop_run(w->loop);
    loop_free(w->loop);
    store_word_free(w->word);
    server_log_free(w->log);
}

static size_t count_in_log(const char *words)
{
    static char text[LOG_MAX];
    size_t count = 0;
    int fd = open(log_path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n < 0 ? 0 : n] = '\0';
    for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

/* --- what is no Redis --- */

/* Says its piece to whoever comes, over and over. */
static pid_t speak(const char *piece, size_t length)
{
    char heard[4096];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
    unlink(socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 8), 0);
    pid_t pid = fork();
    if (pid != 0) {
        close(fd);
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        int client = accept(fd, NULL, NULL);
        if (read(client, heard, sizeof heard) <= 0)
            _exit(1);
        for (size_t sent = 0; sent < length;) {
            ssize_t n = send(client, piece + sent, length - sent, MSG_NOSIGNAL);
            if (n <= 0)
                break;
            sent += (size_t)n;
        }
        shutdown(client, SHUT_WR);
        while (read(client, heard, sizeof heard) > 0)
            ;
        close(client);
    }
}

static void what_is_no_redis_is_told_apart(void **state)
{
    static const struct {
        const char *piece, *want;
    } CASES[] = {
        {"220 mail.example.com ESMTP\r\n", "it does not speak as a Redis does"},
        {"HTTP/1.1 400 Bad Request\r\n\r\n",
         "it does not speak as a Redis does"},
        {"+OK\r\n+OK\r\n+OK\r\n", "it said something before it was asked"},
        {"*2000000000\r\n", "it does not speak as a Redis does"},
        {"*3\r\n:1\r\n", "it has closed the connection"},
        {"$1000\r\nabc", "it has closed the connection"},
        {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
         "it does not speak as a Redis does"},
        {"-ERR no\r\n", "it refuses to begin: ERR no"},
        {":7\r\n", "it refuses to begin: "},
        {"", "it has closed the connection: is it a Redis, without TLS?"},
        {"-LOADING Redis is loading the dataset in memory\r\n",
         "it is still loading its data"},
        {"-READONLY You can't write against a read only replica.\r\n",
         "it is a replica, which can't be written to"},
        {"-MASTERDOWN Link with MASTER is down\r\n",
         "it is a replica that has lost its primary"},
        {"-OOM command not allowed\r\n", "its memory is full"},
        {"-ERR Error running script (call to f_0123456789abcdef): "
         "@user_script:180: @user_script: 180: -OOM command not allowed when "
         "used memory > 'maxmemory'.\r\n",
         "its memory is full"},
        {"-ERR Error running script (call to f_0123456789abcdef): "
         "@user_script:44: @user_script: 44: -READONLY You can't write "
         "against a read only replica.\r\n",
         "it is a replica, which can't be written to"},
        {"-ERR Error running script (call to f_0123456789abcdef): "
         "@user_script:9: @user_script: 9: The user executing the script "
         "can't run this command or subcommand\r\n",
         "its user may not do that"},
        {"-ERR The user executing the script can't access at least one of the "
         "keys mentioned in the command arguments script: 0123456789abcdef, "
         "on @user_script:1.\r\n",
         "its user may not do that"},
        {"-ERR Error running script (call to f_0): @user_script: \r\n",
         "it refuses to begin: ERR Error running script"},
        {"-ERR unknown command `SELECT`, with args beginning with: \r\n",
         "it lacks a command"},
        {"-MOVED 1234 192.0.2.1:6379\r\n", "it is one of a cluster"},
        {"-NOAUTH Authentication required.\r\n", "it wants a password"},
        {"-DENIED Redis is running in protected mode\r\n",
         "it is in protected mode"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct world w;
        pid_t pid = speak(CASES[i].piece, strlen(CASES[i].piece));
        open_world(&w, socket_path);
        start_link(&w);
        wait_for(&w, CASES[i].want);
        assert_false(redis_link_is_up(w.link));
        close_world(&w);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

static void a_reply_that_does_not_end_is_given_up(void **state)
{
    struct world w;
    size_t length = 2 * REDIS_REPLY_OCTETS_MAX;
    char *piece = malloc(length);
    (void)state;
    assert_non_null(piece);
    memset(piece, 'x', length);
    memcpy(piece, "$90000000\r\n", 11);
    pid_t pid = speak(piece, length);
    free(piece);
    open_world(&w, socket_path);
    start_link(&w);
    wait_for(&w, "its reply does not end");
    close_world(&w);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* --- a Redis --- */

static void passwords_are_told_apart(void **state)
{
    static const struct {
        const char *user, *password, *want;
    } CASES[] = {
        {"", "", "it wants a password"},
        {"", "wrong", "it refuses the user or the password"},
        {"nobody", "secret", "it refuses the user or the password"},
        {"", "secret", NULL},
        {"default", "secret", NULL},
    };
    struct redis_peer peer;
    (void)state;
    redis_peer_start(&peer, "secret");
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct world w;
        open_world(&w, peer.socket);
        w.settings.store_user = str_from(CASES[i].user);
        w.settings.store_password = str_from(CASES[i].password);
        start_link(&w);
        wait_for(&w, CASES[i].want);
        close_world(&w);
    }
    redis_peer_stop(&peer);
}

static void a_database_that_is_not_there_is_told(void **state)
{
    struct redis_peer peer;
    struct world w;
    (void)state;
    redis_peer_start(&peer, NULL);
    open_world(&w, peer.socket);
    w.settings.store_database = 999;
    start_link(&w);
    wait_for(&w, "it has no database of that number");
    close_world(&w);
    redis_peer_stop(&peer);
}

/* By TCP; and what the log says of it. */
static void going_away_and_coming_back_are_told_once(void **state)
{
    struct redis_peer peer;
    struct world w;
    (void)state;
    redis_peer_start(&peer, NULL);
    open_world(&w, NULL);
    w.settings.store_address =
        (struct endpoint){.host = STR("localhost"), .port = peer.port};
    start_link(&w);
    wait_for(&w, NULL);
    assert_int_equal(count_in_log("limits.store"), 0);
    redis_peer_kill(&peer);
    wait_for(&w, "connection refused");
    for (int i = 0; i < 3; i++) {
        size_t before = w.downs;
        wait_for(&w, "connection refused");
        assert_int_equal(w.downs, before);
    }
    redis_peer_again(&peer);
    wait_for(&w, NULL);
    assert_int_equal(w.ups, 2);
    assert_int_equal(w.downs, 1);
    assert_int_equal(count_in_log("is away: connection refused "
                                  "(on_store_failure: this server's own"),
                     1);
    assert_int_equal(count_in_log("is back after"), 1);
    assert_int_equal(store_meter_read(&w.meter, STORE_CONNECTS), 2);
    assert_int_equal(store_meter_read(&w.meter, STORE_LEFT), 1);
    close_world(&w);
    redis_peer_stop(&peer);
}

/* Each worker has one. */
static void links_of_one_server_are_told_of_once(void **state)
{
    struct redis_peer peer;
    struct world a, b;
    (void)state;
    redis_peer_start(&peer, NULL);
    open_world(&a, peer.socket);
    open_world(&b, peer.socket);
    struct store_word *own = a.word;
    a.word = b.word;
    start_link(&a);
    start_link(&b);
    wait_for(&a, NULL);
    wait_for(&b, NULL);
    redis_peer_kill(&peer);
    wait_for(&a, "connection refused");
    wait_for(&b, "connection refused");
    assert_int_equal(count_in_log("is away: it has closed"), 1);
    assert_int_equal(count_in_log("is away: connection refused"), 1);
    redis_peer_again(&peer);
    wait_for(&a, NULL);
    assert_int_equal(count_in_log("is back"), 0);
    wait_for(&b, NULL);
    assert_int_equal(count_in_log("is back after"), 1);
    a.word = own;
    close_world(&a);
    close_world(&b);
    redis_peer_stop(&peer);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/postern-link-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(socket_path, sizeof socket_path, "%s/socket", folder);
    snprintf(log_path, sizeof log_path, "%s/log", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(socket_path);
    unlink(log_path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_redis_is_told_apart),
        cmocka_unit_test(a_reply_that_does_not_end_is_given_up),
        cmocka_unit_test(passwords_are_told_apart),
        cmocka_unit_test(a_database_that_is_not_there_is_told),
        cmocka_unit_test(links_of_one_server_are_told_of_once),
        cmocka_unit_test(going_away_and_coming_back_are_told_once),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
