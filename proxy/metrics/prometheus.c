#include "proxy/metrics/prometheus.h"

#include <inttypes.h>

#include "rules/base/utf8.h"

#define US 1000000.0

void prometheus_family(FILE *to, const char *name, const char *type,
                       const char *help)
{
    fprintf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* What is not UTF-8 would spoil the whole text. */
static void put_value(FILE *to, struct str value)
{
    while (value.n > 0) {
        uint32_t character;
        size_t n = utf8_next(value, &character);
        if (n == 0) {
            fputs("\xef\xbf\xbd", to);
            n = 1;
        } else if (character == '\n') {
            fputs("\\n", to);
        } else if (utf8_is_control(character)) {
            fprintf(to, "\\\\u{%x}", (unsigned)character);
        } else {
            if (character == '"' || character == '\\')
                fputc('\\', to);
            fwrite(value.p, 1, n, to);
        }
        value = str_skip(value, n);
    }
}

/* `border`: of a bucket; NULL: no such label. */
static void put_labels(FILE *to, const struct prometheus_label *labels,
                       size_t count, const char *border)
{
    const char *before = "{";
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "%s%s=\"", before, labels[i].name);
        put_value(to, labels[i].value);
        fputc('"', to);
        before = ",";
    }
    if (border != NULL)
        fprintf(to, "%sle=\"%s\"", before, border);
    if (count > 0 || border != NULL)
        fputc('}', to);
}

void prometheus_number(FILE *to, const char *name,
                       const struct prometheus_label *labels, size_t count,
                       double value)
{
    fputs(name, to);
    put_labels(to, labels, count, NULL);
    fprintf(to, " %.9g\n", value);
}

void prometheus_count(FILE *to, const char *name,
                      const struct prometheus_label *labels, size_t count,
                      uint64_t value)
{
    fputs(name, to);
    put_labels(to, labels, count, NULL);
    fprintf(to, " %" PRIu64 "\n", value);
}

static void put_bucket(FILE *to, const char *name,
                       const struct prometheus_label *labels, size_t count,
                       const char *border, uint64_t below)
{
    fprintf(to, "%s_bucket", name);
    put_labels(to, labels, count, border);
    fprintf(to, " %" PRIu64 "\n", below);
}

void prometheus_histogram(FILE *to, const char *name,
                          const struct prometheus_label *labels, size_t count,
                          const struct histogram_sum *sum,
                          const struct histogram_scale *scale)
{
    uint64_t below = 0;
    char border[32];
    for (size_t i = 0; i < HISTOGRAM_BORDERS; i++) {
        below += sum->buckets[i];
        snprintf(border, sizeof border, "%g",
                 (double)scale->borders_us[i] / US);
        put_bucket(to, name, labels, count, border, below);
    }
    put_bucket(to, name, labels, count, "+Inf", sum->count);
    fprintf(to, "%s_sum", name);
    put_labels(to, labels, count, NULL);
    fprintf(to, " %.9g\n", (double)sum->sum_us / US);
    fprintf(to, "%s_count", name);
    put_labels(to, labels, count, NULL);
    fprintf(to, " %" PRIu64 "\n", sum->count);
}
