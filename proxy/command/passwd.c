#include "proxy/command/passwd.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "proxy/command/secret_prompt.h"
#include "proxy/command/subcommands.h"
#include "proxy/login/login.h"
#include "proxy/sasl/scram_verifier.h"

#define USER_MAX 256
#define SALT_OCTETS 16
/* The client must count them at each login, a thief of the file for each
 * guess. RFC 7677 4 wants 0.1 s of work, 15000 in its day; some clients refuse
 * more than 32768. */
#define SCRAM_ITERATIONS 30000

/* Makes what is kept of a password: owned; NULL when it failed. */
typedef char *make_hash(const char *password);

static int fail(const char *what)
{
    fprintf(stderr, "postern passwd: %s\n", what);
    return -1;
}

static int ask_user(char user[USER_MAX])
{
    /* No octet of the password's line may be read ahead. */
    setvbuf(stdin, NULL, _IONBF, 0);
    if (isatty(STDIN_FILENO))
        fputs("Login: ", stderr);
    if (fgets(user, USER_MAX, stdin) == NULL)
        return fail("no login was given");
    user[strcspn(user, "\n")] = '\0';
    return 0;
}

/* As the server will look it up; a colon would end the field, and "#" make
 * the line a comment. */
static struct str normalise(struct arena *arena, const char *user)
{
    struct str name = login_normalise(arena, str_from(user));
    if (name.p == NULL || str_index(name, ':') >= 0 || name.p[0] == '#' ||
        str_trim(name).n != name.n) {
        fail("this is not fit to be a login");
        return (struct str){NULL, 0};
    }
    return name;
}

static int ask_password(char password[SECRET_MAX])
{
    char again[SECRET_MAX] = {0};
    int result = 0;
    if (secret_prompt("Password: ", password) != 0)
        return fail("no password was given, or it is too long");
    if (isatty(STDIN_FILENO)) {
        if (secret_prompt("Once more: ", again) != 0 ||
            strcmp(password, again) != 0)
            result = fail("the two differ");
        explicit_bzero(again, sizeof again);
    }
    if (result == 0 && password[0] == '\0')
        result = fail("an empty password is none");
    return result;
}

/* By crypt(3)'s strongest kind. */
static char *make_crypt(const char *password)
{
    void *data = NULL;
    int size = 0;
    char *out = NULL;
    char *setting = crypt_gensalt_ra("$y$", 0, NULL, 0);
    const char *hash =
        setting == NULL ? NULL : crypt_ra(password, setting, &data, &size);
    if (hash != NULL)
        out = strdup(hash);
    if (data != NULL)
        explicit_bzero(data, (size_t)size);
    free(data);
    free(setting);
    return out;
}

static char *make_scram(const char *password)
{
    struct scram_verifier verifier = {.salt_length = SALT_OCTETS,
                                      .iterations = SCRAM_ITERATIONS};
    char text[SCRAM_VERIFIER_TEXT];
    char *out = NULL;
    if (getrandom(verifier.salt, SALT_OCTETS, 0) == SALT_OCTETS &&
        scram_verifier_derive(&verifier, str_from(password)) == 0) {
        scram_verifier_write(&verifier, text);
        out = strdup(text);
        explicit_bzero(text, sizeof text);
    }
    explicit_bzero(&verifier, sizeof verifier);
    return out;
}

static int print_line(struct str user, make_hash *make)
{
    char password[SECRET_MAX] = {0};
    char *hash = NULL;
    int result = ask_password(password);
    if (result == 0 && (hash = make(password)) == NULL)
        result =
            fail(make == make_scram
                     ? "no SCRAM keys could be made of the password: it is "
                       "not UTF-8, or holds control characters, emoji or "
                       "the like, which SCRAM does not take"
                     : "the password could not be hashed");
    explicit_bzero(password, sizeof password);
    struct str own = str_index(user, '@') < 0 ? STR("") : user;
    if (result == 0)
        printf("%.*s:%s:addresses=%.*s\n", (int)user.n, user.p, hash,
               (int)own.n, own.p);
    if (result == 0 && fflush(stdout) != 0)
        result = fail("the line could not be written");
    free(hash);
    return result;
}

int command_passwd(int argc, char **argv)
{
    char typed[USER_MAX] = {0};
    const char *user = NULL;
    make_hash *make = make_crypt;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--scram") == 0)
            make = make_scram;
        else if (argv[i][0] == '-')
            return subcommand_misuse("passwd", "there is no option", argv[i]);
        else if (user != NULL)
            return subcommand_misuse("passwd", "one login at a time", NULL);
        else
            user = argv[i];
    }
    if (user == NULL && ask_user(typed) != 0)
        return EXIT_USAGE;
    struct arena arena;
    arena_init(&arena, 64 * 1024);
    struct str name = normalise(&arena, user == NULL ? typed : user);
    int code = name.p == NULL                ? EXIT_USAGE
               : print_line(name, make) == 0 ? EXIT_FINE
                                             : EXIT_FOUND;
    arena_release(&arena);
    return code;
}
