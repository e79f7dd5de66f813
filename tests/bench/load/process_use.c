#include "tests/bench/load/process_use.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tests/bench/load/number.h"

/* The kernel's own account, in nanoseconds, with threads that have ended and
 * up to this moment: /proc tells ticks of 10 ms, or the threads that are
 * left. Only what ended children took is in no clock of its own. */
static bool read_clock(pid_t id, double *seconds)
{
    clockid_t clock;
    struct timespec time;
    if (clock_getcpuclockid(id, &clock) != 0 ||
        clock_gettime(clock, &time) != 0)
        return false;
    *seconds = (double)time.tv_sec + (double)time.tv_nsec / 1e9;
    return true;
}

static void add_line(struct process_use *use, const char *line)
{
    const struct {
        const char *name;
        uint64_t *kb;
    } rows[] = {{"Rss:", &use->rss_kb},
                {"Pss:", &use->pss_kb},
                {"Private_Clean:", &use->private_kb},
                {"Private_Dirty:", &use->private_kb}};
    uint64_t kb;
    const char *end;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t size = strlen(rows[i].name);
        if (strncmp(line, rows[i].name, size) == 0 &&
            number_read(line + size + strspn(line + size, " "), &kb, &end))
            *rows[i].kb += kb;
    }
}

static void add_memory(struct process_use *use, pid_t id)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)id);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    while (fgets(line, sizeof line, file) != NULL)
        add_line(use, line);
    fclose(file);
}

static void add_files(struct process_use *use, pid_t id)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/fd", (long)id);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        use->files += entry->d_name[0] != '.';
    closedir(folder);
}

void process_use_add(struct process_use *use, const struct process *process)
{
    double seconds;
    if (!read_clock(process->id, &seconds))
        return;
    use->processor_s += seconds + process->reaped_s;
    use->processes++;
    add_memory(use, process->id);
    add_files(use, process->id);
}
