/* What libyaml says about a file it can't read, in words that say what to do
 * about it. Pure. */
#ifndef CONFIG_YAML_HINT_H
#define CONFIG_YAML_HINT_H

#include "rules/base/str.h"

struct yaml_hint {
    const char *text;
    bool is_at_start; /* the place is where the construct begins */
};

/* `problem` and `context` are libyaml's words (either may be NULL); `octet`
 * stands at the problem's place, NUL at the end of the file. */
struct yaml_hint yaml_hint_find(const char *problem, const char *context,
                                char octet);

#endif
