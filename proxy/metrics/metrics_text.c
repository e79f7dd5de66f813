#include "proxy/metrics/metrics_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/control/control_verbs.h"

static void begin(FILE *to, const char *name, const char *type,
                  const char *help)
{
    fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_process(FILE *to, const struct controlled *c)
{
    begin(to, "postern_build_info", "gauge", "The program; always 1.");
    fputs("postern_build_info{version=\"" POSTERN_VERSION "\"} 1\n", to);
    begin(to, "postern_uptime_seconds", "gauge",
          "Since the server was started.");
    fprintf(to, "postern_uptime_seconds %.3f\n",
            (double)(control_now_ms() - c->started_ms) / 1000.0);
}

static void put_sessions(FILE *to, const struct controlled *c)
{
    begin(to, "postern_sessions_open", "gauge",
          "Connections of clients, in all processes.");
    fprintf(to, "postern_sessions_open %zu\n",
            connection_counts_total(c->connections));
    begin(to, "postern_sessions_max", "gauge", "caps.connections.");
    fprintf(to, "postern_sessions_max %" PRIu64 "\n",
            c->settings->caps.connections);
}

char *metrics_text(const struct controlled *c, size_t *octets)
{
    char *text = NULL;
    *octets = 0;
    FILE *to = open_memstream(&text, octets);
    if (to == NULL)
        return NULL;
    put_process(to, c);
    put_sessions(to, c);
    bool has_failed = ferror(to) != 0;
    if (fclose(to) != 0 || has_failed) {
        free(text);
        return NULL;
    }
    return text;
}
