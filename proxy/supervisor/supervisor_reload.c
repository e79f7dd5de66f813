/* What the disk says: read at the start, at each reload, and when a file of it
 * changes. A worker process sees none of it, but the bundle of all files that
 * was made here. */
#include "proxy/supervisor/supervisor_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/load.h"
#include "config/policy_tests.h"
#include "proxy/control/channel.h"
#include "proxy/control/diagnostics.h"
#include "proxy/preflight.h"

/* --- private keys --- */

static void tell_keys(void *owner, const char *words)
{
    const struct supervisor *s = owner;
    server_log_write(s->log, SERVER_WARNING, "%s", words);
}

/* From now on signatures are made by these, which are taken over. */
static int keep_keys(struct supervisor *s, struct key_set *keys,
                     struct diags *diags)
{
    if (keys != NULL && s->keeper == NULL)
        s->keeper = key_keeper_new(tell_keys, s);
    if (keys != NULL && s->keeper == NULL) {
        diags_error(diags, (struct mark){.file = s->path},
                    "tls.key_isolation: no thread can be started that keeps "
                    "the keys");
        key_set_free(keys);
        return -1;
    }
    if (keys != NULL)
        key_keeper_renew(s->keeper, keys);
    return 0;
}

int supervisor_send_keys(struct supervisor *s,
                         const struct worker_handle *handle)
{
    int theirs[CHANNEL_DESCRIPTORS_MAX], ends[2], result = 0;
    size_t count = 0, threads = server_thread_count(handle->settings);
    if (!handle->settings->tls.is_key_isolated || s->keeper == NULL)
        return 0;
    for (; count < threads && count < CHANNEL_DESCRIPTORS_MAX; count++) {
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
            break;
        theirs[count] = ends[1];
        if (key_keeper_add(s->keeper, ends[0]) != 0)
            result = -1;
    }
    if (count < threads ||
        channel_send(handle->channel, json_pack("{s:s}", "do", "keys"), theirs,
                     count) != 0)
        result = -1;
    for (size_t i = 0; i < count; i++)
        close(theirs[i]);
    return result;
}

/* --- what is read --- */

/* All that can be asked here of settings; what keys they keep apart. */
static int examine(const struct settings *settings, struct files *files,
                   struct key_set **keys, struct diags *diags)
{
    bool is_isolated = settings->tls.is_key_isolated;
    struct confinement confinement;
    if (preflight_check(settings, files, is_isolated ? keys : NULL, diags) != 0)
        return -1;
    if (confinement_of(&confinement, settings) != 0) {
        diags_error(diags, (struct mark){.file = settings->path},
                    "out of memory");
        return -1;
    }
    int result = confinement_prepare(&confinement, diags);
    confinement_release(&confinement);
    return result;
}

/* Once it is known that the worker process may have it. */
static int bundle_up(struct supervisor *s, const struct settings *settings,
                     struct files *files, struct diags *diags)
{
    int bundle = -1;
    if (files_to_bundle(files, !settings->tls.is_key_isolated, &bundle) == 0)
        return bundle;
    diags_error(diags, (struct mark){.file = s->path},
                "what was read can't be handed to the worker process: %s",
                strerrordesc_np(errno));
    return -1;
}

/* --- at the start --- */

static const struct settings *load(struct supervisor *s, struct files *files,
                                   struct diags *diags)
{
    struct policy_tests_result result = {0};
    struct key_set *keys = NULL;
    const struct settings *settings = config_load_from(files, s->path, diags);
    if (settings == NULL)
        return NULL;
    policy_tests_run(settings, diags, &result);
    if (result.failed == 0 && examine(settings, files, &keys, diags) == 0 &&
        keep_keys(s, keys, diags) == 0)
        return settings;
    settings_unref(settings);
    return NULL;
}

/* 0; or -1 with errors in diags, and nothing of it is kept. */
static int take(struct supervisor *s, struct files *files, struct diags *diags)
{
    if (files == NULL)
        diags_error(diags, (struct mark){.file = s->path}, "out of memory");
    s->settings = files == NULL ? NULL : load(s, files, diags);
    s->bundle =
        s->settings == NULL ? -1 : bundle_up(s, s->settings, files, diags);
    if (s->bundle >= 0) {
        s->files = files;
        return 0;
    }
    settings_unref(s->settings);
    s->settings = NULL;
    files_free(files);
    return -1;
}

