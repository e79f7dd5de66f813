#include "tests/bench/load/complaints.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void complaints_add(struct complaints *complaints, const char *what,
                    const char *text)
{
    char line[sizeof complaints->kinds[0].text];
    snprintf(line, sizeof line, "%s: %.*s", what, (int)strcspn(text, "\r\n"),
             text);
    for (size_t i = 0; i < COMPLAINT_KINDS; i++) {
        struct complaint *kind = &complaints->kinds[i];
        if (kind->times == 0)
            memcpy(kind->text, line, sizeof line);
        if (strcmp(kind->text, line) == 0) {
            kind->times++;
            return;
        }
    }
    complaints->others++;
}

void complaints_print(const struct complaints *complaints)
{
    for (size_t i = 0; i < COMPLAINT_KINDS; i++) {
        const struct complaint *kind = &complaints->kinds[i];
        if (kind->times > 0)
            fprintf(stderr, "%s: %" PRIu64 " x %s\n",
                    program_invocation_short_name, kind->times, kind->text);
    }
    if (complaints->others > 0)
        fprintf(stderr, "%s: %" PRIu64 " x something else\n",
                program_invocation_short_name, complaints->others);
}
