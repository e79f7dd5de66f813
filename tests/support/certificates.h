/* Certificates and keys for tests, made while they run, in a folder of their
 * own under the system's folder for temporary files. Trouble with any of it
 * ends the test program. */
#ifndef TESTS_SUPPORT_CERTIFICATES_H
#define TESTS_SUPPORT_CERTIFICATES_H

#include <stdbool.h>

struct certificate_wish {
    const char *file;   /* FILE.pem and FILE.key in the folder */
    const char *names;  /* subjectAltName: "DNS:a.example,IP:127.0.0.1" */
    const char *issuer; /* an earlier wish's file; NULL: self-signed */
    int from_days, until_days; /* validity, counted from today */
    bool is_authority;
    bool is_rsa; /* else a key of the curve P-256 */
};

struct certificate_folder {
    char path[64];
};

void certificate_folder_init(struct certificate_folder *folder);
/* Removes the folder and what is in it. */
void certificate_folder_release(struct certificate_folder *folder);
void certificate_make(const struct certificate_folder *folder,
                      const struct certificate_wish *wish);
/* Writes a file as it is told, mode 0600. */
void certificate_write(const struct certificate_folder *folder,
                       const char *file, const char *text);
/* The path of a file in the folder: "a.pem". To be freed. */
char *certificate_path(const struct certificate_folder *folder,
                       const char *file);

#endif
