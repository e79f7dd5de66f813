#include "proxy/command/overview_values.h"

long long overview_number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

double overview_real(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

struct str overview_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return str_from(text == NULL ? "" : text);
}

/* "2026-01-05T09:30:01.123456Z" → "09:30:01" */
struct str overview_clock(struct str time)
{
    return time.n < 19 ? time : str_head(str_skip(time, 11), 8);
}

void overview_minutes(const json_t *list,
                      unsigned long long minutes[OVERVIEW_MINUTES])
{
    for (size_t i = 0; i < OVERVIEW_MINUTES; i++)
        minutes[i] =
            (unsigned long long)json_integer_value(json_array_get(list, i));
}
