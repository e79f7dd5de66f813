#include "proxy/command/passwd.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/command/secret_prompt.h"
#include "proxy/command/subcommands.h"
#include "proxy/login/login.h"

#define USER_MAX 256

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

/* An owned hash by crypt(3)'s strongest kind; NULL: it failed. */
static char *hash_password(const char *password)
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

static int print_line(struct str user)
{
    char password[SECRET_MAX] = {0};
    char *hash = NULL;
    int result = ask_password(password);
    if (result == 0 && (hash = hash_password(password)) == NULL)
        result = fail("the password could not be hashed");
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
    const char *user = typed;
    if (argc > 1 && strcmp(argv[1], "--scram") == 0)
        return subcommand_misuse("passwd", "--scram is known, not built yet",
                                 NULL);
    if (argc > 1 && argv[1][0] == '-')
        return subcommand_misuse("passwd", "there is no option", argv[1]);
    if (argc > 2)
        return subcommand_misuse("passwd", "one login at a time", NULL);
    if (argc == 2)
        user = argv[1];
    else if (ask_user(typed) != 0)
        return EXIT_USAGE;
    struct arena arena;
    arena_init(&arena, 64 * 1024);
    struct str name = normalise(&arena, user);
    int code = name.p == NULL          ? EXIT_USAGE
               : print_line(name) == 0 ? EXIT_FINE
                                       : EXIT_FOUND;
    arena_release(&arena);
    return code;
}
