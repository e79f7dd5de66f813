#include "proxy/net/job.h"

#include "proxy/net/loop_internal.h"

#include <stdlib.h>

static void on_work(uv_work_t *request)
{
    struct job *job = request->data;
    job->work(job);
}

/* `done` may free the job. */
static void on_done(uv_work_t *request, int status)
{
    struct job *job = request->data;
    (void)status;
    free(request);
    job->internal = NULL;
    job->done(job);
}

int job_start(struct loop *loop, struct job *job)
{
    uv_work_t *request = calloc(1, sizeof(*request));
    if (request == NULL)
        return -1;
    request->data = job;
    job->internal = request;
    if (uv_queue_work(&loop->uv, request, on_work, on_done) == 0)
        return 0;
    free(request);
    job->internal = NULL;
    return -1;
}
