#include "proxy/command/limits_table.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "proxy/log/printable.h"
#include "rules/quantity.h"

#define COLUMNS 9
#define CELL_ROOM 256

struct row {
    char cells[COLUMNS][CELL_ROOM];
};

struct table {
    size_t columns;
    const char *const *heads;
    size_t right; /* from which column on cells stand to the right */
    size_t widths[COLUMNS];
};

static const char *const KEY_HEADS[] = {
    "rule", "stage", "unit", "used", "held", "left", "max", "rate", "empty in"};
static const char *const RULE_HEADS[] = {"rule", "stage", "limit", "by",
                                         "used", "held",  "left",  "max"};

static void put_text(char cell[CELL_ROOM], const json_t *object,
                     const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    size_t n =
        printable(str_from(text == NULL ? "" : text), cell, CELL_ROOM - 1);
    cell[n] = '\0';
}

static void put_number(char cell[CELL_ROOM], const json_t *object,
                       const char *name)
{
    const json_t *number = json_object_get(object, name);
    snprintf(cell, CELL_ROOM, number == NULL ? "-" : "%" JSON_INTEGER_FORMAT,
             json_integer_value(number));
}

static void put_wait(char cell[CELL_ROOM], const json_t *object,
                     const char *name)
{
    json_int_t ms = json_integer_value(json_object_get(object, name));
    struct arena arena;
    arena_init(&arena, 1024);
    struct str text = quantity_wait_text(&arena, ms > 0 ? (uint64_t)ms : 0);
    snprintf(cell, CELL_ROOM, "%.*s", (int)text.n, ms > 0 ? text.p : "");
    arena_release(&arena);
}

