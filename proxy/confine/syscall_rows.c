#include "proxy/confine/syscall_rows.h"

#include <linux/sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* The kernel looks at the lower half of an int alone. */
#define INT_BITS UINT64_C(0xffffffff)
#define ALWAYS .when = SYSCALL_ALWAYS
#define IS(n, number)                                                          \
    .when = SYSCALL_IF_BITS, .argument = (n), .mask = INT_BITS,                \
    .value = (number)
#define HAS(n, bits, number)                                                   \
    .when = SYSCALL_IF_BITS, .argument = (n), .mask = (bits), .value = (number)
#define SOCKET_KIND 0xf /* beside it stand flags */

#define ANOTHER_PROGRAM "starts another program"
#define ANOTHER_PROCESS "makes another process"
#define LOOKS_INTO "looks into another process"
#define PORT "opens a port"
#define SIGNALS "signals another process"
#define USER "changes the user"
#define FILE_SYSTEMS "changes what the file system is"
#define KEYS "reads keys of the kernel"
#define KERNEL "reaches into the kernel"
#define MACHINE "changes the machine"
#define LARGE "much of the kernel stands open behind it"

const struct syscall_row syscall_harm[] = {
#if !CONFINE_SANITIZED
    /* The leak sanitizer stops the other threads from a process beside. */
    {"ptrace", LOOKS_INTO, ALWAYS},
    {"clone", ANOTHER_PROCESS, HAS(0, CLONE_THREAD, 0)},
    {"prctl", "lets others look in", IS(0, PR_SET_PTRACER)},
#endif
    {"execve", ANOTHER_PROGRAM, ALWAYS},
    {"execveat", ANOTHER_PROGRAM, ALWAYS},
    {"fork", ANOTHER_PROCESS, ALWAYS},
    {"vfork", ANOTHER_PROCESS, ALWAYS},
    {"clone", "makes a namespace", HAS(0, CLONE_NEWUSER, CLONE_NEWUSER)},
    {"unshare", "makes a namespace", ALWAYS},
    {"setns", "enters a namespace", ALWAYS},
    {"process_vm_readv", LOOKS_INTO, ALWAYS},
    {"process_vm_writev", LOOKS_INTO, ALWAYS},
    {"process_madvise", LOOKS_INTO, ALWAYS},
    {"kcmp", LOOKS_INTO, ALWAYS},
    {"pidfd_open", LOOKS_INTO, ALWAYS},
    {"pidfd_getfd", LOOKS_INTO, ALWAYS},
    {"pidfd_send_signal", SIGNALS, ALWAYS},
    {"kill", SIGNALS, .when = SYSCALL_IF_ANOTHER, .argument = 0},
    {"tgkill", SIGNALS, .when = SYSCALL_IF_ANOTHER, .argument = 0},
    {"tkill", SIGNALS, ALWAYS},
    {"rt_sigqueueinfo", SIGNALS, ALWAYS},
    {"rt_tgsigqueueinfo", SIGNALS, ALWAYS},
    {"rt_sigaction", "would outlive this table", IS(0, SIGSYS)},
    {"bind", PORT, ALWAYS},
    {"listen", PORT, ALWAYS},
    {"socket", "neither TCP, UDP nor unix", .when = SYSCALL_IF_ABOVE,
     .argument = 0, .value = AF_NETLINK},
    {"socket", "forges packets", HAS(1, SOCKET_KIND, SOCK_RAW)},
    {"socket", "reads keys of the network", IS(0, AF_KEY)},
    {"ioctl", "types into a terminal", IS(1, TIOCSTI)},
    {"ioctl", "types into a terminal", IS(1, TIOCLINUX)},
    {"setuid", USER, ALWAYS},
    {"setgid", USER, ALWAYS},
    {"setreuid", USER, ALWAYS},
    {"setregid", USER, ALWAYS},
    {"setresuid", USER, ALWAYS},
    {"setresgid", USER, ALWAYS},
    {"setfsuid", USER, ALWAYS},
    {"setfsgid", USER, ALWAYS},
    {"setgroups", USER, ALWAYS},
    {"capset", USER, ALWAYS},
    {"chroot", FILE_SYSTEMS, ALWAYS},
    {"pivot_root", FILE_SYSTEMS, ALWAYS},
    {"mount", FILE_SYSTEMS, ALWAYS},
    {"umount2", FILE_SYSTEMS, ALWAYS},
    {"move_mount", FILE_SYSTEMS, ALWAYS},
    {"mount_setattr", FILE_SYSTEMS, ALWAYS},
    {"open_tree", FILE_SYSTEMS, ALWAYS},
    {"fsopen", FILE_SYSTEMS, ALWAYS},
    {"fsconfig", FILE_SYSTEMS, ALWAYS},
    {"fsmount", FILE_SYSTEMS, ALWAYS},
    {"fspick", FILE_SYSTEMS, ALWAYS},
    {"swapon", FILE_SYSTEMS, ALWAYS},
    {"swapoff", FILE_SYSTEMS, ALWAYS},
    {"quotactl", FILE_SYSTEMS, ALWAYS},
    {"mknod", "makes a device", ALWAYS},
    {"mknodat", "makes a device", ALWAYS},
    {"open_by_handle_at", "opens files past their directories", ALWAYS},
    {"keyctl", KEYS, ALWAYS},
    {"add_key", KEYS, ALWAYS},
    {"request_key", KEYS, ALWAYS},
    {"bpf", KERNEL, ALWAYS},
    {"perf_event_open", KERNEL, ALWAYS},
    {"userfaultfd", KERNEL, ALWAYS},
    {"syslog", KERNEL, ALWAYS},
    {"iopl", KERNEL, ALWAYS},
    {"ioperm", KERNEL, ALWAYS},
    {"kexec_load", KERNEL, ALWAYS},
    {"kexec_file_load", KERNEL, ALWAYS},
    {"init_module", KERNEL, ALWAYS},
    {"finit_module", KERNEL, ALWAYS},
    {"delete_module", KERNEL, ALWAYS},
    {"io_uring_setup", LARGE, ALWAYS},
    {"io_uring_enter", LARGE, ALWAYS},
    {"io_uring_register", LARGE, ALWAYS},
    {"reboot", MACHINE, ALWAYS},
    {"acct", MACHINE, ALWAYS},
    {"sethostname", MACHINE, ALWAYS},
    {"setdomainname", MACHINE, ALWAYS},
    {"settimeofday", MACHINE, ALWAYS},
    {"clock_settime", MACHINE, ALWAYS},
    {"clock_adjtime", MACHINE, ALWAYS},
    {"adjtimex", MACHINE, ALWAYS},
};
const size_t syscall_harm_count = sizeof syscall_harm / sizeof *syscall_harm;

