/* One job at a time, which owns `file` and `writing` while it runs. The
 * struct lives until its last job is done. */
#include "proxy/upstream/maildir_delivery.h"

#include "proxy/net/job.h"
#include "proxy/upstream/delivery_internal.h"
#include "proxy/upstream/maildir.h"
#include "proxy/upstream/outcome.h"
#include "proxy/upstream/upstreams_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A job is worth its while from here on. */
#define WRITE_FROM (MAILDIR_CHUNK_MAX / 2)
/* Far above what the cap on recipients lets in. */
#define RECIPIENTS_ARENA_MAX (16 * 1024 * 1024)

enum maildir_phase {
    MAILDIR_ENVELOPE, /* recipients come */
    MAILDIR_MESSAGE,  /* the message comes */
    MAILDIR_FINISHED, /* all of it came; the file is made */
    MAILDIR_FAILED,   /* on_end with the fault is due */
    MAILDIR_ENDED     /* on_end was called */
};

enum maildir_work { WORK_WRITE, WORK_COMMIT, WORK_ABANDON };

struct maildir_delivery {
    struct delivery base;
    struct upstreams *upstreams;
    const struct upstream_settings *settings;
    const struct envelope *envelope;
    const struct delivery_events *events;
    void *owner;
    enum maildir_phase phase;
    struct arena arena;
    struct str *mailboxes;
    size_t count, capacity, reported;
    size_t header_lines; /* of ours, put before the message so far */
    bool has_cr;         /* the last octet was CR and is not yet kept */
    bool wants_room;
    bool is_freed;
    char *gathering, *writing; /* owned, MAILDIR_CHUNK_MAX octets each */
    size_t gathered, to_write;
    struct maildir_file file;
    bool is_working;
    enum maildir_work work;
    int error; /* of the job */
    struct fault fault;
    struct job job;
    struct loop_later later;
};

static struct maildir_delivery *from_base(struct delivery *delivery)
{
    return (struct maildir_delivery *)delivery;
}

static struct maildir_delivery *from_job(struct job *job)
{
    return (struct maildir_delivery *)((char *)job -
                                       offsetof(struct maildir_delivery, job));
}

static void fail(struct maildir_delivery *d, int error)
{
    const char *words = strerrordesc_np(error);
    fault_set(&d->fault, error == ENOMEM ? FAULT_MEMORY : FAULT_STORAGE,
              "%s: %s", d->settings->maildir,
              words == NULL ? "unknown error" : words);
    d->phase = MAILDIR_FAILED;
    loop_later(d->upstreams->loop, &d->later);
}

static void work(struct job *job)
{
    struct maildir_delivery *d = from_job(job);
    d->error = 0;
    if (d->work != WORK_ABANDON)
        d->error =
            maildir_file_write(&d->file, str_span(d->writing, d->to_write));
    if (d->work == WORK_COMMIT && d->error == 0)
        d->error = maildir_file_commit(&d->file);
    else if (d->work == WORK_ABANDON || d->error != 0)
        maildir_file_abandon(&d->file);
}

static void release(struct maildir_delivery *d)
{
    struct upstreams *upstreams = d->upstreams;
    assert(!d->later.is_queued);
    arena_release(&d->arena);
    free(d->gathering);
    free(d->writing);
    free(d);
    upstreams_maildir_done(upstreams);
}

static void start_work(struct maildir_delivery *d, enum maildir_work kind)
{
    d->work = kind;
    d->is_working = true;
    d->to_write = 0;
    if (kind != WORK_ABANDON) {
        char *full = d->gathering;
        d->gathering = d->writing;
        d->writing = full;
        d->to_write = d->gathered;
        d->gathered = 0;
    }
    if (job_start(d->upstreams->loop, &d->job) == 0)
        return;
    /* Nothing may be left behind, even if that blocks for once. */
    d->is_working = false;
    maildir_file_abandon(&d->file);
    if (!d->is_freed)
        fail(d, ENOMEM);
}