/* As a rule has it: 500/h, 5/10m. */
static void put_rate(char cell[CELL_ROOM], const json_t *object)
{
    static const struct {
        json_int_t ms;
        const char *name;
    } UNITS[] = {
        {86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    json_int_t amount = json_integer_value(json_object_get(object, "amount"));
    json_int_t ms = json_integer_value(json_object_get(object, "period_ms"));
    size_t i = 0;
    cell[0] = '\0';
    if (ms <= 0)
        return;
    while (ms % UNITS[i].ms != 0)
        i++;
    json_int_t count = ms / UNITS[i].ms;
    if (count == 1)
        snprintf(cell, CELL_ROOM, "%" JSON_INTEGER_FORMAT "/%s", amount,
                 UNITS[i].name);
    else
        snprintf(cell, CELL_ROOM,
                 "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT "%s", amount,
                 count, UNITS[i].name);
}

/* What a rule is called, and that it only pretends. */
static void put_rule(char cell[CELL_ROOM], const json_t *object)
{
    put_text(cell, object, "rule");
    size_t n = strlen(cell);
    if (json_object_get(object, "mode") != NULL)
        snprintf(cell + n, CELL_ROOM - n, " (shadow)");
}

static void fill_key_row(const json_t *object, struct row *row)
{
    static const char *const NUMBERS[] = {"used", "held", "left", "max"};
    put_rule(row->cells[0], object);
    put_text(row->cells[1], object, "stage");
    put_text(row->cells[2], object, "unit");
    for (size_t i = 0; i < 4; i++)
        put_number(row->cells[3 + i], object, NUMBERS[i]);
    put_rate(row->cells[7], object);
    put_wait(row->cells[8], object, "empty_in_ms");
}

static void put_by(char cell[CELL_ROOM], const json_t *object)
{
    const json_t *by = json_object_get(object, "by");
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(by) && n < CELL_ROOM; i++) {
        const char *text = json_string_value(json_array_get(by, i));
        int more = snprintf(cell + n, CELL_ROOM - n, "%s%s",
                            i == 0 ? "" : ", else ", text == NULL ? "" : text);
        n += more > 0 ? (size_t)more : 0;
    }
    if (n == 0)
        snprintf(cell, CELL_ROOM, "all together");
}

static void fill_rule_row(const json_t *object, struct row *row)
{
    static const char *const NUMBERS[] = {"used", "held", "left", "max"};
    bool is_one = json_object_get(object, "used") != NULL;
    put_rule(row->cells[0], object);
    put_text(row->cells[1], object, "stage");
    put_text(row->cells[2], object, "limit");
    size_t n = strlen(row->cells[2]);
    const char *unit = json_string_value(json_object_get(object, "unit"));
    snprintf(row->cells[2] + n, CELL_ROOM - n, " %s", unit == NULL ? "" : unit);
    put_by(row->cells[3], object);
    for (size_t i = 0; i < 4; i++)
        if (is_one)
            put_number(row->cells[4 + i], object, NUMBERS[i]);
}

typedef void fill_row(const json_t *object, struct row *row);

/* Cells are counted in characters, not octets. */
static size_t width_of(const char *cell)
{
    size_t width = 0;
    for (; *cell != '\0'; cell++)
        width += ((unsigned char)*cell & 0xc0) != 0x80;
    return width;
}

static void measure(struct table *table, const json_t *limits, fill_row *fill)
{
    for (size_t c = 0; c < table->columns; c++)
        table->widths[c] = strlen(table->heads[c]);
    for (size_t i = 0; i < json_array_size(limits); i++) {
        struct row row = {0};
        fill(json_array_get(limits, i), &row);
        for (size_t c = 0; c < table->columns; c++)
            if (width_of(row.cells[c]) > table->widths[c])
                table->widths[c] = width_of(row.cells[c]);
    }
}

static void print_cell(const struct table *table, size_t column,
                       const char *cell, bool is_last, FILE *to)
{
    int gap = (int)(table->widths[column] - width_of(cell));
    if (column > 0)
        fputs("  ", to);
    if (column >= table->right)
        fprintf(to, "%*s%s", gap, "", cell);
    else
        fprintf(to, "%s%*s", cell, is_last ? 0 : gap, "");
}

static void print_row(const struct table *table, const struct row *row,
                      FILE *to)
{
    size_t count = table->columns;
    while (count > 1 && row->cells[count - 1][0] == '\0')
        count--;
    for (size_t c = 0; c < count; c++)
        print_cell(table, c, row->cells[c], c + 1 == count, to);
    fputc('\n', to);
}

/* A boost stands in a line of its own. */
static void print_boost(const json_t *object, FILE *to)
{
    json_int_t percent =
        json_integer_value(json_object_get(object, "boost_percent"));
    char left[CELL_ROOM];
    if (percent <= 0)
        return;
    put_wait(left, object, "boost_left_ms");
    fprintf(to, "  boosted %.4gx, for another %s\n", (double)percent / 100,
            left);
}

static void print_table(struct table *table, const json_t *limits,
                        fill_row *fill, FILE *to)
{
    measure(table, limits, fill);
    for (size_t c = 0; c < table->columns; c++)
        print_cell(table, c, table->heads[c], c + 1 == table->columns, to);
    fputc('\n', to);
    for (size_t i = 0; i < json_array_size(limits); i++) {
        const json_t *object = json_array_get(limits, i);
        struct row row = {0};
        fill(object, &row);
        print_row(table, &row, to);
        print_boost(object, to);
    }
}

void limits_table_print_rules(const json_t *reply, FILE *to)
{
    struct table table = {.columns = 8, .heads = RULE_HEADS, .right = 4};
    const json_t *limits = json_object_get(reply, "limits");
    if (json_array_size(limits) == 0) {
        fputs("the policy has no limits with budgets\n", to);
        return;
    }
    print_table(&table, limits, fill_rule_row, to);
    const char *store = json_string_value(json_object_get(reply, "store"));
    if (store != NULL) {
        fprintf(to,
                "%" JSON_INTEGER_FORMAT " keys are in %s, those of all its "
                "servers and users: `postern limits KEY` shows one\n",
                json_integer_value(json_object_get(reply, "in_use")), store);
        return;
    }
    fprintf(to,
            "%" JSON_INTEGER_FORMAT
            " budgets are in use, of %" JSON_INTEGER_FORMAT
            "; of keys only hashes are kept: `postern limits KEY` shows one\n",
            json_integer_value(json_object_get(reply, "in_use")),
            json_integer_value(json_object_get(reply, "room")));
}

void limits_table_print_key(const json_t *reply, const char *what, FILE *to)
{
    struct table table = {.columns = 9, .heads = KEY_HEADS, .right = 3};
    const json_t *limits = json_object_get(reply, "limits");
    char key[CELL_ROOM];
    put_text(key, reply, "key");
    if (json_array_size(limits) == 0) {
        fprintf(to,
                what[0] == '\0' ? "%s: nothing is counted under this key\n"
                                : "%s: there is nothing to change\n",
                key);
        return;
    }
    if (what[0] != '\0')
        fprintf(to, "%s: %s\n", key, what);
    print_table(&table, limits, fill_key_row, to);
}
