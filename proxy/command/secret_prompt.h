/* Asks for a password on the terminal without showing it; where standard
 * input is no terminal, reads a line of it. */
#ifndef PROXY_COMMAND_SECRET_PROMPT_H
#define PROXY_COMMAND_SECRET_PROMPT_H

/* With the NUL: as much as crypt(3) takes. */
#define SECRET_MAX 512

/* 0, or -1 at the end of input, or when the line does not fit. The caller
 * wipes. */
int secret_prompt(const char *prompt, char secret[SECRET_MAX]);

#endif