/* Freed by its owner, and no job runs: the file goes first. */
static void wind_up(struct maildir_delivery *d)
{
    if (d->file.is_in_tmp)
        start_work(d, WORK_ABANDON);
    if (!d->is_working)
        release(d);
}

static void append(struct maildir_delivery *d, struct str octets)
{
    memcpy(d->gathering + d->gathered, octets.p, octets.n);
    d->gathered += octets.n;
}

/* Return-Path as the last hop adds it (RFC 5321 4.4), and whom it was for. */
static bool gather_header(struct maildir_delivery *d)
{
    for (; d->header_lines <= d->count; d->header_lines++) {
        bool is_first = d->header_lines == 0;
        struct str value = is_first ? d->envelope->reverse_path
                                    : d->mailboxes[d->header_lines - 1];
        struct str before =
            is_first ? STR("Return-Path: <") : STR("Delivered-To: ");
        struct str after = is_first ? STR(">\n") : STR("\n");
        if (before.n + value.n + after.n > MAILDIR_CHUNK_MAX - d->gathered)
            return false;
        append(d, before);
        if (value.n > 0)
            append(d, value);
        append(d, after);
    }
    return true;
}

/* Takes what fits, with LF for CRLF; a CR elsewhere would stay. */
static size_t gather(struct maildir_delivery *d, struct str octets)
{
    size_t i = 0;
    /* Two octets may come of one: a CR that was held back, and what follows.
     */
    while (i < octets.n && MAILDIR_CHUNK_MAX - d->gathered >= 2) {
        char c = octets.p[i++];
        if (d->has_cr && c != '\n')
            d->gathering[d->gathered++] = '\r';
        d->has_cr = c == '\r';
        if (!d->has_cr)
            d->gathering[d->gathered++] = c;
    }
    return i;
}

static void go_on(struct maildir_delivery *d)
{
    if (d->is_working)
        return;
    bool is_last = d->phase == MAILDIR_FINISHED && gather_header(d);
    if (is_last)
        start_work(d, WORK_COMMIT);
    else if (d->gathered >= WRITE_FROM || d->phase == MAILDIR_FINISHED)
        start_work(d, WORK_WRITE);
}

static void tell_stored(struct maildir_delivery *d)
{
    char text[MAILDIR_NAME_MAX + 32];
    int n = snprintf(text, sizeof(text), "Ok: queued as %s", d->file.name);
    struct reply reply = {250, STR("2.0.0"), str_span(text, (size_t)n)};
    struct outcome outcome = {
        .reply = reply,
        .is_upstreams = true,
        .server = str_from(d->settings->maildir),
        .original = reply,
    };
    d->phase = MAILDIR_ENDED;
    d->events->on_end(d->owner, &outcome);
}

static void done(struct job *job)
{
    struct maildir_delivery *d = from_job(job);
    d->is_working = false;
    if (d->is_freed) {
        wind_up(d);
        return;
    }
    if (d->error != 0) {
        fail(d, d->error);
        return;
    }
    if (d->work == WORK_COMMIT) {
        tell_stored(d);
        return;
    }
    go_on(d);
    if (d->phase == MAILDIR_MESSAGE && d->wants_room) {
        d->wants_room = false;
        d->events->on_room(d->owner);
    }
}

static void tell_recipients(struct maildir_delivery *d)
{
    struct reply reply = {250, STR("2.1.5"), STR("Ok")};
    struct outcome outcome = {
        .reply = reply,
        .is_upstreams = true,
        .server = str_from(d->settings->maildir),
        .original = reply,
    };
    while (!d->is_freed && d->reported < d->count)
        d->events->on_rcpt(d->owner, d->reported++, &outcome);
}

static void run_later(struct loop_later *later)
{
    struct maildir_delivery *d =
        (struct maildir_delivery *)((char *)later -
                                    offsetof(struct maildir_delivery, later));
    tell_recipients(d);
    if (!d->is_freed && d->phase == MAILDIR_FAILED) {
        struct outcome outcome;
        outcome_of_fault(&d->fault, str_from(d->settings->maildir), &outcome);
        d->phase = MAILDIR_ENDED;
        d->events->on_end(d->owner, &outcome);
    }
    /* Freed in one of these events it is queued again: then that one acts. */
    if (d->is_freed && !d->is_working && !d->later.is_queued)
        wind_up(d);
}

