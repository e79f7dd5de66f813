#include "proxy/http/http_job.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *http_job_argument(const struct http_job *job, const char *name)
{
    for (size_t i = 0; i < job->argument_count; i++)
        if (strcmp(job->arguments[i].name, name) == 0)
            return job->arguments[i].value;
    return NULL;
}

long http_job_number(const struct http_job *job, const char *name, long max,
                     long otherwise)
{
    uint64_t number;
    const char *value = http_job_argument(job, name);
    if (value == NULL)
        return otherwise;
    if (str_to_u64(str_from(value), &number) != 0 || number > (uint64_t)max)
        return -1;
    return (long)number;
}

enum http_next http_give(struct http_job *job, const char *type, char *text,
                         size_t octets)
{
    if (text == NULL)
        return http_say(job, 503, "out of memory");
    if (job->status == 0)
        job->status = 200;
    free(job->text);
    job->type = type;
    job->text = text;
    job->octets = octets;
    return HTTP_DONE;
}

enum http_next http_say(struct http_job *job, unsigned status,
                        const char *format, ...)
{
    static const char NO_MEMORY[] = "out of memory\n";
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    job->status = status;
    job->type = "text/plain; charset=utf-8";
    if (length < 0) {
        job->page = NO_MEMORY;
        job->octets = sizeof NO_MEMORY - 1;
        return HTTP_DONE;
    }
    text[length] = '\n'; /* in the place of the NUL */
    free(job->text);
    job->text = text;
    job->octets = (size_t)length + 1;
    return HTTP_DONE;
}

enum http_next http_give_json(struct http_job *job, json_t *body)
{
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return http_give(job, "application/json", text,
                     text == NULL ? 0 : strlen(text));
}

enum http_next http_refuse(struct http_job *job, unsigned status,
                           const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    job->status = status;
    return http_give_json(
        job, json_pack("{s:o}", "error", control_text(str_from(text))));
}
