#include "rules/base/stack_wipe.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LEFT 4096
#define RUN 8

/* As a function of a library would; where. */
__attribute__((noinline, no_sanitize("address"))) static void
leave(uintptr_t *where)
{
    volatile char left[LEFT];
    for (size_t i = 0; i < sizeof left; i++)
        left[i] = 's';
    *where = (uintptr_t)left;
}

/* By the kernel, since the memory is nobody's; what calls need of it is gone.
 * An octet or two may be one of an address that a call has put there. */
static size_t count_left(uintptr_t at)
{
    static char now[LEFT];
    size_t count = 0, run = 0;
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    assert_true(memory >= 0);
    assert_int_equal(pread(memory, now, sizeof now, (off_t)at), sizeof now);
    close(memory);
    for (size_t i = 0; i < sizeof now; i++) {
        run = now[i] == 's' ? run + 1 : 0;
        count += run >= RUN;
    }
    return count;
}

static void what_was_left_is_gone(void **state)
{
    (void)state;
    uintptr_t at;
    leave(&at);
    assert_true(count_left(at) > LEFT / 2);
    leave(&at);
    stack_wipe();
    assert_int_equal(count_left(at), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_left_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
