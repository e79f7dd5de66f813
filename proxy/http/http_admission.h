/* Whether a request is one that is answered here: its method, its target, and
 * the name that it is for. */
#ifndef PROXY_HTTP_HTTP_ADMISSION_H
#define PROXY_HTTP_HTTP_ADMISSION_H

#include "proxy/http/http_job.h"

/* Of the target, as it came. */
#define HTTP_TARGET_MAX 4096

struct http_request {
    const char *method;
    const char *path; /* of the target, %XX decoded */
    const char *host; /* NULL: there is no such field */
    bool is_too_long; /* the target */
    bool has_nul;     /* %00 */
};

/* Finds the job's route. False: the answer is there, a refusal. */
bool http_admit(struct http_job *job, const struct http_request *request);

#endif
