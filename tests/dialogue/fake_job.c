#include "tests/dialogue/alloc_fault.h"
#include "tests/dialogue/fake_net.h"

struct job_entry {
    struct job_entry *next;
    struct job *job;
};

int job_start(struct loop *loop, struct job *job)
{
    if (alloc_fault_strikes())
        return -1;
    struct job_entry *entry = plain_alloc(sizeof *entry);
    entry->job = job;
    struct job_entry **at = &loop->jobs;
    while (*at)
        at = &(*at)->next;
    *at = entry;
    return 0;
}

bool fake_jobs_turn(struct loop *loop)
{
    if (!loop->jobs || loop->holds_jobs)
        return false;
    struct job_entry *entry = loop->jobs;
    struct job *job = entry->job;
    loop->jobs = entry->next;
    plain_free(entry);
    alloc_fault_enter();
    job->work(job);
    job->done(job);
    alloc_fault_leave();
    return true;
}