#define MEMORY "memory"
#define CODE "memory; patterns are compiled to machine code"
#define THREADS "threads and their locks"
#define LOOPS "event loops"
#define OCTETS "reading and writing"
#define SOCKETS "connections"
#define LOOK_UPS "look-ups of host names"
#define FILES "the journal, Maildirs and logs"
#define TIME "clocks and waiting"
#define ABOUT "what this process is"
#define SIGNALS_IN "signals that come, and asserts"

const struct syscall_row syscall_needs[] = {
#if CONFINE_SANITIZED
    {"ptrace", "the leak sanitizer", ALWAYS},
    {"wait4", "the leak sanitizer", ALWAYS},
    {"getdents", "the leak sanitizer", ALWAYS},
    {"prctl", "the leak sanitizer", ALWAYS},
    {"personality", "the sanitizers", ALWAYS},
    {"readlink", "the sanitizers", ALWAYS},
    {"readlinkat", "the sanitizers", ALWAYS},
    {"getppid", "the leak sanitizer", ALWAYS},
    {"set_tid_address", "the sanitizers", ALWAYS},
#else
    {"prctl", "names of threads", IS(0, PR_SET_NAME)},
    {"prctl", "names of memory", IS(0, PR_SET_VMA)},
#endif
    {"memfd_create", "budgets that processes share", ALWAYS},
    {"brk", MEMORY, ALWAYS},
    {"mmap", CODE, ALWAYS},
    {"munmap", MEMORY, ALWAYS},
    {"mremap", MEMORY, ALWAYS},
    {"mprotect", CODE, ALWAYS},
    {"madvise", MEMORY, ALWAYS},
    {"getrandom", "keys, salts and ids", ALWAYS},
    {"clone", THREADS, ALWAYS},
    {"rseq", THREADS, ALWAYS},
    {"futex", THREADS, ALWAYS},
    {"futex_waitv", THREADS, ALWAYS},
    {"set_robust_list", THREADS, ALWAYS},
    {"membarrier", THREADS, ALWAYS},
    {"sched_yield", THREADS, ALWAYS},
    {"sched_getaffinity", THREADS, ALWAYS},
    {"sched_getparam", THREADS, ALWAYS},
    {"sched_getscheduler", THREADS, ALWAYS},
    {"setpriority", "threads that make way for the loops", ALWAYS},
    {"gettid", THREADS, ALWAYS},
    {"getcpu", THREADS, ALWAYS},
    {"exit", THREADS, ALWAYS},
    {"exit_group", "the end", ALWAYS},
    {"restart_syscall", "goes on after a stop", ALWAYS},
    {"rt_sigaction", SIGNALS_IN, ALWAYS},
    {"rt_sigprocmask", SIGNALS_IN, ALWAYS},
    {"rt_sigreturn", SIGNALS_IN, ALWAYS},
    {"rt_sigtimedwait", SIGNALS_IN, ALWAYS},
    {"sigaltstack", "what a crash is told from", ALWAYS},
    {"tgkill", SIGNALS_IN, .when = SYSCALL_IF_SELF, .argument = 0},
    {"kill", SIGNALS_IN, .when = SYSCALL_IF_SELF, .argument = 0},
    {"epoll_create1", LOOPS, ALWAYS},
    {"epoll_ctl", LOOPS, ALWAYS},
    {"epoll_wait", LOOPS, ALWAYS},
    {"epoll_pwait", LOOPS, ALWAYS},
    {"epoll_pwait2", LOOPS, ALWAYS},
    {"eventfd2", LOOPS, ALWAYS},
    {"pipe2", LOOPS, ALWAYS},
    {"poll", LOOPS, ALWAYS},
    {"ppoll", LOOPS, ALWAYS},
    {"read", OCTETS, ALWAYS},
    {"readv", OCTETS, ALWAYS},
    {"pread64", OCTETS, ALWAYS},
    {"write", OCTETS, ALWAYS},
    {"writev", OCTETS, ALWAYS},
    {"pwrite64", OCTETS, ALWAYS},
    {"close", OCTETS, ALWAYS},
    {"close_range", OCTETS, ALWAYS},
    {"dup", OCTETS, ALWAYS},
    {"dup2", OCTETS, ALWAYS},
    {"dup3", OCTETS, ALWAYS},
    {"fcntl", OCTETS, ALWAYS},
    {"lseek", OCTETS, ALWAYS},
    {"ioctl", "sockets that do not wait", IS(1, FIONBIO)},
    {"ioctl", "how much has come", IS(1, FIONREAD)},
    {"ioctl", "descriptors that end with the program", IS(1, FIOCLEX)},
    {"ioctl", "whether it is a terminal", IS(1, TCGETS)},
    {"socket", "the control channel and policy services", IS(0, AF_UNIX)},
    {"socket", SOCKETS, IS(0, AF_INET)},
    {"socket", SOCKETS, IS(0, AF_INET6)},
    {"socketpair", "threads that talk with each other", ALWAYS},
    {"connect", SOCKETS, ALWAYS},
    {"accept", SOCKETS, ALWAYS},
    {"accept4", SOCKETS, ALWAYS},
    {"getsockname", SOCKETS, ALWAYS},
    {"getpeername", SOCKETS, ALWAYS},
    {"getsockopt", SOCKETS, ALWAYS},
    {"setsockopt", SOCKETS, ALWAYS},
    {"shutdown", SOCKETS, ALWAYS},
    {"sendto", SOCKETS, ALWAYS},
    {"sendfile", "mail of a Maildir that the dashboard shows", ALWAYS},
    {"sendmsg", SOCKETS, ALWAYS},
    {"recvfrom", SOCKETS, ALWAYS},
    {"recvmsg", "connections, and descriptors that are handed over", ALWAYS},
    {"sendmmsg", LOOK_UPS, ALWAYS},
    {"recvmmsg", LOOK_UPS, ALWAYS},
    {"open", FILES, ALWAYS},
    {"openat", FILES, ALWAYS},
    {"stat", FILES, ALWAYS},
    {"fstat", FILES, ALWAYS},
    {"lstat", FILES, ALWAYS},
    {"newfstatat", FILES, ALWAYS},
    {"statx", FILES, ALWAYS},
    {"access", FILES, ALWAYS},
    {"faccessat", FILES, ALWAYS},
    {"faccessat2", FILES, ALWAYS},
    {"getdents64", FILES, ALWAYS},
    {"mkdir", FILES, ALWAYS},
    {"mkdirat", FILES, ALWAYS},
    {"link", FILES, ALWAYS},
    {"linkat", FILES, ALWAYS},
    {"rename", FILES, ALWAYS},
    {"renameat", FILES, ALWAYS},
    {"renameat2", FILES, ALWAYS},
    {"unlink", FILES, ALWAYS},
    {"unlinkat", FILES, ALWAYS},
    {"ftruncate", FILES, ALWAYS},
    {"flock", FILES, ALWAYS},
    {"fsync", FILES, ALWAYS},
    {"fdatasync", FILES, ALWAYS},
    {"statfs", FILES, ALWAYS},
    {"fstatfs", FILES, ALWAYS},
    {"clock_gettime", TIME, ALWAYS},
    {"clock_getres", TIME, ALWAYS},
    {"clock_nanosleep", TIME, ALWAYS},
    {"gettimeofday", TIME, ALWAYS},
    {"nanosleep", TIME, ALWAYS},
    {"time", TIME, ALWAYS},
    {"getpid", ABOUT, ALWAYS},
    {"getuid", ABOUT, ALWAYS},
    {"geteuid", ABOUT, ALWAYS},
    {"getgid", ABOUT, ALWAYS},
    {"getegid", ABOUT, ALWAYS},
    {"getrusage", ABOUT, ALWAYS},
    {"getrlimit", ABOUT, ALWAYS},
    {"prlimit64", ABOUT, ALWAYS},
    {"sysinfo", ABOUT, ALWAYS},
    {"uname", ABOUT, ALWAYS},
};
const size_t syscall_needs_count = sizeof syscall_needs / sizeof *syscall_needs;
