/* postern schema: the JSON Schema of postern.yaml, on standard output. */
#ifndef PROXY_COMMAND_SCHEMA_H
#define PROXY_COMMAND_SCHEMA_H

int command_schema(int argc, char **argv);

#endif