static int maildir_rcpt(struct delivery *delivery, struct str mailbox,
                        const struct rcpt_params *params)
{
    struct maildir_delivery *d = from_base(delivery);
    (void)params; /* nobody is ever told */
    assert(d->phase == MAILDIR_ENVELOPE);
    if (d->count == d->capacity) {
        struct str *grown = arena_grow(&d->arena, d->mailboxes, d->count,
                                       &d->capacity, sizeof(*grown));
        if (grown == NULL)
            return -1;
        d->mailboxes = grown;
    }
    struct str copy = arena_str(&d->arena, mailbox);
    if (copy.p == NULL || mailbox.n > WRITE_FROM)
        return -1;
    d->mailboxes[d->count++] = copy;
    loop_later(d->upstreams->loop, &d->later);
    return 0;
}

static void maildir_data(struct delivery *delivery)
{
    struct maildir_delivery *d = from_base(delivery);
    assert(d->phase == MAILDIR_ENVELOPE);
    d->phase = MAILDIR_MESSAGE;
    d->gathering = malloc(MAILDIR_CHUNK_MAX);
    d->writing = malloc(MAILDIR_CHUNK_MAX);
    maildir_file_init(&d->file, d->settings->maildir,
                      &(struct maildir_name){
                          .wall_us = loop_wall_us(d->upstreams->loop),
                          .sequence = d->upstreams->maildir_sequence++,
                          .id = d->envelope->id,
                          .host = d->upstreams->settings->hostname,
                      });
    if (d->gathering == NULL || d->writing == NULL)
        fail(d, ENOMEM);
}

static size_t maildir_body(struct delivery *delivery, struct str octets)
{
    struct maildir_delivery *d = from_base(delivery);
    assert(d->phase != MAILDIR_ENVELOPE && d->phase != MAILDIR_FINISHED);
    if (d->phase != MAILDIR_MESSAGE)
        return octets.n;
    size_t taken = gather_header(d) ? gather(d, octets) : 0;
    d->wants_room = taken < octets.n;
    go_on(d);
    return d->phase == MAILDIR_MESSAGE ? taken : octets.n;
}

static void maildir_finish(struct delivery *delivery)
{
    struct maildir_delivery *d = from_base(delivery);
    if (d->phase != MAILDIR_MESSAGE)
        return;
    d->phase = MAILDIR_FINISHED;
    go_on(d);
}

static void maildir_free(struct delivery *delivery)
{
    struct maildir_delivery *d = from_base(delivery);
    assert(!d->is_freed);
    d->is_freed = true;
    if (!d->is_working)
        loop_later(d->upstreams->loop, &d->later);
}

static const struct delivery_class maildir_class = {
    .rcpt = maildir_rcpt,
    .data = maildir_data,
    .body = maildir_body,
    .finish = maildir_finish,
    .free = maildir_free,
};

struct delivery *maildir_delivery_new(struct upstreams *upstreams,
                                      const struct upstream_settings *settings,
                                      const struct envelope *envelope,
                                      const struct delivery_events *events,
                                      void *owner)
{
    struct maildir_delivery *d = calloc(1, sizeof(*d));
    if (d == NULL || envelope->reverse_path.n > WRITE_FROM) {
        free(d);
        return NULL;
    }
    *d = (struct maildir_delivery){
        .base.class = &maildir_class,
        .upstreams = upstreams,
        .settings = settings,
        .envelope = envelope,
        .events = events,
        .owner = owner,
        .file.fd = -1,
        .job = {.work = work, .done = done},
        .later.run = run_later,
    };
    arena_init(&d->arena, RECIPIENTS_ARENA_MAX);
    upstreams->maildir_busy++;
    return &d->base;
}
