/* shadow: a second configuration, of which only the policy and its lists
 * count. Its other keys are ignored, so that a copy of this configuration can
 * be the candidate; a key that no configuration has is still an error. */
#include "config/sections.h"

#include "config/sources.h"

void read_shadow(struct reader *reader)
{
    struct settings *settings = reader->settings;
    struct mark mark = settings->shadow_mark;
    struct sources sources = {.reader = reader};
    struct str octets;
    size_t first = reader->file_count;
    if (settings->shadow_path == NULL ||
        reader_file(reader, FILE_CONFIGURATION, mark, settings->shadow_path,
                    &octets) != 0)
        return;
    reader->is_shadow = true;
    sources_read(&sources, settings->shadow_path, octets);
    for (size_t i = 0; i < sources.count; i++)
        schema_check_keys(reader, &root_schema, sources.roots[i]);
    if (!sources.is_broken && sources.count > 0) {
        settings->shadow = read_policy(reader, sources.roots, sources.count);
        read_files_digest(reader, first, settings->shadow_digest);
    }
    reader->is_shadow = false;
}
