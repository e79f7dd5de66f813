/* Standard output and standard error as a server needs them. */
#ifndef PROXY_OWN_OUTPUT_H
#define PROXY_OWN_OUTPUT_H

/* A pipe or a terminal whose reader is slow must not stop the server, and what
 * is set for that must not change it for others who write there, as a shell
 * does: each of the two is opened anew, where it can be, so as never to wait.
 * One that is closed becomes /dev/null, before some file gets its number.
 * For the start; processes that are started later inherit it. */
void own_output_take(void);

#endif
