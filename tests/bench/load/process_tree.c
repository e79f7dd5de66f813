#include "tests/bench/load/process_tree.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/load/fatal.h"
#include "tests/bench/load/number.h"

#define ROOM_FIRST 256

/* Its name may have anything in it, also brackets. False: it has ended. */
static bool read_stat(const char *name, struct process *process)
{
    char path[64], text[2048];
    long user_ticks, system_ticks;
    snprintf(path, sizeof path, "/proc/%.20s/stat", name);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    const char *behind_name = strrchr(text, ')');
    if (behind_name == NULL ||
        sscanf(behind_name,
               ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %ld %ld",
               &process->parent, &user_ticks, &system_ticks) != 3)
        return false;
    process->reaped_s =
        (double)(user_ticks + system_ticks) / (double)sysconf(_SC_CLK_TCK);
    return true;
}

static void add(struct process_tree *tree, const char *name)
{
    uint64_t id;
    struct process process = {.is_wanted = false};
    if (!number_read(name, &id, NULL) || !read_stat(name, &process))
        return;
    process.id = (pid_t)id;
    if (tree->count == tree->room) {
        tree->room = tree->room == 0 ? ROOM_FIRST : 2 * tree->room;
        tree->processes =
            reallocate(tree->processes, tree->room, sizeof *tree->processes);
    }
    tree->processes[tree->count++] = process;
}

void process_tree_read(struct process_tree *tree)
{
    *tree = (struct process_tree){.processes = NULL};
    DIR *folder = opendir("/proc");
    if (folder == NULL)
        fatal("there is no /proc");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        add(tree, entry->d_name);
    closedir(folder);
}

static struct process *find(struct process_tree *tree, pid_t id)
{
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->processes[i].id == id)
            return &tree->processes[i];
    }
    return NULL;
}

bool process_tree_want(struct process_tree *tree, pid_t id)
{
    struct process *process = find(tree, id);
    if (process == NULL)
        return false;
    process->is_wanted = true;
    for (size_t i = 0; i < tree->count; i++) {
        if (tree->processes[i].parent == id && !tree->processes[i].is_wanted)
            process_tree_want(tree, tree->processes[i].id);
    }
    return true;
}

void process_tree_release(struct process_tree *tree)
{
    free(tree->processes);
}
