#include "proxy/server/renewal.h"

#include <unistd.h>

#include "proxy/control/channel.h"
#include "proxy/control/diagnostics.h"

static void *run(void *argument)
{
    struct renewal *renewal = argument;
    struct diags diags;
    diags_init(&diags);
    int result = server_renew(renewal->server, renewal->bundle, &diags);
    json_t *body = json_pack("{s:s, s:b}", "do", "renewed", "ok", result == 0);
    diagnostics_add(body, &diags);
    diags_release(&diags);
    close(renewal->bundle);
    (void)channel_send(renewal->channel, body, NULL, 0);
    return NULL;
}

void renewal_await(struct renewal *renewal)
{
    if (renewal->is_begun)
        pthread_join(renewal->thread, NULL);
    renewal->is_begun = false;
}

void renewal_start(struct renewal *renewal, struct server *server, int channel,
                   int bundle)
{
    renewal_await(renewal);
    renewal->server = server;
    renewal->channel = channel;
    renewal->bundle = bundle;
    renewal->is_begun =
        pthread_create(&renewal->thread, NULL, run, renewal) == 0;
    if (!renewal->is_begun)
        (void)run(renewal);
}
