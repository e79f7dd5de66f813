/* A state read by someone else than the server: nothing is locked, so the
 * file may grow, or another take its place, while it is read. */
#include "proxy/budgets/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proxy/budgets/journal_load.h"
#include "rules/ledger.h"

struct copy {
    struct ledger *ledger;
    uint64_t now_ms;
};

static void on_entry(void *owner, const struct ledger_entry *entry)
{
    struct copy *copy = owner;
    (void)ledger_restore(copy->ledger, entry, copy->now_ms);
}

static struct ledger *copy_from(int fd, const struct journal_found *found,
                                size_t max_keys, uint64_t now_wall_ms,
                                char *error, size_t room)
{
    struct copy copy = {ledger_new(max_keys, found->secret), now_wall_ms};
    if (copy.ledger == NULL) {
        snprintf(error, room, "out of memory");
        return NULL;
    }
    if (journal_replay(fd, found, on_entry, &copy) == 0)
        return copy.ledger;
    snprintf(error, room, "%s", strerrordesc_np(errno));
    ledger_free(copy.ledger);
    return NULL;
}

struct ledger *journal_open_copy(const char *path, size_t max_keys,
                                 uint64_t now_wall_ms, char *error, size_t room)
{
    struct journal_found found;
    struct ledger *ledger = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        snprintf(error, room, "%s can't be read: %s", path,
                 strerrordesc_np(errno));
        return NULL;
    }
    journal_survey(fd, now_wall_ms, &found);
    if (found.state == JOURNAL_FAILED)
        snprintf(error, room, "%s can't be read: %s", path,
                 strerrordesc_np(errno));
    else if (found.state == JOURNAL_EMPTY || found.state == JOURNAL_FOREIGN)
        snprintf(error, room, "%s does not hold the state of limits", path);
    else
        ledger = copy_from(fd, &found, max_keys, now_wall_ms, error, room);
    close(fd);
    explicit_bzero(found.secret, sizeof found.secret);
    return ledger;
}