int supervisor_load(struct supervisor *s, int bundle)
{
    struct diags diags;
    const char *wrong;
    diags_init(&diags);
    int result = take(s, files_from_disk(), &diags);
    diags_print(&diags, stderr);
    diags_release(&diags);
    if (result == 0 || bundle < 0)
        return result;
    /* The program before this one has served by these. */
    diags_init(&diags);
    result = take(s, files_from_bundle(bundle, &wrong), &diags);
    if (result != 0)
        diags_print(&diags, stderr);
    diags_release(&diags);
    return result;
}

/* --- later --- */

/* On the reloader's thread; the supervisor's does what is to be done. */
static int hand_over(struct supervisor *s, const struct reload_change *change,
                     int bundle, struct diags *diags)
{
    struct order order = {.kind = change->is_other_server ? ORDER_SUCCEED
                                                          : ORDER_RENEW,
                          .settings = change->fresh,
                          .bundle = bundle};
    size_t errors = diags->errors;
    if (!order_queue_place(&s->orders, &order))
        order.reply = control_refusal("the server is stopping");
    bool is_done = json_is_true(json_object_get(order.reply, "ok"));
    diagnostics_take(order.reply, diags);
    const char *error =
        json_string_value(json_object_get(order.reply, "error"));
    if (!is_done && diags->errors == errors)
        diags_error(diags, (struct mark){.file = s->path}, "%s",
                    error == NULL ? "out of memory" : error);
    json_decref(order.reply);
    return is_done ? 0 : -1;
}

/* The keys come first: a process that shows another certificate asks for
 * signatures by its key at once. */
static int hand_over_with_keys(struct supervisor *s,
                               const struct reload_change *change,
                               struct key_set *keys, struct diags *diags)
{
    int bundle = bundle_up(s, change->fresh, change->files, diags);
    bool has_keys = keys != NULL;
    if (bundle < 0) {
        key_set_free(keys);
        return -1;
    }
    int result = keep_keys(s, keys, diags);
    if (result == 0 && hand_over(s, change, bundle, diags) != 0) {
        if (has_keys)
            key_keeper_revert(s->keeper);
        result = -1;
    }
    close(bundle);
    return result;
}

static int take_up(void *owner, const struct reload_change *change,
                   struct diags *diags)
{
    struct supervisor *s = owner;
    struct key_set *keys = NULL;
    if (examine(change->fresh, change->files, &keys, diags) == 0)
        return hand_over_with_keys(s, change, keys, diags);
    key_set_free(keys);
    return -1;
}

static void note(void *owner, struct str line)
{
    struct supervisor *s = owner;
    struct order order = {.kind = ORDER_NOTE, .line = line};
    if (order_queue_place(&s->orders, &order))
        json_decref(order.reply);
}

static void on_change(void *owner, const struct file *changed, size_t count)
{
    struct supervisor *s = owner;
    reloader_renew(s->reloader, changed, count);
}

int supervisor_watch_files(struct supervisor *s)
{
    s->watch = files_watch_new(s->files, s->log);
    if (s->watch == NULL)
        return -1;
    s->files = NULL;
    const struct reloader_host host = {.log = s->log,
                                       .source = files_watch_source(s->watch),
                                       .take_up = take_up,
                                       .note = note,
                                       .owner = s};
    s->reloader = reloader_new(s->settings, &host);
    return s->reloader == NULL || files_watch_start(s->watch, on_change, s) != 0
               ? -1
               : 0;
}

void supervisor_leave_files(struct supervisor *s)
{
    files_watch_stop(s->watch);
    reloader_free(s->reloader);
    files_watch_free(s->watch);
    files_free(s->files);
    s->reloader = NULL;
    s->watch = NULL;
    s->files = NULL;
}

/* --- the order --- */

json_t *supervisor_verb_reload(void *owner, const json_t *request)
{
    struct supervisor *s = owner;
    struct order reopen = {.kind = ORDER_REOPEN};
    struct reload_result result;
    json_t *reply = NULL;
    (void)request;
    if (order_queue_place(&s->orders, &reopen))
        json_decref(reopen.reply);
    reloader_ask(s->reloader, &result);
    switch (result.end) {
    case RELOAD_LIVE:
        reply =
            json_pack("{s:b, s:s, s:s, s:I, s:s}", "ok", 1, "before",
                      result.before, "policy", result.after, "tests",
                      (json_int_t)result.tests, "sections", result.sections);
        break;
    case RELOAD_REFUSED:
        reply = control_refusal(
            "the new configuration is refused, the policy stays as it was");
        break;
    case RELOAD_BUSY:
        reply = control_refusal("another reload is under way, ask again when "
                                "it has ended");
        break;
    case RELOAD_STOPPING:
        reply = control_refusal("the server is stopping");
        break;
    }
    diagnostics_add(reply, &result.diags);
    reload_result_release(&result);
    return reply;
}
