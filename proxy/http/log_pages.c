/* The decision log, live and filtered, and one decision explained. */
#include "proxy/http/http_routes.h"

#include "proxy/explain/past_telling.h"
#include "proxy/http/log_feed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* Of each of the two files in which an id is looked for. */
#define EXPLAIN_BACK UINT64_C(0x40000000)
#define EXPLAIN_TEXT_MAX (4 * 1024 * 1024)

static const char NO_LOG[] =
    "there is no decision log to read back: set log.decisions to a file (what "
    "goes to standard output is not kept)";

static uint64_t wall_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* NULL after an answer. */
static const char *path_of(struct http_job *job)
{
    const char *path = job->means->settings->log.decisions;
    if (path == NULL)
        http_refuse(job, 404, "%s", NO_LOG);
    return path;
}

static enum http_next refuse_log(struct http_job *job, const char *path,
                                 int error)
{
    if (error == ESPIPE)
        return http_refuse(job, 404,
                           "log.decisions, %s, is no file, and what went there "
                           "can't be read back",
                           path);
    return http_refuse(job, 503, "the decision log, %s, can't be read: %s",
                       path, strerrordesc_np(error));
}

/* --- /api/log --- */

static int read_filter(const struct http_job *job, struct entry_filter *filter,
                       char error[ENTRY_FILTER_ERROR_MAX])
{
    entry_filter_init(filter);
    for (size_t i = 0; i < job->argument_count; i++) {
        const struct http_argument *argument = &job->arguments[i];
        if (strcmp(argument->name, "filter") != 0)
            continue;
        struct str word = str_from(argument->value);
        if (!entry_filter_is_word(word)) {
            snprintf(error, ENTRY_FILTER_ERROR_MAX,
                     "\"%.64s\" is no filter: write user=bob", argument->value);
            return -1;
        }
        if (entry_filter_add(filter, word, wall_us(), error) != 0)
            return -1;
    }
    return 0;
}

static enum http_next give_lines(struct http_job *job,
                                 const struct log_feed *feed)
{
    char place[LOG_PLACE_TEXT];
    char *text = NULL;
    size_t octets = 0;
    FILE *to = open_memstream(&text, &octets);
    if (to == NULL)
        return http_say(job, 503, "out of memory");
    log_place_text(&feed->place, place);
    fprintf(to, "{\"place\":\"%s\",\"more\":%s,\"gap\":%s,\"lines\":[", place,
            feed->has_more ? "true" : "false",
            feed->has_gap ? "true" : "false");
    for (size_t i = 0; i < feed->count; i++) {
        struct str line = log_feed_line(feed, i);
        if (i > 0)
            fputc(',', to);
        fwrite(line.p, 1, line.n, to);
    }
    fputs("]}", to);
    if (fclose(to) == 0)
        return http_give(job, "application/json", text, octets);
    free(text);
    return http_say(job, 503, "out of memory");
}

/* What was read through in vain is not read again when the job is asked the
 * next time. */
static enum http_next feed_on(struct http_job *job, struct log_feed *feed,
                              struct log_place place)
{
    if (job->has_place)
        place = (struct log_place){job->place[0], job->place[1]};
    int error = log_feed_after(feed, place);
    if (error != 0)
        return refuse_log(job, feed->path, error);
    job->has_place = true;
    job->place[0] = feed->place.file;
    job->place[1] = feed->place.offset;
    if (feed->count == 0 && !feed->has_gap && !job->is_due)
        return HTTP_LATER;
    return give_lines(job, feed);
}

enum http_next http_log(struct http_job *job)
{
    char words[ENTRY_FILTER_ERROR_MAX];
    struct entry_filter filter;
    struct log_place place;
    const char *path = path_of(job);
    const char *after = http_job_argument(job, "after");
    long lines =
        http_job_number(job, "lines", LOG_FEED_LINES_MAX, LOG_FEED_LINES_MAX);
    if (path == NULL)
        return HTTP_DONE;
    if (lines < 1)
        return http_refuse(job, 400, "lines: 1 to %d", LOG_FEED_LINES_MAX);
    if (after != NULL && log_place_parse(str_from(after), &place) != 0)
        return http_refuse(job, 400, "after: the place of an answer before");
    if (read_filter(job, &filter, words) != 0)
        return http_refuse(job, 400, "%s", words);
    struct log_feed *feed = malloc(sizeof *feed);
    if (feed == NULL)
        return http_say(job, 503, "out of memory");
    log_feed_init(feed, path, &filter, (size_t)lines);
    enum http_next next = HTTP_DONE;
    if (after != NULL) {
        next = feed_on(job, feed, place);
    } else {
        int error = log_feed_recent(feed);
        next =
            error == 0 ? give_lines(job, feed) : refuse_log(job, path, error);
    }
    log_feed_release(feed);
    free(feed);
    return next;
}

/* --- /api/explain/ID --- */

/* Whoever opens a pipe may wait for ever. */
static int look_into(struct past *past, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return errno;
    if (!S_ISREG(status.st_mode))
        return ESPIPE;
    return past_look_near_end(past, path, EXPLAIN_BACK) == 0 ? 0 : errno;
}

static int look(struct past *past, const char *log)
{
    char older[4096];
    int length = snprintf(older, sizeof older, "%s.1", log);
    if (length > 0 && (size_t)length < sizeof older)
        (void)look_into(past, older);
    return look_into(past, log);
}

static enum http_next tell(struct http_job *job, const struct past *past)
{
    char *text = NULL;
    size_t octets = 0;
    FILE *to = open_memstream(&text, &octets);
    if (to == NULL)
        return http_say(job, 503, "out of memory");
    const struct settings *policy =
        snapshots_newest(job->means->controlled->snapshots);
    int result = past_tell(past, policy, to, PAST_PLAIN);
    settings_unref(policy);
    if (fclose(to) == 0 && result == 0 && octets <= EXPLAIN_TEXT_MAX)
        return http_give(job, "text/plain; charset=utf-8", text, octets);
    free(text);
    return http_say(job, 503, "there is too much of it, or out of memory");
}

enum http_next http_explain(struct http_job *job)
{
    struct past past;
    const char *path = job->means->settings->log.decisions;
    if (path == NULL)
        return http_say(job, 404, "%s", NO_LOG);
    if (past_init(&past, job->rest) != 0)
        return http_say(job, 404,
                        "an id is the ten or twelve letters and digits at the "
                        "end of a reply");
    int error = look(&past, path);
    enum http_next next = HTTP_DONE;
    if (past_is_found(&past))
        next = tell(job, &past);
    else if (error != 0)
        http_say(job, 503, "the decision log, %s, can't be read: %s", path,
                 strerrordesc_np(error));
    else
        http_say(job, 404,
                 "there is no %s in the last gibibyte of %s and of the file "
                 "before it",
                 past.id, path);
    past_release(&past);
    return next;
}
