/* The worker process that serves takes up other files: what is policy, users,
 * certificates and secrets, while its doors and caps stay as they are. */
#include "proxy/supervisor/supervisor_internal.h"

#include <fcntl.h>
#include <unistd.h>

#include "proxy/control/channel.h"

void supervisor_go_by(struct supervisor *s, const struct settings *settings,
                      int bundle)
{
    const struct settings *before = s->settings;
    int fd = fcntl(bundle, F_DUPFD_CLOEXEC, 0);
    s->settings = settings_ref(settings);
    settings_unref(before);
    supervisor_move_log(s);
    if (s->bundle >= 0)
        close(s->bundle);
    s->bundle = fd;
}

/* While one process follows another that waits. */
void supervisor_renew(struct supervisor *s)
{
    struct order *order = s->renewal;
    if (order == NULL || s->is_renewing)
        return;
    if (supervisor_is_ending(s)) {
        s->renewal = NULL;
        order_queue_finish(&s->orders, order,
                           control_refusal("the server is stopping"));
    } else if (s->coming == NULL && s->current != NULL &&
               s->current->state == WORKER_SERVING) {
        s->is_renewing = true;
        service_manager_reloading(&s->manager);
        (void)channel_send(s->current->channel,
                           json_pack("{s:s}", "do", "renew"), &order->bundle,
                           1);
    }
}

/* The settings that it was started by say where its doors are: they are the
 * same. */
void supervisor_on_renewed(struct supervisor *s, struct worker_handle *handle,
                           const struct channel_message *message)
{
    struct order *order = s->renewal;
    if (!s->is_renewing || handle != s->current)
        return;
    s->renewal = NULL;
    s->is_renewing = false;
    if (json_is_true(json_object_get(message->body, "ok")))
        supervisor_go_by(s, order->settings, order->bundle);
    supervisor_tell_ready(s);
    /* Whoever waits is another thread: nothing is shared with it. */
    order_queue_finish(&s->orders, order, json_deep_copy(message->body));
}
