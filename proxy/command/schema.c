#include "proxy/command/schema.h"

#include <stdio.h>

#include "proxy/command/subcommands.h"
#include "proxy/schema/json_schema.h"

int command_schema(int argc, char **argv)
{
    if (argc > 1)
        return subcommand_misuse("schema", "there is no option", argv[1]);
    json_t *schema = json_schema_new();
    int result =
        schema == NULL
            ? -1
            : json_dumpf(schema, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(schema);
    if (result == 0 && fflush(stdout) == 0)
        return EXIT_FINE;
    fputs("postern schema: it can't be written\n", stderr);
    return EXIT_FOUND;
}
