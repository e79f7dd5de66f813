/* What a confined process can do and what not, each tried in a process of its
 * own, by root that becomes nobody and by nobody alone. */
#include "proxy/confine/confine.h"

#include "config/load.h"
#include "proxy/confine/syscall_rows.h"
#include "proxy/upstream/maildir.h"
#include "rules/regex.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define NOBODY "nobody"
#define MEMORY_FILE_TEXT "handed over"
#define COULD_NOT_CONFINE 77
#define COULD_NOT_START 78

/* A folder with what the configuration names, and with what it does not. */
static struct place {
    char folder[64];
    const struct settings *settings;
    struct confinement confinement;
    struct server_log *log;
    int tcp, path_socket, abstract_socket; /* they listen */
    struct sockaddr_in tcp_address;
    struct sockaddr_un abstract_address;
    socklen_t abstract_size;
    int memory_file;
    pid_t parent;
} place;

static const char *in_place(const char *name)
{
    static char path[2][256];
    static size_t turn;
    turn = 1 - turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", place.folder, name);
    return path[turn];
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_place(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static const char *read_file(const char *name)
{
    static char text[256 * 1024];
    FILE *file = fopen(in_place(name), "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* --- the place --- */

static const char configuration[] =
    "hostname: mail.example.com\n"
    "user: nobody\n"
    "%s"
    "listeners:\n"
    "  submission: {address: \"127.0.0.1:587\", tls: starttls, upstream: mta}\n"
    "  submissions: {address: \"127.0.0.1:465\", tls: implicit}\n"
    "tls: {certificates: [{chain: cert.pem, key: key.pem}]}\n"
    "auth: {backends: [{dovecot: dovecot/auth}]}\n"
    "upstreams:\n"
    "  kept: {maildir: mail}\n"
    "  mta: {servers: [\"127.0.0.1:25\"], tls: {mode: none}}\n"
    "upstream: kept\n"
    "log: {decisions: log/decisions.jsonl, server: log/server.log}\n"
    "limits: {state: state/limits}\n";

/* As the worker itself would have. */
static void begin_log(const char *name)
{
    const struct passwd *nobody = getpwnam(NOBODY);
    assert_non_null(nobody);
    write_file(name, "{}\n");
    if (geteuid() == 0)
        assert_int_equal(chown(in_place(name), nobody->pw_uid, nobody->pw_gid),
                         0);
}

static void load(const char *more)
{
    char text[2048];
    struct diags diags;
    snprintf(text, sizeof text, configuration, more);
    write_file("postern.yaml", text);
    diags_init(&diags);
    place.settings = config_load(in_place("postern.yaml"), &diags);
    diags_print(&diags, stderr);
    assert_non_null(place.settings);
    assert_int_equal(confinement_of(&place.confinement, place.settings), 0);
    assert_int_equal(confinement_prepare(&place.confinement, &diags), 0);
    begin_log("log/decisions.jsonl");
    place.log = server_log_new(&place.settings->log, &diags);
    assert_non_null(place.log);
    diags_release(&diags);
}

static void unload(void)
{
    server_log_free(place.log);
    confinement_release(&place.confinement);
    settings_unref(place.settings);
}

static int listen_at(const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, address, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

static void open_sockets(void)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    socklen_t size = sizeof place.tcp_address;
    place.tcp_address = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    place.tcp = listen_at((struct sockaddr *)&place.tcp_address, size);
    getsockname(place.tcp, (struct sockaddr *)&place.tcp_address, &size);
    snprintf(path.sun_path, sizeof path.sun_path, "%s",
             in_place("dovecot/auth"));
    mkdir(in_place("dovecot"), 0755);
    place.path_socket = listen_at((struct sockaddr *)&path, sizeof path);
    assert_int_equal(chmod(in_place("dovecot/auth"), 0666), 0);
    place.abstract_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(place.abstract_address.sun_path + 1, 64, "confine_%d",
                     (int)getpid());
    place.abstract_size =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    place.abstract_socket = listen_at(
        (struct sockaddr *)&place.abstract_address, place.abstract_size);
}

static int make_place(void **state)
{
    (void)state;
    snprintf(place.folder, sizeof place.folder, "/tmp/confine_test_XXXXXX");
    assert_non_null(mkdtemp(place.folder));
    assert_int_equal(chmod(place.folder, 0755), 0);
    place.parent = getpid();
    open_sockets();
    write_file("outside", "not yours");
    assert_int_equal(chmod(in_place("outside"), 0666), 0);
    place.memory_file = memfd_create("bundle", MFD_CLOEXEC);
    assert_true(write(place.memory_file, MEMORY_FILE_TEXT,
                      sizeof MEMORY_FILE_TEXT) > 0);
    load("");
    return 0;
}

static int remove_place(void **state)
{
    char command[128];
    (void)state;
    unload();
    close(place.tcp);
    close(place.path_socket);
    close(place.abstract_socket);
    close(place.memory_file);
    snprintf(command, sizeof command, "rm -rf %s", place.folder);
    return system(command);
}

/* --- what is tried: 0, or a number of errno --- */

static int done(long result)
{
    return result >= 0 ? 0 : errno;
}

static int open_and_close(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static int read_outside(void)
{
    return open_and_close(in_place("outside"), O_RDONLY);
}

static int read_outside_by_a_detour(void)
{
    return open_and_close(in_place("state/../outside"), O_RDONLY);
}

static int read_configuration(void)
{
    return open_and_close(in_place("postern.yaml"), O_RDONLY);
}

static int read_passwd(void)
{
    return open_and_close("/etc/passwd", O_RDONLY);
}

static int write_outside(void)
{
    return open_and_close(in_place("outside"), O_WRONLY);
}

static int create_in_tmp(void)
{
    return open_and_close("/tmp/confine_test_left_over", O_WRONLY | O_CREAT);
}

static int link_to_outside(void)
{
    return done(link(in_place("outside"), in_place("state/stolen")));
}

static int truncate_log(void)
{
    return open_and_close(in_place("log/decisions.jsonl"), O_WRONLY | O_TRUNC);
}

static int truncate_log_by_path(void)
{
    return done(truncate(in_place("log/decisions.jsonl"), 0));
}

static int truncate_opened_log(void)
{
    int fd = open(in_place("log/decisions.jsonl"), O_WRONLY | O_APPEND);
    return fd < 0 ? 0 : done(ftruncate(fd, 0));
}

static int unlink_log(void)
{
    return done(unlink(in_place("log/decisions.jsonl")));
}

static int rename_log(void)
{
    return done(rename(in_place("log/decisions.jsonl"), in_place("log/old")));
}

static int open_memory_of_parent(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)place.parent);
    return open_and_close(path, O_RDWR);
}

static int trace_parent(void)
{
    return done(ptrace(PTRACE_ATTACH, place.parent, NULL, NULL));
}

static int read_memory_of_parent(void)
{
    char here[8];
    struct iovec local = {here, sizeof here}, remote = {&place, sizeof here};
    return done(process_vm_readv(place.parent, &local, 1, &remote, 1, 0));
}

static int kill_parent(void)
{
    return done(kill(place.parent, 0));
}

static int kill_group(void)
{
    return done(kill(0, SIGCONT));
}

static int open_parent_by_pidfd(void)
{
    return done(syscall(SYS_pidfd_open, place.parent, 0));
}

static int execute(void)
{
    char *words[] = {"/bin/true", NULL};
    return done(execv(words[0], words));
}

static int fork_once(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return done(child);
}

static int bind_port(void)
{
    struct sockaddr_in any = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return done(bind(fd, (struct sockaddr *)&any, sizeof any));
}

static int listen_without_bind(void)
{
    return done(listen(socket(AF_INET, SOCK_STREAM, 0), 1));
}

static int packet_socket(void)
{
    return done(socket(AF_PACKET, SOCK_DGRAM, 0));
}

static int raw_socket(void)
{
    return done(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

static int netlink_socket(void)
{
    return done(socket(AF_NETLINK, SOCK_DGRAM, 0));
}

static int connect_abstract(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return done(connect(fd, (struct sockaddr *)&place.abstract_address,
                        place.abstract_size));
}

static int become_root(void)
{
    return done(setuid(0));
}

static int mount_something(void)
{
    return done(mount("none", "/mnt", "tmpfs", 0, NULL));
}

static int unshare_user(void)
{
    return done(unshare(CLONE_NEWUSER));
}

static int set_up_ring(void)
{
    return done(syscall(SYS_io_uring_setup, 1, NULL));
}

static int load_program_into_kernel(void)
{
    return done(syscall(SYS_bpf, 0, NULL, 0));
}

static int watch_performance(void)
{
    return done(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
}

static int read_keys(void)
{
    return done(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

static int handle_stops(void)
{
    return done(signal(SIGSYS, SIG_IGN) == SIG_ERR ? -1 : 0);
}

/* Of a newer kernel than this program: not known is no harm. */
static int call_the_unknown(void)
{
    return done(syscall(9999));
}

/* --- what must work --- */

static int keep_state(void)
{
    char word[8];
    int fd =
        open(in_place("state/limits.tmp"), O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || pwrite(fd, "budgets", 7, 0) != 7 || ftruncate(fd, 6) != 0 ||
        fdatasync(fd) != 0 || pread(fd, word, sizeof word, 0) != 6)
        return errno;
    close(fd);
    if (rename(in_place("state/limits.tmp"), in_place("state/limits")) != 0 ||
        link(in_place("state/limits"), in_place("state/limits.bad")) != 0 ||
        unlink(in_place("state/limits.bad")) != 0)
        return errno;
    return done(unlink(in_place("state/limits")));
}

static int append_to_log(void)
{
    int fd = open(in_place("log/decisions.jsonl"),
                  O_WRONLY | O_APPEND | O_CREAT, 0640);
    return fd < 0 ? errno : done(write(fd, "{}\n", 3));
}

static int begin_a_new_log(void)
{
    return open_and_close(in_place("log/rotated.jsonl"),
                          O_WRONLY | O_APPEND | O_CREAT | O_EXCL);
}

static int deliver(void)
{
    struct maildir_file file;
    const struct maildir_name name = {.wall_us = 1,
                                      .sequence = (uint64_t)getpid(),
                                      .id = STR("ID"),
                                      .host = STR("mail")};
    int error = maildir_prepare(in_place("mail"));
    maildir_file_init(&file, in_place("mail"), &name);
    if (error == 0)
        error = maildir_file_write(&file, STR("Subject: a\n\nb\n"));
    return error != 0 ? error : maildir_file_commit(&file);
}

static int connect_tcp(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int result = connect(fd, (struct sockaddr *)&place.tcp_address,
                         sizeof place.tcp_address);
    return result == 0 || errno == EINPROGRESS ? 0 : errno;
}

static int connect_by_path(void)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    snprintf(path.sun_path, sizeof path.sun_path, "%s",
             in_place("dovecot/auth"));
    return done(connect(socket(AF_UNIX, SOCK_STREAM, 0),
                        (struct sockaddr *)&path, sizeof path));
}

static void *work(void *argument)
{
    pthread_setname_np(pthread_self(), "work");
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), 10);
    free(malloc(1024 * 1024));
    *(bool *)argument = read_passwd() == EACCES;
    return NULL;
}

/* Which are confined too. */
static int start_threads(void)
{
    pthread_t threads[8];
    bool are_confined[8] = {0};
    for (size_t i = 0; i < 8; i++) {
        int error = pthread_create(&threads[i], NULL, work, &are_confined[i]);
        if (error != 0)
            return error;
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        if (!are_confined[i])
            return EPERM;
    }
    return 0;
}

static int compile_pattern(void)
{
    return regex_jit_try() == REGEX_JIT_ON ? 0 : EPERM;
}

static int look_up_a_name(void)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int result = getaddrinfo("localhost", NULL, &hints, &found);
    if (result != 0)
        return EHOSTUNREACH;
    freeaddrinfo(found);
    return 0;
}

static int read_handed_memory(void)
{
    char text[sizeof MEMORY_FILE_TEXT];
    if (pread(place.memory_file, text, sizeof text, 0) != sizeof text)
        return errno;
    void *mapped = mmap(NULL, sizeof text, PROT_READ | PROT_WRITE, MAP_SHARED,
                        place.memory_file, 0);
    if (mapped == MAP_FAILED)
        return errno;
    return memcmp(mapped, MEMORY_FILE_TEXT, sizeof text) == 0 ? 0 : EIO;
}

static int make_shared_memory(void)
{
    int fd = memfd_create("budgets", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd < 0 ? errno : done(ftruncate(fd, 4096));
}

static int take_a_descriptor(void)
{
    int ends[2];
    char octet = 'x';
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec octets = {&octet, 1};
    struct msghdr message = {.msg_iov = &octets,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control.room};
    control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
                                    .cmsg_level = SOL_SOCKET,
                                    .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.head), &place.tcp, sizeof place.tcp);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0 ||
        sendmsg(ends[0], &message, 0) != 1)
        return errno;
    return done(recvmsg(ends[1], &message, MSG_CMSG_CLOEXEC));
}

static int tell_the_time(void)
{
    struct tm parts;
    time_t now = time(NULL);
    return localtime_r(&now, &parts) == NULL ? EIO : 0;
}

static int open_what_listeners_keep(void)
{
    return open_and_close("/dev/null", O_RDONLY);
}

static int raise_a_signal(void)
{
    signal(SIGUSR1, SIG_IGN);
    return done(raise(SIGUSR1) == 0 ? 0 : -1);
}

/* What a leak sanitizer has to say is said then. */
static int end_as_programs_do(void)
{
    exit(0);
}

/* --- trying --- */

enum outcome { WORKS, REFUSED, STOPPED };

struct attempt {
    const char *name;
    int (*run)(void);
    enum outcome want;
    int needs; /* this version of Landlock; 0: none */
};

/* What a sanitizer needs is only refused, or works. */
#define UNLESS_SANITIZED(otherwise) (CONFINE_SANITIZED ? (otherwise) : STOPPED)

static const struct attempt attempts[] = {
    {"read a file outside", read_outside, REFUSED, LANDLOCK_LEAST},
    {"read outside by a detour", read_outside_by_a_detour, REFUSED,
     LANDLOCK_LEAST},
    {"read the configuration", read_configuration, REFUSED, LANDLOCK_LEAST},
    {"read /etc/passwd", read_passwd, REFUSED, LANDLOCK_LEAST},
    {"write outside", write_outside, REFUSED, LANDLOCK_LEAST},
    {"create in the common folder", create_in_tmp, REFUSED, LANDLOCK_LEAST},
    {"link what is outside", link_to_outside, REFUSED, LANDLOCK_LEAST},
    {"truncate a log", truncate_log, REFUSED, 3},
    {"truncate a log by its path", truncate_log_by_path, REFUSED, 0},
    {"truncate a log that it opened", truncate_opened_log, REFUSED, 3},
    {"remove a log", unlink_log, REFUSED, LANDLOCK_LEAST},
    {"rename a log", rename_log, REFUSED, LANDLOCK_LEAST},
    {"open the parent's memory", open_memory_of_parent, REFUSED,
     LANDLOCK_LEAST},
    {"trace the parent", trace_parent, UNLESS_SANITIZED(REFUSED), 0},
    {"read the parent's memory", read_memory_of_parent, STOPPED, 0},
    {"signal the parent", kill_parent, STOPPED, 0},
    {"signal the group", kill_group, STOPPED, 0},
    {"open the parent", open_parent_by_pidfd, STOPPED, 0},
    {"execute a program", execute, STOPPED, 0},
    {"fork", fork_once, UNLESS_SANITIZED(WORKS), 0},
    {"bind a port", bind_port, STOPPED, 0},
    {"listen", listen_without_bind, STOPPED, 0},
    {"open a packet socket", packet_socket, STOPPED, 0},
    {"open a raw socket", raw_socket, STOPPED, 0},
    {"open a netlink socket", netlink_socket, REFUSED, 0},
    {"connect to an abstract socket", connect_abstract, REFUSED, 6},
    {"become root", become_root, STOPPED, 0},
    {"mount", mount_something, STOPPED, 0},
    {"make a namespace", unshare_user, STOPPED, 0},
    {"set up io_uring", set_up_ring, STOPPED, 0},
    {"load a program into the kernel", load_program_into_kernel, STOPPED, 0},
    {"watch performance", watch_performance, STOPPED, 0},
    {"read keys", read_keys, STOPPED, 0},
    {"survive a stop", handle_stops, STOPPED, 0},
    {"make an unknown call", call_the_unknown, REFUSED, 0},
    {"keep state", keep_state, WORKS, 0},
    {"append to the log", append_to_log, WORKS, 0},
    {"begin a new log", begin_a_new_log, WORKS, 0},
    {"deliver to a Maildir", deliver, WORKS, 0},
    {"connect by TCP", connect_tcp, WORKS, 0},
    {"connect by path", connect_by_path, WORKS, 0},
    {"start threads", start_threads, WORKS, 0},
    {"compile a pattern", compile_pattern, WORKS, 0},
    {"look up a name", look_up_a_name, WORKS, 0},
    {"read memory that was handed over", read_handed_memory, WORKS, 0},
    {"make memory to be shared", make_shared_memory, WORKS, 0},
    {"take a descriptor", take_a_descriptor, WORKS, 0},
    {"tell the time", tell_the_time, WORKS, 0},
    {"open the reserve", open_what_listeners_keep, WORKS, 0},
    {"raise a signal", raise_a_signal, WORKS, 0},
    {"end as programs do", end_as_programs_do, WORKS, 0},
};

static void become_nobody(void)
{
    const struct passwd *nobody = getpwnam(NOBODY);
    if (nobody == NULL || setgroups(0, NULL) != 0 ||
        setresgid(nobody->pw_gid, nobody->pw_gid, nobody->pw_gid) != 0 ||
        setresuid(nobody->pw_uid, nobody->pw_uid, nobody->pw_uid) != 0)
        _exit(COULD_NOT_START);
}

static void confine_or_end(void)
{
    char error[256];
    if (confine(&place.confinement, place.log, error, sizeof error) == 0)
        return;
    fprintf(stderr, "%s\n", error);
    _exit(COULD_NOT_CONFINE);
}

/* How a process of its own, which is to be stopped by nothing else, ends. */
static int status_of(int (*run)(void), bool is_nobody)
{
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        /* Else a sanitizer's own handler would say more. */
        signal(SIGSYS, SIG_DFL);
        if (is_nobody)
            become_nobody();
        confine_or_end();
        _exit(run());
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static bool is_as_wanted(const struct attempt *attempt, bool is_nobody)
{
    int status = status_of(attempt->run, is_nobody);
    bool is_right = false;
    if (attempt->want == STOPPED)
        is_right = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
    else if (attempt->want == WORKS)
        is_right = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    else
        is_right = WIFEXITED(status) && WEXITSTATUS(status) != 0 &&
                   WEXITSTATUS(status) < COULD_NOT_CONFINE;
    if (!is_right)
        print_error("%s, %s: status %x\n", attempt->name,
                    is_nobody ? "as nobody" : "as it is", (unsigned)status);
    return is_right;
}

static void try_all(bool is_nobody)
{
    struct landlock landlock;
    size_t wrong = 0;
    (void)landlock_begin(&landlock);
    landlock_end(&landlock);
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        unlink(in_place("log/rotated.jsonl"));
        if (landlock.version >= attempts[i].needs &&
            !is_as_wanted(&attempts[i], is_nobody))
            wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void a_worker_can_do_its_work_and_no_more(void **state)
{
    (void)state;
    try_all(false);
}

static void so_can_one_that_was_never_root(void **state)
{
    (void)state;
    if (geteuid() != 0)
        return;
    try_all(true);
}

static int is_nobody(void)
{
    return getuid() != 0 && getuid() == geteuid() && getgid() == getegid() &&
                   getgid() != 0
               ? 0
               : EPERM;
}

static void it_is_the_user_that_was_named(void **state)
{
    (void)state;
    assert_int_equal(status_of(is_nobody, false), 0);
}

static void the_log_says_what_holds(void **state)
{
    (void)state;
    assert_int_equal(status_of(keep_state, false), 0);
    const char *text = read_file("log/server.log");
    const char *line = strstr(text, "info confined: ");
    assert_non_null(line);
    assert_non_null(strstr(line, geteuid() == 0 ? "user nobody, seccomp"
                                                : "started it, seccomp"));
    assert_non_null(strstr(line, "; patterns are compiled (JIT on)\n"));
}

static void without_it_only_the_user_changes(void **state)
{
    (void)state;
    unload();
    load("confine: false\n");
    assert_int_equal(status_of(read_outside, false), 0);
    if (geteuid() == 0)
        assert_int_equal(WEXITSTATUS(status_of(become_root, false)), EPERM);
    assert_non_null(
        strstr(read_file("log/server.log"), "warning confine: false: "));
    unload();
    load("");
}

static void a_user_that_is_not_there_is_an_error(void **state)
{
    struct diags diags;
    (void)state;
    if (geteuid() != 0)
        return;
    place.confinement.user = "no-such-user";
    assert_int_equal(WEXITSTATUS(status_of(keep_state, false)),
                     COULD_NOT_CONFINE);
    diags_init(&diags);
    assert_int_equal(confinement_prepare(&place.confinement, &diags), -1);
    diags_release(&diags);
    place.confinement.is_user_named = false;
    assert_int_equal(status_of(tell_the_time, false), 0);
    assert_non_null(strstr(read_file("log/server.log"),
                           "stays root, without its capabilities"));
    place.confinement.user = NOBODY;
    place.confinement.is_user_named = true;
}

static void a_folder_of_another_is_told_before(void **state)
{
    struct diags diags;
    (void)state;
    if (geteuid() != 0)
        return;
    assert_int_equal(chown(in_place("state"), 0, 0), 0);
    diags_init(&diags);
    assert_int_equal(confinement_prepare(&place.confinement, &diags), -1);
    assert_int_equal(diags.count, 1);
    assert_non_null(strstr(diags.items[0].text, "chown -R nobody"));
    diags_release(&diags);
    const struct passwd *nobody = getpwnam(NOBODY);
    assert_int_equal(chown(in_place("state"), nobody->pw_uid, nobody->pw_gid),
                     0);
}

static void *wait_for_ever(void *argument)
{
    (void)argument;
    pause();
    return NULL;
}

static void it_comes_before_threads(void **state)
{
    pthread_t thread;
    (void)state;
    if (CONFINE_SANITIZED)
        return;
    pid_t child = fork();
    if (child == 0) {
        char error[256];
        pthread_create(&thread, NULL, wait_for_ever, NULL);
        _exit(confine(&place.confinement, place.log, error, sizeof error) == -1
                  ? 0
                  : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_can_do_its_work_and_no_more),
        cmocka_unit_test(so_can_one_that_was_never_root),
        cmocka_unit_test(it_is_the_user_that_was_named),
        cmocka_unit_test(the_log_says_what_holds),
        cmocka_unit_test(without_it_only_the_user_changes),
        cmocka_unit_test(a_user_that_is_not_there_is_an_error),
        cmocka_unit_test(a_folder_of_another_is_told_before),
        cmocka_unit_test(it_comes_before_threads),
    };
    return cmocka_run_group_tests(tests, make_place, remove_place);
}
