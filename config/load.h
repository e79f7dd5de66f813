/* Path in, snapshot or diagnostics out. Reads the file, its includes and its
 * list files; reads nothing else. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/files.h"
#include "config/settings.h"

/* NULL when there were errors: then diags holds at least one. On success the
 * caller owns one reference, and diags may hold warnings. Diagnostics are in
 * the order of their places. */
const struct settings *config_load(const char *path, struct diags *diags);

/* The same, of files that were read before, or are now: from the disk, or out
 * of a bundle. What is loaded keeps nothing of `files`. */
const struct settings *config_load_from(struct files *files, const char *path,
                                        struct diags *diags);

/* The same from memory. `path` is what messages say and relative paths start
 * from; nothing is opened: an include or a list's file is an error. */
const struct settings *config_load_octets(const char *path, struct str octets,
                                          struct diags *diags);

#endif
