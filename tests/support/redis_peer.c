#include "tests/support/redis_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TREE POSTERN_ROOT "/build/peers/redis-server/tree"
#define PROGRAM TREE "/usr/bin/redis-server"

static void fail(const char *what)
{
    fprintf(stderr, "redis_peer: %s: %s\n", what, strerror(errno));
    abort();
}

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        fail("no port");
    close(fd);
    return ntohs(address.sin_port);
}

static redisContext *connect_to(const struct redis_peer *peer)
{
    struct timeval limit = {.tv_sec = 5};
    redisContext *context = redisConnectUnixWithTimeout(peer->socket, limit);
    if (context == NULL || context->err != 0) {
        if (context != NULL)
            redisFree(context);
        return NULL;
    }
    redisSetTimeout(context, limit);
    if (peer->password != NULL)
        freeReplyObject(redisCommand(context, "AUTH %s", peer->password));
    return context;
}

static void become_server(const struct redis_peer *peer)
{
    char port[16];
    snprintf(port, sizeof port, "%u", peer->port);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setenv("LD_LIBRARY_PATH",
           TREE "/usr/lib/x86_64-linux-gnu:" TREE "/usr/lib/aarch64-linux-gnu",
           1);
    unsetenv("ASAN_OPTIONS");
    if (peer->password != NULL)
        execl(PROGRAM, "redis-server", "--bind", "127.0.0.1", "--port", port,
              "--unixsocket", peer->socket, "--dir", peer->directory, "--save",
              "", "--appendonly", "no", "--loglevel", "warning", "--logfile",
              "redis.log", "--requirepass", peer->password, (char *)NULL);
    else
        execl(PROGRAM, "redis-server", "--bind", "127.0.0.1", "--port", port,
              "--unixsocket", peer->socket, "--dir", peer->directory, "--save",
              "", "--appendonly", "no", "--loglevel", "warning", "--logfile",
              "redis.log", (char *)NULL);
    _exit(127);
}

static bool answers(const struct redis_peer *peer)
{
    redisContext *context = connect_to(peer);
    if (context == NULL)
        return false;
    redisReply *reply = redisCommand(context, "PING");
    bool is_pong = reply != NULL && reply->type == REDIS_REPLY_STATUS;
    freeReplyObject(reply);
    redisFree(context);
    return is_pong;
}

void redis_peer_again(struct redis_peer *peer)
{
    struct timespec pause = {.tv_nsec = 5000000};
    peer->pid = fork();
    if (peer->pid == 0)
        become_server(peer);
    for (int i = 0; i < 2000; i++) {
        if (answers(peer))
            return;
        nanosleep(&pause, NULL);
    }
    errno = ETIMEDOUT;
    fail("the server does not answer");
}

void redis_peer_start(struct redis_peer *peer, const char *password)
{
    *peer = (struct redis_peer){.port = free_port(), .password = password};
    if (access(PROGRAM, X_OK) != 0)
        fail(PROGRAM " (contrib/setup --tests unpacks it)");
    snprintf(peer->directory, sizeof peer->directory,
             "/tmp/postern-redis-XXXXXX");
    if (mkdtemp(peer->directory) == NULL)
        fail("no directory");
    snprintf(peer->socket, sizeof peer->socket, "%s/redis.sock",
             peer->directory);
    redis_peer_again(peer);
}

void redis_peer_kill(struct redis_peer *peer)
{
    if (peer->pid == 0)
        return;
    kill(peer->pid, SIGKILL);
    waitpid(peer->pid, NULL, 0);
    peer->pid = 0;
}

void redis_peer_stop(struct redis_peer *peer)
{
    char path[128];
    redis_peer_kill(peer);
    unlink(peer->socket);
    snprintf(path, sizeof path, "%s/redis.log", peer->directory);
    unlink(path);
    rmdir(peer->directory);
}

long long redis_peer_order(const struct redis_peer *peer, const char *words)
{
    redisContext *context = connect_to(peer);
    long long result = -1;
    if (context == NULL)
        return result;
    redisReply *reply = redisCommand(context, words);
    if (reply != NULL && reply->type == REDIS_REPLY_INTEGER)
        result = reply->integer;
    freeReplyObject(reply);
    redisFree(context);
    return result;
}

double redis_peer_info(const struct redis_peer *peer, const char *section,
                       const char *name)
{
    redisContext *context = connect_to(peer);
    double result = -1;
    if (context == NULL)
        return result;
    redisReply *reply = redisCommand(context, "INFO %s", section);
    const char *at =
        reply == NULL || reply->str == NULL ? NULL : strstr(reply->str, name);
    if (at != NULL && strchr(":=", at[strlen(name)]) != NULL)
        result = strtod(at + strlen(name) + 1, NULL);
    freeReplyObject(reply);
    redisFree(context);
    return result;
}
