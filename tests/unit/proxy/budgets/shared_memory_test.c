#include "proxy/budgets/shared_memory.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>

enum { ROOM = 4 * SHARED_MEMORY_PAGE };

static size_t octets(uint64_t capacity)
{
    return capacity > 1000 ? 0 : ROOM + (size_t)capacity * 64;
}

static const struct shared_memory_kind KIND = {"test", 7, 3, octets};

static void both_see_what_one_writes(void **state)
{
    struct shared_memory first, second;
    (void)state;
    assert_int_equal(shared_memory_create(&first, &KIND, 10), 0);
    assert_int_equal(shared_memory_attach(&second, &KIND, first.fd), 0);
    assert_int_equal(second.octets, octets(10));
    assert_true(first.at != second.at);
    ((char *)first.at)[ROOM - 1] = 'x';
    assert_int_equal(((char *)second.at)[ROOM - 1], 'x');
    shared_memory_close(&first);
    assert_int_equal(((char *)second.at)[ROOM - 1], 'x');
    shared_memory_close(&second);
    shared_memory_close(&second);
}

static void nobody_can_cut_it_off(void **state)
{
    struct shared_memory memory;
    (void)state;
    assert_int_equal(shared_memory_create(&memory, &KIND, 10), 0);
    assert_int_equal(ftruncate(memory.fd, 0), -1);
    assert_int_equal(ftruncate(memory.fd, 2 * ROOM), -1);
    assert_int_equal(fcntl(memory.fd, F_GETFD), FD_CLOEXEC);
    shared_memory_close(&memory);
}

static void what_is_cleared_is_zeros_for_all(void **state)
{
    struct shared_memory memories[2];
    struct stat status;
    (void)state;
    assert_int_equal(shared_memory_create(&memories[0], &KIND, 10), 0);
    assert_int_equal(shared_memory_attach(&memories[1], &KIND, memories[0].fd),
                     0);
    char *page = (char *)memories[0].at + SHARED_MEMORY_PAGE;
    memset(page - 1, 'x', SHARED_MEMORY_PAGE + 2);
    shared_memory_clear(&memories[0], SHARED_MEMORY_PAGE, SHARED_MEMORY_PAGE);
    /* Its pages are given back. */
    assert_int_equal(fstat(memories[0].fd, &status), 0);
    assert_true(status.st_blocks * 512 < SHARED_MEMORY_PAGE);
    const char *seen = (char *)memories[1].at + SHARED_MEMORY_PAGE;
    assert_int_equal(seen[-1], 'x');
    assert_int_equal(seen[SHARED_MEMORY_PAGE], 'x');
    for (size_t i = 0; i < SHARED_MEMORY_PAGE; i++)
        assert_int_equal(seen[i], 0);
    for (int i = 0; i < 2; i++)
        shared_memory_close(&memories[i]);
}

static void untouched_pages_cost_nothing(void **state)
{
    struct shared_memory memory;
    struct stat status;
    (void)state;
    assert_int_equal(shared_memory_create(&memory, &KIND, 1000), 0);
    assert_int_equal(fstat(memory.fd, &status), 0);
    assert_int_equal(status.st_size, octets(1000));
    assert_true(status.st_blocks * 512 <= SHARED_MEMORY_PAGE);
    shared_memory_close(&memory);
}

/* --- what is not such memory --- */

static int file_of(size_t size, unsigned seals, const void *p, size_t n)
{
    int fd = memfd_create("foreign", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, p, n), n);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static void what_is_foreign_is_refused(void **state)
{
    enum { SEALED = F_SEAL_GROW | F_SEAL_SHRINK };
    const struct shared_memory_head good = {7, 3, octets(10), 10};
    static const struct {
        struct shared_memory_head head;
        size_t size;
        unsigned seals;
        int want;
    } cases[] = {
        {{7, 3, ROOM + 640, 10}, ROOM + 640, SEALED, 0},
        {{8, 3, ROOM + 640, 10}, ROOM + 640, SEALED, SHARED_MEMORY_FOREIGN},
        {{7, 4, ROOM + 640, 10}, ROOM + 640, SEALED, SHARED_MEMORY_FOREIGN},
        {{7, 3, ROOM + 640, 11}, ROOM + 640, SEALED, SHARED_MEMORY_FOREIGN},
        {{7, 3, ROOM + 640, 10}, ROOM + 639, SEALED, SHARED_MEMORY_FOREIGN},
        {{7, 3, ROOM, 10}, ROOM, SEALED, SHARED_MEMORY_FOREIGN},
        {{7, 3, 0, 1001}, ROOM, SEALED, SHARED_MEMORY_FOREIGN},
        {{7, 3, 0, UINT64_MAX}, 32, SEALED, SHARED_MEMORY_FOREIGN},
        {{7, 3, ROOM + 640, 10}, 16, SEALED, SHARED_MEMORY_FOREIGN},
        {{7, 3, ROOM + 640, 10}, 0, SEALED, SHARED_MEMORY_FOREIGN},
        {{7, 3, ROOM + 640, 10},
         ROOM + 640,
         F_SEAL_GROW,
         SHARED_MEMORY_FOREIGN},
        {{7, 3, ROOM + 640, 10}, ROOM + 640, 0, SHARED_MEMORY_FOREIGN},
    };
    (void)state;
    assert_int_equal(good.octets, ROOM + 640);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct shared_memory memory;
        int fd = file_of(cases[i].size, cases[i].seals, &cases[i].head,
                         sizeof cases[i].head);
        if (shared_memory_attach(&memory, &KIND, fd) != cases[i].want)
            fail_msg("case %zu", i);
        shared_memory_close(&memory);
        close(fd);
    }
}

static void what_is_no_memory_at_all_is_refused(void **state)
{
    struct shared_memory memory;
    int ends[2];
    (void)state;
    assert_int_equal(pipe(ends), 0);
    int plain = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int descriptors[] = {-1, 10000, ends[0], plain};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(shared_memory_attach(&memory, &KIND, descriptors[i]),
                         SHARED_MEMORY_FOREIGN);
    close(ends[0]);
    close(ends[1]);
    close(plain);
}

/* Without a look at the limit a signal would end the process. */
static void a_limit_on_files_is_an_error(void **state)
{
    struct shared_memory memory;
    struct rlimit before, tiny;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tiny = before;
    tiny.rlim_cur = 1000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
    int result = shared_memory_create(&memory, &KIND, 10);
    int error = errno;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(result, -1);
    assert_int_equal(error, EFBIG);
    assert_null(memory.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_see_what_one_writes),
        cmocka_unit_test(nobody_can_cut_it_off),
        cmocka_unit_test(what_is_cleared_is_zeros_for_all),
        cmocka_unit_test(untouched_pages_cost_nothing),
        cmocka_unit_test(what_is_foreign_is_refused),
        cmocka_unit_test(what_is_no_memory_at_all_is_refused),
        cmocka_unit_test(a_limit_on_files_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
