/* Mail of Maildirs, as octets: the page makes text of it. So nothing here, in
 * the process that has passwords and keys, reads MIME. */
#include "proxy/http/http_routes.h"

#include "proxy/http/mail_folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE_MAX 100
#define PAGE_DEFAULT 50
/* Of a message's header block, in the list. */
#define HEAD_MAX 4096

/* That which the argument `box` names, else the first. NULL after an answer. */
static const struct upstream_settings *find_box(struct http_job *job)
{
    const struct settings *settings = job->means->settings;
    const char *name = http_job_argument(job, "box");
    for (size_t i = 0; i < settings->upstream_count; i++) {
        const struct upstream_settings *upstream = &settings->upstreams[i];
        if (upstream->maildir != NULL &&
            (name == NULL || str_equals(upstream->name, str_from(name))))
            return upstream;
    }
    http_refuse(job, 404,
                name == NULL ? "no upstream is a Maildir"
                             : "no upstream of that name is a Maildir");
    return NULL;
}

static json_t *boxes_of(const struct settings *settings)
{
    json_t *boxes = json_array();
    for (size_t i = 0; i < settings->upstream_count; i++)
        if (settings->upstreams[i].maildir != NULL)
            json_array_append_new(boxes,
                                  control_text(settings->upstreams[i].name));
    return boxes;
}

/* Where a first mail can be sent to. */
static json_t *door_of(const struct settings *settings)
{
    static const char *const words[] = {[LISTENER_STARTTLS] = "starttls",
                                        [LISTENER_IMPLICIT] = "implicit",
                                        [LISTENER_CLEAR] = "none"};
    const struct listener_settings *listener = &settings->listeners[0];
    return json_pack("{s:i, s:s, s:b}", "port",
                     (int)listener->addresses[0].port, "tls",
                     words[listener->tls], "auth", listener->auth != AUTH_NONE);
}

/* Each octet as the character of its number: JSON has no octets. */
static json_t *octets_of(const char *octets, size_t count)
{
    char text[2 * HEAD_MAX];
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned char octet = (unsigned char)octets[i];
        if (octet >= 0x80) {
            text[used++] = (char)(0xc0 | octet >> 6);
            octet = (unsigned char)(0x80 | (octet & 0x3f));
        }
        text[used++] = (char)octet;
    }
    return json_stringn(text, used);
}

static size_t header_end(const char *octets, size_t count)
{
    const char *end = memmem(octets, count, "\n\r\n", 3);
    const char *bare = memmem(octets, count, "\n\n", 2);
    if (end == NULL || (bare != NULL && bare < end))
        end = bare;
    return end == NULL ? count : (size_t)(end - octets) + 1;
}

/* One that went, or that can't be read, is shown by its name. */
static json_t *message_of(const char *maildir, const struct mail_name *name)
{
    char head[HEAD_MAX];
    uint64_t octets = 0;
    ssize_t got = 0;
    int fd = mail_folder_open(maildir, name->name, &octets);
    if (fd >= 0) {
        got = pread(fd, head, sizeof head, 0);
        close(fd);
    }
    size_t count = got > 0 ? header_end(head, (size_t)got) : 0;
    return json_pack("{s:o, s:b, s:I, s:I, s:o}", "name",
                     control_text(str_from(name->name)), "new", name->is_new,
                     "time", (json_int_t)name->seconds, "octets",
                     (json_int_t)octets, "head", octets_of(head, count));
}

static enum http_next give_list(struct http_job *job,
                                const struct upstream_settings *box,
                                const struct mail_folder *folder)
{
    long start = http_job_number(job, "start", MAIL_FOLDER_MAX, 0);
    long count = http_job_number(job, "count", PAGE_MAX, PAGE_DEFAULT);
    if (start < 0 || count < 1)
        return http_refuse(job, 400, "start: 0 to %d, count: 1 to %d",
                           MAIL_FOLDER_MAX, PAGE_MAX);
    json_t *messages = json_array();
    for (size_t i = (size_t)start;
         i < folder->count && i < (size_t)start + (size_t)count; i++)
        json_array_append_new(messages,
                              message_of(box->maildir, &folder->items[i]));
    return http_give_json(
        job, json_pack("{s:o, s:o, s:o, s:I, s:b, s:I, s:o}", "door",
                       door_of(job->means->settings), "boxes",
                       boxes_of(job->means->settings), "box",
                       control_text(box->name), "total",
                       (json_int_t)folder->count, "more", folder->has_more,
                       "start", (json_int_t)start, "messages", messages));
}

enum http_next http_mail_list(struct http_job *job)
{
    struct mail_folder folder;
    const struct upstream_settings *box = find_box(job);
    if (box == NULL)
        return HTTP_DONE;
    int error = mail_folder_read(&folder, box->maildir);
    if (error == 0)
        give_list(job, box, &folder);
    else
        http_refuse(job, 503, "%s can't be read: %s", box->maildir,
                    strerrordesc_np(error));
    mail_folder_release(&folder);
    return HTTP_DONE;
}

/* The name of a file that any system takes. */
static void name_download(struct http_job *job)
{
    size_t length = strlen(job->rest);
    for (size_t i = 0; i < length; i++) {
        char c = job->rest[i];
        bool is_plain =
            ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '-';
        job->download[i] = c;
        if (!is_plain)
            job->download[i] = '_';
    }
    memcpy(job->download + length, ".eml", sizeof ".eml");
}

enum http_next http_mail(struct http_job *job)
{
    uint64_t octets = 0;
    const struct upstream_settings *box = find_box(job);
    long most = http_job_number(job, "octets", INT32_MAX, INT32_MAX);
    if (box == NULL)
        return HTTP_DONE;
    if (most < 0)
        return http_refuse(job, 400, "octets: 0 to %d", INT32_MAX);
    int fd = mail_folder_open(box->maildir, job->rest, &octets);
    if (fd < 0)
        return http_refuse(job, 404,
                           "there is no such message, or it was moved: %s",
                           strerrordesc_np(errno));
    name_download(job);
    job->status = 200;
    job->type = "message/rfc822";
    job->fd = fd;
    job->octets = octets < (uint64_t)most ? (size_t)octets : (size_t)most;
    return HTTP_DONE;
}
