#include "proxy/explain/known_login.h"

#include "proxy/login/login.h"
#include "proxy/login/users_file.h"

static const struct str *copy(struct story *story, const struct str *items,
                              size_t count)
{
    struct str *copies = arena_array(&story->arena, count + 1, sizeof *copies);
    for (size_t i = 0; copies != NULL && i < count; i++)
        copies[i] = story_keep(story, items[i]);
    if (copies == NULL)
        story->is_full = true;
    return copies;
}

static void take(struct known_login *login, const struct user *user,
                 struct story *story)
{
    login->addresses = copy(story, user->addresses, user->address_count);
    login->groups = copy(story, user->groups, user->group_count);
    if (login->addresses == NULL || login->groups == NULL)
        return;
    login->is_found = true;
    login->address_count = user->address_count;
    login->group_count = user->group_count;
}

static void look(struct known_login *login,
                 const struct backend_settings *backend, struct files *files,
                 struct story *story)
{
    struct users users;
    struct diags diags;
    users_init(&users);
    diags_init(&diags);
    int rc = users_read(&users, files, backend->users, backend->mark, &diags);
    /* Lines that are right serve even where others are wrong. */
    if (rc != 0 && diags.count > 0)
        story_add_note(story, "note: %s:%zu: %s", diags.items[0].mark.file,
                       diags.items[0].mark.line, diags.items[0].text);
    const struct user *user = users_find(&users, login->name);
    if (user != NULL)
        take(login, user, story);
    diags_release(&diags);
    users_release(&users);
}

void known_login_find(struct known_login *login,
                      const struct settings *settings, struct str name,
                      struct story *story)
{
    *login = (struct known_login){.name = login_normalise(&story->arena, name)};
    if (login->name.p == NULL)
        login->name = story_keep(story, name);
    struct files *files = files_from_disk();
    story->is_full |= files == NULL;
    for (size_t i = 0;
         files != NULL && i < settings->auth.backend_count && !login->is_found;
         i++)
        if (settings->auth.backends[i].users != NULL)
            look(login, &settings->auth.backends[i], files, story);
    files_free(files);
}
