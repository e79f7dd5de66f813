/* A neutral SMTP load generator, SMTP sink and meter of process trees.
 *
 * One binary, three applets, chosen by argv[0] or by the first argument:
 *   smtpload [options]          the client (load generator)
 *   smtpsink [options]          the upstream that accepts and counts everything
 *   smtpproc PID...             CPU seconds, RSS and PSS of whole process trees
 *   (same as: smtpload load ..., smtpload sink ..., smtpload proc ...)
 *
 * The client is one thread, epoll, non-blocking OpenSSL.  Each message carries
 *   X-Load-ID:  unique 64-bit id (run id, sequence number)
 *   X-Load-Sum: SHA-256 of the body (everything after the first blank line, after
 *               dot-unstuffing); the body ends with a line that names the id, so a
 *               body delivered under another message's header is caught as well
 * The sink, with --verify, recomputes the sum and counts ok/bad/missing/duplicate.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifdef OPENSSL_IS_BORINGSSL
#define SSL_OP_IGNORE_UNEXPECTED_EOF 0
#define SSL_CTX_set_ciphersuites(c, l) 0
#define TLS_NAME "BoringSSL"
#else
#define TLS_NAME "OpenSSL"
#endif

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(2);
}

static void *xrealloc(void *p, size_t n)
{
    p = realloc(p, n ? n : 1);
    if (!p) die("out of memory");
    return p;
}

static void raise_nofile(uint64_t wanted)
{
    struct rlimit rl;
    getrlimit(RLIMIT_NOFILE, &rl);
    rl.rlim_cur = rl.rlim_max = 200000;
    if (setrlimit(RLIMIT_NOFILE, &rl) != 0) {
        getrlimit(RLIMIT_NOFILE, &rl);
        rl.rlim_cur = rl.rlim_max;
        setrlimit(RLIMIT_NOFILE, &rl);
    }
    if (rl.rlim_cur < wanted)
        die("%" PRIu64 " open files are needed, the hard limit is %" PRIu64, wanted, (uint64_t)rl.rlim_cur);
}

/* ------------------------------------------------------------------ buffers */
typedef struct {
    char *p;
    size_t off, len, cap; /* live bytes are p[off..len) */
} buf_t;

static void buf_put(buf_t *b, const void *d, size_t n)
{
    if (b->off == b->len) b->off = b->len = 0;
    if (b->len + n > b->cap) {
        size_t c = b->cap ? b->cap : 256;
        while (c < b->len + n) c *= 2;
        b->p = xrealloc(b->p, c);
        b->cap = c;
    }
    memcpy(b->p + b->len, d, n);
    b->len += n;
}
static void buf_puts(buf_t *b, const char *s) { buf_put(b, s, strlen(s)); }
static void buf_printf(buf_t *b, const char *fmt, ...)
{
    char t[2048];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t, sizeof t, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof t) die("line too long");
    buf_put(b, t, (size_t)n);
}
static void buf_free(buf_t *b)
{
    free(b->p);
    memset(b, 0, sizeof *b);
}

/* ----------------------------------------------------------------------- io */
enum { IO_AGAIN = -1, IO_ERR = -2 };
typedef struct {
    int fd;
    SSL *ssl;
    uint32_t ev;
    bool want_write; /* TLS wants POLLOUT before it can go on reading */
} io_t;

static ssize_t ssl_result(io_t *io, int r)
{
    switch (SSL_get_error(io->ssl, r)) {
    case SSL_ERROR_WANT_READ: return IO_AGAIN;
    case SSL_ERROR_WANT_WRITE: io->want_write = true; return IO_AGAIN;
    case SSL_ERROR_ZERO_RETURN: return 0;
    default: ERR_clear_error(); return IO_ERR;
    }
}
static ssize_t io_read(io_t *io, void *b, size_t n)
{
    if (io->ssl) {
        int r = SSL_read(io->ssl, b, n > 1 << 30 ? 1 << 30 : (int)n);
        return r > 0 ? r : ssl_result(io, r);
    }
    ssize_t r;
    do r = recv(io->fd, b, n, 0); while (r < 0 && errno == EINTR);
    if (r >= 0) return r;
    return errno == EAGAIN ? IO_AGAIN : IO_ERR;
}
static ssize_t io_write(io_t *io, const void *b, size_t n)
{
    if (io->ssl) {
        int r = SSL_write(io->ssl, b, n > 1 << 30 ? 1 << 30 : (int)n);
        if (r > 0) return r;
        ssize_t k = ssl_result(io, r);
        return k == 0 ? IO_ERR : k;
    }
    ssize_t r;
    do r = send(io->fd, b, n, MSG_NOSIGNAL); while (r < 0 && errno == EINTR);
    if (r >= 0) return r;
    return errno == EAGAIN ? IO_AGAIN : IO_ERR;
}
static void io_close(io_t *io)
{
    if (io->ssl) {
        if (SSL_is_init_finished(io->ssl)) SSL_shutdown(io->ssl);
        SSL_free(io->ssl);
        ERR_clear_error();
        io->ssl = NULL;
    }
    if (io->fd >= 0) close(io->fd);
    io->fd = -1;
}
static void io_events(int ep, io_t *io, uint32_t ev, void *ptr)
{
    if (io->ev == ev) return;
    struct epoll_event e = {.events = ev, .data.ptr = ptr};
    if (epoll_ctl(ep, io->ev ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, io->fd, &e) != 0)
        die("epoll_ctl: %s", strerror(errno));
    io->ev = ev;
}

/* ================================================================= process tree */
struct proc { int pid, ppid; double cpu; };
static int proc_read(int pid, struct proc *o)
{
    char path[64], b[2048];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    if (fd < 0) return -1;
    ssize_t n = read(fd, b, sizeof b - 1);
    close(fd);
    if (n <= 0) return -1;
    b[n] = 0;
    char *r = strrchr(b, ')');
    unsigned long ut, st;
    long cut, cst;
    int ppid;
    if (!r || sscanf(r + 2, "%*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld",
                     &ppid, &ut, &st, &cut, &cst) != 5)
        return -1;
    o->pid = pid;
    o->ppid = ppid;
    /* cutime/cstime hold only children that were already reaped: no double count */
    clockid_t clock;
    struct timespec own;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &own) != 0) return -1;
    o->cpu = (double)own.tv_sec + (double)own.tv_nsec / 1e9 +
             (double)(cut + cst) / (double)sysconf(_SC_CLK_TCK);
    return 0;
}
static int proc_main(int argc, char **argv)
{
    if (argc < 2) die("usage: smtpproc PID...");
    struct proc *v = NULL;
    size_t nv = 0, cap = 0;
    DIR *d = opendir("/proc");
    struct dirent *e;
    while (d && (e = readdir(d))) {
        if (!isdigit((unsigned char)e->d_name[0])) continue;
        if (nv == cap) v = xrealloc(v, (cap = cap ? cap * 2 : 256) * sizeof *v);
        if (proc_read(atoi(e->d_name), &v[nv]) == 0) nv++;
    }
    if (d) closedir(d);
    char *in = calloc(nv + 1, 1);
    for (size_t i = 0; i < nv; i++)
        for (int a = 1; a < argc; a++)
            if (v[i].pid == atoi(argv[a])) in[i] = 1;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < nv; i++)
            if (!in[i])
                for (size_t j = 0; j < nv; j++)
                    if (in[j] && v[i].ppid == v[j].pid) { in[i] = 1; more = true; break; }
    }
    double cpu = 0;
    long rss = 0, pss = 0, priv = 0, procs = 0, fds = 0;
    for (size_t i = 0; i < nv; i++) {
        if (!in[i]) continue;
        procs++;
        cpu += v[i].cpu;
        char path[64], line[256];
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", v[i].pid);
        FILE *f = fopen(path, "r");
        while (f && fgets(line, sizeof line, f)) {
            long k;
            if (sscanf(line, "Rss: %ld", &k) == 1) rss += k;
            else if (sscanf(line, "Pss: %ld", &k) == 1) pss += k;
            else if (sscanf(line, "Private_Clean: %ld", &k) == 1) priv += k;
            else if (sscanf(line, "Private_Dirty: %ld", &k) == 1) priv += k;
        }
        if (f) fclose(f);
        snprintf(path, sizeof path, "/proc/%d/fd", v[i].pid);
        DIR *fd = opendir(path);
        while (fd && readdir(fd)) fds++;
        if (fd) { closedir(fd); fds -= 2; }
    }
    printf("cpu_s=%.6f rss_kb=%ld pss_kb=%ld private_kb=%ld procs=%ld fds=%ld\n", cpu, rss, pss,
           priv, procs, fds);
    free(in);
    free(v);
    return procs ? 0 : 1;
}

/* ============================================================================ sink */
static struct {
    const char *host;
    int port, tls_port, threads, backlog;
    bool tls, starttls, auth, verify, quiet, quickack, no_chunking, no_pipelining;
    const char *cert, *key, *pidfile;
    const char *reject;
    SSL_CTX *ctx;
} S = {.host = "127.0.0.1", .port = 2525, .threads = 1, .backlog = 4096};

static struct {
    _Atomic uint64_t conns, open, maxopen, msgs, rcpts, bytes, ok, bad, nosum, dup, cmds, aborted,
        xclient, auths;
} T;
static volatile sig_atomic_t sig_stat, sig_quit;
static void on_sig(int s)
{
    if (s == SIGUSR1) sig_stat = 1;
    else sig_quit = 1;
}

/* set of message ids, for duplicate detection */
static pthread_mutex_t ids_mu = PTHREAD_MUTEX_INITIALIZER;
static uint64_t *ids;
static size_t ids_n, ids_cap;
static bool ids_slot(uint64_t *t, size_t cap, uint64_t id)
{
    size_t h = (size_t)((id * 0x9E3779B97F4A7C15ull) >> 20) & (cap - 1);
    while (t[h] && t[h] != id) h = (h + 1) & (cap - 1);
    if (t[h] == id) return false;
    t[h] = id;
    return true;
}
static bool ids_add(uint64_t id)
{
    if (!id) id = ~0ull;
    pthread_mutex_lock(&ids_mu);
    if (ids_n * 2 >= ids_cap) {
        size_t nc = ids_cap ? ids_cap * 2 : 65536;
        uint64_t *nt = calloc(nc, sizeof *nt);
        if (!nt) die("out of memory");
        for (size_t i = 0; i < ids_cap; i++)
            if (ids[i]) ids_slot(nt, nc, ids[i]);
        free(ids);
        ids = nt;
        ids_cap = nc;
    }
    bool fresh = ids_slot(ids, ids_cap, id);
    if (fresh) ids_n++;
    pthread_mutex_unlock(&ids_mu);
    return fresh;
}

enum { K_CMD, K_DATA, K_BDAT, K_AUTHP, K_AUTHU, K_AUTHW, K_HANDSHAKE, K_CLOSING };
typedef struct { int fd; bool tls; } lst_t;
static lst_t *lsts; /* two per thread; told apart from connections by address */
typedef struct sconn {
    io_t io;
    int k, after_hs;
    buf_t out;
    char lb[2100];
    size_t ll;
    bool mail, xc;
    unsigned rcpts;
    /* message */
    bool inmsg, inhdr, cr, last;
    int bol;
    uint64_t bdat_left, mbytes, id;
    char hl[160];
    size_t hlen;
    char sum[65];
    SHA256_CTX sha;
} sconn;

static void hex(const unsigned char *d, size_t n, char *o)
{
    static const char x[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) { o[2 * i] = x[d[i] >> 4]; o[2 * i + 1] = x[d[i] & 15]; }
    o[2 * n] = 0;
}
static void msg_begin(sconn *s)
{
    s->inmsg = s->inhdr = true;
    s->bol = 1;
    s->cr = false;
    s->mbytes = s->id = 0;
    s->hlen = 0;
    s->sum[0] = 0;
    if (S.verify) SHA256_Init(&s->sha);
}
static void msg_emit(sconn *s, const char *p, size_t n)
{
    s->mbytes += n;
    if (!S.verify) return;
    size_t i = 0;
    while (s->inhdr && i < n) {
        char c = p[i++];
        if (c != '\n') {
            if (s->hlen < sizeof s->hl - 1) s->hl[s->hlen++] = c;
            continue;
        }
        if (s->hlen && s->hl[s->hlen - 1] == '\r') s->hlen--;
        s->hl[s->hlen] = 0;
        if (s->hlen == 0) s->inhdr = false;
        else if (!strncasecmp(s->hl, "X-Load-Sum: ", 12)) snprintf(s->sum, sizeof s->sum, "%s", s->hl + 12);
        else if (!strncasecmp(s->hl, "X-Load-ID: ", 11)) s->id = strtoull(s->hl + 11, NULL, 16);
        s->hlen = 0;
    }
    if (i < n) SHA256_Update(&s->sha, p + i, n - i);
}
static void msg_end(sconn *s)
{
    uint64_t m = atomic_fetch_add_explicit(&T.msgs, 1, memory_order_relaxed) + 1;
    atomic_fetch_add_explicit(&T.rcpts, s->rcpts, memory_order_relaxed);
    atomic_fetch_add_explicit(&T.bytes, s->mbytes, memory_order_relaxed);
    if (S.verify) {
        unsigned char dg[32];
        char h[65];
        SHA256_Final(dg, &s->sha);
        hex(dg, 32, h);
        if (!s->sum[0]) T.nosum++;
        else if (strcmp(h, s->sum)) {
            T.bad++;
            if (!S.quiet) fprintf(stderr, "smtpsink: bad checksum id=%016" PRIx64 " bytes=%" PRIu64 "\n", s->id, s->mbytes);
        } else T.ok++;
        if (s->sum[0] && !ids_add(s->id)) T.dup++;
    }
    buf_printf(&s->out, "250 2.0.0 Ok: queued as SINK%08" PRIX64 "\r\n", m);
    s->inmsg = s->mail = false;
    s->rcpts = 0;
    s->k = K_CMD;
}
/* Feed DATA bytes; returns bytes used, sets *done at the end of the message.  Only
 * CRLF ends a line, so a bare-LF dot is content. */
static size_t data_feed(sconn *s, const char *p, size_t n, bool *done)
{
    size_t i = 0;
    while (i < n) {
        switch (s->bol) {
        case 1:
            if (p[i] == '.') { s->bol = 2; i++; }
            else s->bol = 0;
            break;
        case 2:
            if (p[i] == '\r') { s->bol = 3; i++; }
            else s->bol = 0;
            break;
        case 3:
            if (p[i] == '\n') { *done = true; return i + 1; }
            msg_emit(s, "\r", 1);
            s->cr = true;
            s->bol = 0;
            break;
        default: {
            const char *q = memchr(p + i, '\n', n - i);
            if (!q) {
                msg_emit(s, p + i, n - i);
                s->cr = p[n - 1] == '\r';
                return n;
            }
            bool cr = q > p + i ? q[-1] == '\r' : s->cr;
            msg_emit(s, p + i, (size_t)(q + 1 - (p + i)));
            i = (size_t)(q + 1 - p);
            s->bol = cr ? 1 : 0;
            s->cr = false;
        }
        }
    }
    return n;
}
static void sink_stat_line(char *b, size_t n)
{
    snprintf(b, n,
             "conns=%" PRIu64 " open=%" PRIu64 " maxopen=%" PRIu64 " msgs=%" PRIu64 " rcpts=%" PRIu64
             " bytes=%" PRIu64 " ok=%" PRIu64 " bad=%" PRIu64 " nosum=%" PRIu64 " dup=%" PRIu64
             " aborted=%" PRIu64 " cmds=%" PRIu64 " xclient=%" PRIu64 " auths=%" PRIu64,
             T.conns, T.open, T.maxopen, T.msgs, T.rcpts, T.bytes, T.ok, T.bad, T.nosum, T.dup,
             T.aborted, T.cmds, T.xclient, T.auths);
}
static bool verb(const char *l, const char *v)
{
    size_t n = strlen(v);
    return !strncasecmp(l, v, n) && (l[n] == 0 || l[n] == ' ' || l[n] == ':');
}
static void sink_line(sconn *s, char *l)
{
    T.cmds++;
    buf_t *o = &s->out;
    if (s->k == K_AUTHP || s->k == K_AUTHW) {
        s->k = K_CMD;
        T.auths++;
        buf_puts(o, *l == '*' ? "501 5.7.0 cancelled\r\n" : "235 2.7.0 ok\r\n");
    } else if (s->k == K_AUTHU) {
        s->k = K_AUTHW;
        buf_puts(o, "334 UGFzc3dvcmQ6\r\n");
    } else if (verb(l, "EHLO") || verb(l, "LHLO")) {
        s->mail = false;
        s->rcpts = 0;
        buf_puts(o, "250-sink.test\r\n250-SIZE 1073741824\r\n250-8BITMIME\r\n"
                    "250-SMTPUTF8\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n");
        if (S.starttls && !s->io.ssl) buf_puts(o, "250-STARTTLS\r\n");
        if (S.auth && (s->io.ssl || !S.tls_port)) buf_puts(o, "250-AUTH PLAIN LOGIN\r\n");
        if (!S.no_pipelining) buf_puts(o, "250-PIPELINING\r\n");
        if (!S.no_chunking) buf_puts(o, "250-CHUNKING\r\n");
        buf_puts(o, "250 XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT\r\n");
    } else if (verb(l, "HELO")) {
        s->mail = false;
        s->rcpts = 0;
        buf_puts(o, "250 sink.test\r\n");
    } else if (verb(l, "MAIL")) {
        if (s->mail) buf_puts(o, "503 5.5.1 nested MAIL\r\n");
        else { s->mail = true; s->rcpts = 0; buf_puts(o, "250 2.1.0 Ok\r\n"); }
    } else if (verb(l, "RCPT")) {
        if (!s->mail) buf_puts(o, "503 5.5.1 need MAIL\r\n");
        else if (S.reject && strcasestr(l, S.reject)) buf_puts(o, "550 5.1.1 rejected by sink\r\n");
        else { s->rcpts++; buf_puts(o, "250 2.1.5 Ok\r\n"); }
    } else if (verb(l, "DATA")) {
        if (!s->mail || !s->rcpts) buf_puts(o, "503 5.5.1 need RCPT\r\n");
        else { s->k = K_DATA; msg_begin(s); buf_puts(o, "354 End data with <CR><LF>.<CR><LF>\r\n"); }
    } else if (verb(l, "BDAT") && !S.no_chunking) {
        char *e;
        s->bdat_left = strtoull(l + 4, &e, 10);
        while (*e == ' ') e++;
        s->last = !strncasecmp(e, "LAST", 4);
        if (!s->mail || !s->rcpts) { /* bytes must be eaten even so; simplest is to hang up */
            buf_puts(o, "503 5.5.1 need RCPT\r\n");
            s->k = K_CLOSING;
            return;
        }
        if (!s->inmsg) msg_begin(s);
        s->k = K_BDAT;
    } else if (verb(l, "RSET")) {
        s->mail = s->inmsg = false;
        s->rcpts = 0;
        buf_puts(o, "250 2.0.0 Ok\r\n");
    } else if (verb(l, "NOOP")) {
        buf_puts(o, "250 2.0.0 Ok\r\n");
    } else if (verb(l, "VRFY")) {
        buf_puts(o, "252 2.0.0 maybe\r\n");
    } else if (verb(l, "QUIT")) {
        buf_puts(o, "221 2.0.0 Bye\r\n");
        s->k = K_CLOSING;
    } else if (verb(l, "XCLIENT")) {
        T.xclient++;
        s->mail = false;
        s->rcpts = 0;
        buf_puts(o, "220 sink.test ESMTP\r\n");
    } else if (verb(l, "AUTH") && S.auth) {
        if (!strncasecmp(l + 4, " PLAIN", 6)) {
            if (l[10] == ' ') { T.auths++; buf_puts(o, "235 2.7.0 ok\r\n"); }
            else { s->k = K_AUTHP; buf_puts(o, "334 \r\n"); }
        } else if (!strncasecmp(l + 4, " LOGIN", 6)) {
            if (l[10] == ' ') { s->k = K_AUTHW; buf_puts(o, "334 UGFzc3dvcmQ6\r\n"); }
            else { s->k = K_AUTHU; buf_puts(o, "334 VXNlcm5hbWU6\r\n"); }
        } else buf_puts(o, "504 5.5.4 mechanism\r\n");
    } else if (verb(l, "STARTTLS") && S.starttls && !s->io.ssl) {
        buf_puts(o, "220 2.0.0 go\r\n");
        s->after_hs = 1;
        s->k = K_HANDSHAKE;
    } else if (verb(l, "XSTAT")) { /* counters in band, for scripts */
        char b[600];
        sink_stat_line(b, sizeof b);
        buf_printf(o, "250 %s\r\n", b);
    } else buf_puts(o, "502 5.5.2 unknown command\r\n");
}

static void sink_free(sconn *s)
{
    if (s->inmsg || s->k == K_DATA || s->k == K_BDAT) T.aborted++;
    io_close(&s->io);
    buf_free(&s->out);
    free(s);
    T.open--;
}
/* consume one read's worth; false = close */
static bool sink_input(sconn *s, char *p, size_t n)
{
    while (n) {
        if (s->k == K_DATA) {
            bool done = false;
            size_t u = data_feed(s, p, n, &done);
            p += u;
            n -= u;
            if (done) msg_end(s);
        } else if (s->k == K_BDAT) {
            size_t u = n < s->bdat_left ? n : (size_t)s->bdat_left;
            msg_emit(s, p, u);
            s->bdat_left -= u;
            p += u;
            n -= u;
        } else if (s->k == K_HANDSHAKE || s->k == K_CLOSING) {
            return true; /* plaintext after STARTTLS or QUIT is dropped */
        } else {
            char *q = memchr(p, '\n', n);
            size_t u = q ? (size_t)(q + 1 - p) : n;
            if (s->ll + u >= sizeof s->lb) return false;
            memcpy(s->lb + s->ll, p, u);
            s->ll += u;
            p += u;
            n -= u;
            if (!q) return true;
            while (s->ll && (s->lb[s->ll - 1] == '\n' || s->lb[s->ll - 1] == '\r')) s->ll--;
            s->lb[s->ll] = 0;
            s->ll = 0;
            sink_line(s, s->lb);
        }
        if (s->k == K_BDAT && s->bdat_left == 0) {
            if (s->last) msg_end(s);
            else { buf_puts(&s->out, "250 2.0.0 chunk ok\r\n"); s->k = K_CMD; }
        }
    }
    return true;
}
static bool sink_flush(int ep, sconn *s)
{
    while (s->out.off < s->out.len) {
        ssize_t r = io_write(&s->io, s->out.p + s->out.off, s->out.len - s->out.off);
        if (r == IO_AGAIN) { io_events(ep, &s->io, EPOLLIN | EPOLLOUT, s); return true; }
        if (r < 0) return false;
        s->out.off += (size_t)r;
    }
    s->out.off = s->out.len = 0;
    if (s->out.cap > 4096) buf_free(&s->out);
    if (s->k == K_CLOSING) return false;
    if (s->k == K_HANDSHAKE && s->after_hs && !s->io.ssl) {
        s->io.ssl = SSL_new(S.ctx);
        SSL_set_fd(s->io.ssl, s->io.fd);
        SSL_set_accept_state(s->io.ssl);
        s->ll = 0;
        s->mail = false;
    }
    io_events(ep, &s->io, EPOLLIN, s);
    return true;
}
static bool sink_event(int ep, sconn *s, char *rb, size_t rn)
{
    for (;;) {
        if (s->k == K_HANDSHAKE && s->io.ssl) {
            int r = SSL_accept(s->io.ssl);
            if (r <= 0) {
                s->io.want_write = false;
                ssize_t k = ssl_result(&s->io, r);
                if (k != IO_AGAIN) return false;
                io_events(ep, &s->io, EPOLLIN | (s->io.want_write ? EPOLLOUT : 0), s);
                return true;
            }
            s->k = K_CMD;
            if (!s->after_hs) buf_puts(&s->out, "220 sink.test ESMTP\r\n");
            if (!sink_flush(ep, s)) return false;
        }
        ssize_t r = io_read(&s->io, rb, rn);
        if (r == IO_AGAIN) return sink_flush(ep, s);
        if (r <= 0) return false;
        if (S.quickack) setsockopt(s->io.fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
        if (!sink_input(s, rb, (size_t)r)) return false;
        if (!s->io.ssl && (size_t)r < rn) return sink_flush(ep, s); /* drained */
        if (s->out.len - s->out.off > 16384 && !sink_flush(ep, s)) return false;
    }
}
static int listen_on(const char *host, int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &a.sin_addr) != 1) die("bad address %s", host);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (S.threads > 1) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (bind(fd, (void *)&a, sizeof a) || listen(fd, S.backlog)) die("listen %s:%d: %s", host, port, strerror(errno));
    return fd;
}
static void *sink_thread(void *arg)
{
    lst_t *ls = arg;
    int ep = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e, evs[256];
    for (int i = 0; i < 2; i++) {
        if (ls[i].fd < 0) continue;
        e = (struct epoll_event){.events = EPOLLIN, .data.ptr = &ls[i]};
        epoll_ctl(ep, EPOLL_CTL_ADD, ls[i].fd, &e);
    }
    size_t rn = 256 * 1024;
    char *rb = xrealloc(NULL, rn);
    while (!sig_quit) {
        int n = epoll_wait(ep, evs, 256, 250);
        for (int i = 0; i < n; i++) {
            sconn *s = evs[i].data.ptr;
            lst_t *l = evs[i].data.ptr;
            if (l < lsts || l >= lsts + 2 * S.threads) {
                if (!sink_event(ep, s, rb, rn)) sink_free(s);
                continue;
            }
            for (;;) {
                int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
                if (fd < 0) break;
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                s = calloc(1, sizeof *s);
                if (!s) die("out of memory");
                s->io.fd = fd;
                T.conns++;
                uint64_t o = ++T.open;
                if (o > T.maxopen) T.maxopen = o;
                if (l->tls) {
                    s->io.ssl = SSL_new(S.ctx);
                    SSL_set_fd(s->io.ssl, fd);
                    SSL_set_accept_state(s->io.ssl);
                    s->k = K_HANDSHAKE;
                    io_events(ep, &s->io, EPOLLIN, s);
                } else {
                    buf_puts(&s->out, "220 sink.test ESMTP\r\n");
                    if (!sink_flush(ep, s)) sink_free(s);
                }
            }
        }
    }
    free(rb);
    return NULL;
}
static void sink_usage(void)
{
    puts("usage: smtpsink [--host 127.0.0.1] [--port 2525] [--threads N] [--verify] [--auth]\n"
         "                [--tls | --starttls | --tls-port N] [--cert FILE --key FILE]\n"
         "                [--reject TEXT] [--pidfile FILE] [--quiet] [--quickack]\n"
         "                [--no-chunking] [--no-pipelining]\n"
         "  accepts and discards everything; counters on SIGUSR1, at exit (SIGTERM/SIGINT),\n"
         "  and as the reply to the in-band command XSTAT.\n"
         "  --verify   recompute the SHA-256 named in X-Load-Sum, and look for duplicate ids\n"
         "  --auth     advertise AUTH PLAIN LOGIN and accept any password\n"
         "  --tls-port N  a second listener, implicit TLS (AUTH is then offered there only)\n"
         "  --reject T answer 550 to any RCPT line that contains T\n"
         "  --quickack never delay an ACK (takes away the 40 ms stalls of a peer whose small\n"
         "             writes wait in Nagle's algorithm; off = what a real upstream does)");
    exit(2);
}
static int sink_main(int argc, char **argv)
{
    static const struct option o[] = {
        {"host", 1, 0, 'h'}, {"port", 1, 0, 'p'}, {"threads", 1, 0, 't'}, {"verify", 0, 0, 'v'},
        {"auth", 0, 0, 'a'}, {"tls", 0, 0, 'T'}, {"starttls", 0, 0, 'S'}, {"cert", 1, 0, 'c'},
        {"key", 1, 0, 'k'}, {"reject", 1, 0, 'r'}, {"pidfile", 1, 0, 'P'}, {"quiet", 0, 0, 'q'}, {"quickack", 0, 0, 'Q'}, {"tls-port", 1, 0, 'L'}, {"no-chunking", 0, 0, 'C'}, {"no-pipelining", 0, 0, 'N'},
        {"help", 0, 0, '?'}, {0, 0, 0, 0}};
    for (int c; (c = getopt_long(argc, argv, "", o, NULL)) != -1;) switch (c) {
        case 'h': S.host = optarg; break;
        case 'p': S.port = atoi(optarg); break;
        case 't': S.threads = atoi(optarg); break;
        case 'v': S.verify = true; break;
        case 'a': S.auth = true; break;
        case 'T': S.tls = true; break;
        case 'S': S.starttls = true; break;
        case 'c': S.cert = optarg; break;
        case 'k': S.key = optarg; break;
        case 'r': S.reject = optarg; break;
        case 'P': S.pidfile = optarg; break;
        case 'q': S.quiet = true; break;
        case 'Q': S.quickack = true; break;
        case 'C': S.no_chunking = true; break;
        case 'N': S.no_pipelining = true; break;
        case 'L': S.tls_port = atoi(optarg); break;
        default: sink_usage();
        }
    raise_nofile(0);
    if (S.threads < 1) S.threads = 1;
    if (S.tls || S.starttls || S.tls_port) {
        if (!S.cert || !S.key) die("--tls/--starttls need --cert and --key");
        S.ctx = SSL_CTX_new(TLS_server_method());
        if (SSL_CTX_use_certificate_chain_file(S.ctx, S.cert) != 1 ||
            SSL_CTX_use_PrivateKey_file(S.ctx, S.key, SSL_FILETYPE_PEM) != 1)
            die("cannot load certificate or key");
        SSL_CTX_set_mode(S.ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    }
    struct sigaction sa = {.sa_handler = on_sig};
    sigaction(SIGUSR1, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGINT, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
    sigset_t m, old;
    sigemptyset(&m);
    sigaddset(&m, SIGUSR1);
    sigaddset(&m, SIGTERM);
    sigaddset(&m, SIGINT);
    pthread_sigmask(SIG_BLOCK, &m, &old);
    pthread_t *th = calloc((size_t)S.threads, sizeof *th);
    lsts = calloc((size_t)S.threads * 2, sizeof *lsts);
    for (int i = 0; i < S.threads; i++) {
        lsts[2 * i] = (lst_t){listen_on(S.host, S.port), S.tls};
        lsts[2 * i + 1] = (lst_t){S.tls_port ? listen_on(S.host, S.tls_port) : -1, true};
    }
    for (int i = 0; i < S.threads; i++) pthread_create(&th[i], NULL, sink_thread, &lsts[2 * i]);
    if (S.pidfile) {
        FILE *f = fopen(S.pidfile, "w");
        if (f) { fprintf(f, "%d\n", (int)getpid()); fclose(f); }
    }
    char b[600];
    while (!sig_quit) {
        sigsuspend(&old);
        if (sig_stat) {
            sig_stat = 0;
            sink_stat_line(b, sizeof b);
            printf("SINK %s\n", b);
            fflush(stdout);
        }
    }
    for (int i = 0; i < S.threads; i++) pthread_join(th[i], NULL);
    sink_stat_line(b, sizeof b);
    printf("SINK %s\n", b);
    if (S.pidfile) unlink(S.pidfile);
    return 0;
}

/* ========================================================================== client */
enum { M_PLAIN, M_STARTTLS, M_TLS };
enum { A_NONE, A_PLAIN, A_LOGIN };
static struct {
    const char *host, *user, *pass, *from, *rcpt_domain, *ehlo, *sni, *ready_file, *ciphers, *groups, *ca;
    int port, mode, auth, users, conns, per_conn, rcpts, tls_max, pause_us;
    size_t size;
    uint64_t total;
    double duration, max_time, stall, hold;
    int idle, idle_msgs, sources;
    bool pipe, chain, bdat, resume, allow, barrier, quiet, quickack;
} C = {.host = "127.0.0.1", .user = "user", .pass = "secret", .from = "sender@load.test",
       .rcpt_domain = "rcpt.test", .ehlo = "load.test", .port = 587, .conns = 1, .rcpts = 1,
       .size = 4096, .max_time = 600, .stall = 60, .hold = 10};

enum { X_FREE, X_CONNECT, X_TLS, X_GREET, X_EHLO, X_STARTTLS, X_AUTH, X_AUTHU, X_AUTHW, X_READY,
       X_MAIL, X_RCPT, X_DATA, X_BODY, X_RSET, X_QUIT, X_IDLE };
typedef struct conn {
    io_t io;
    int st, slot, user;
    bool tls_up, pipelining, chunking, next_sent, body_ok, is_reply_line;
    int rcpt_seen, rcpt_ok, msgs;
    uint64_t t_conn, t_mail, t_next, t_io, seq;
    buf_t out;
    const char *bp;
    size_t bleft;
    char tail[64];
    size_t ntail;
    char rb[4096];
    size_t rl;
    char first[8];
    SSL_SESSION *sess;
} conn;

#define NTPL 4
static struct { char *wire; size_t n, raw; SHA256_CTX sha; } tpl[NTPL], tplraw[NTPL];
static uint32_t run_id;
static struct sockaddr_in dst;
static SSL_CTX *cctx;
static int cep;
static conn *cv;
static int ncv, active, ready_n, inflight;
static uint64_t claimed, done_msgs, done_bytes, rejected, errors, non2xx, conns_ok, conns_opened, hs,
    hs_resumed, upstream_seen, idle_lost, idle_ok;
static uint64_t t_start, t_first, t_last, t_deadline;
static bool started, stopping;
static double *lat, *setup;
static size_t nlat, clat, nsetup, csetup;
static char err_text[8][200];
static unsigned err_cnt[8];

static void push(double **v, size_t *n, size_t *c, double x)
{
    if (*n == *c) *v = xrealloc(*v, (*c = *c ? *c * 2 : 4096) * sizeof **v);
    (*v)[(*n)++] = x;
}
static void note(const char *what, const char *text)
{
    char b[200];
    snprintf(b, sizeof b, "%s: %.*s", what, (int)strcspn(text, "\r\n"), text);
    for (int i = 0; i < 8; i++) {
        if (!err_text[i][0]) snprintf(err_text[i], sizeof err_text[i], "%s", b);
        if (!strcmp(err_text[i], b)) { err_cnt[i]++; return; }
    }
}

static const char HDR[] =
    "From: <%s>\r\nTo: <rcpt0@%s>\r\nSubject: load %016" PRIx64 "\r\n"
    "Message-ID: <%016" PRIx64 "@load.test>\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
    "X-Load-ID: %016" PRIx64 "\r\nX-Load-Sum: %s\r\n\r\n";

static void make_templates(void)
{
    char z[65], h[2048];
    memset(z, '0', 64);
    z[64] = 0;
    int hn = snprintf(h, sizeof h, HDR, C.from, C.rcpt_domain, (uint64_t)0, (uint64_t)0, (uint64_t)0, z);
    size_t over = (size_t)hn + 22; /* header plus "END <16 hex>\r\n" */
    size_t want = C.size > over + 2 ? C.size - over : 2;
    static const char al[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int t = 0; t < NTPL; t++) {
        uint64_t x = 88172645463325252ull + (uint64_t)t * 7919;
        char *w = xrealloc(NULL, want + want / 32 + 256), *r = xrealloc(NULL, want + 8);
        size_t wn = 0, rn = 0, line = 0;
        while (rn < want) {
            size_t left = want - rn, len = left >= 78 ? 76 : left - 2;
            if (left > 78 && left < 81) len = 70; /* never leave a rest under 2 bytes */
            if (line % 16 == 7 && len) w[wn++] = '.'; /* stuffing */
            for (size_t i = 0; i < len; i++) {
                x ^= x << 13; x ^= x >> 7; x ^= x << 17;
                char ch = (line % 16 == 7 && i == 0) ? '.' : al[x & 63];
                w[wn++] = ch;
                r[rn++] = ch;
            }
            w[wn++] = '\r'; w[wn++] = '\n';
            r[rn++] = '\r'; r[rn++] = '\n';
            line++;
        }
        tpl[t].wire = w;
        tpl[t].n = wn;
        tplraw[t].wire = r;
        tplraw[t].n = rn;
        SHA256_Init(&tpl[t].sha);
        SHA256_Update(&tpl[t].sha, r, rn);
        tplraw[t].sha = tpl[t].sha;
    }
}

static void c_fail(conn *c, const char *what, const char *text);
static void c_close(conn *c);
static void c_open(conn *c);
static void c_try_start(conn *c);

static void c_events(conn *c)
{
    uint32_t ev = EPOLLIN;
    if (c->out.off < c->out.len || c->bleft || c->ntail || c->io.want_write) ev |= EPOLLOUT;
    io_events(cep, &c->io, ev, c);
}
static bool c_flush(conn *c)
{
    c->io.want_write = false;
    for (;;) {
        ssize_t r;
        if (c->out.off < c->out.len) {
            r = io_write(&c->io, c->out.p + c->out.off, c->out.len - c->out.off);
            if (r > 0) { c->out.off += (size_t)r; c->t_io = now_ns(); }
        } else if (c->bleft) {
            c->out.off = c->out.len = 0;
            r = io_write(&c->io, c->bp, c->bleft > 262144 ? 262144 : c->bleft);
            if (r > 0) { c->bp += r; c->bleft -= (size_t)r; c->t_io = now_ns(); }
        } else if (c->ntail) {
            buf_put(&c->out, c->tail, c->ntail);
            c->ntail = 0;
            continue;
        } else break;
        if (r == IO_AGAIN) break;
        if (r < 0) return false;
    }
    if (c->out.off == c->out.len) {
        c->out.off = c->out.len = 0;
        if (C.idle && c->out.cap) buf_free(&c->out);
    }
    c_events(c);
    return true;
}
/* next message number, or false when there is nothing left to send */
static bool claim(conn *c, uint64_t *seq)
{
    if (stopping || c->msgs >= C.per_conn) return false;
    if (C.total && claimed >= C.total) return false;
    if (C.duration > 0 && started && now_ns() > t_first + (uint64_t)(C.duration * 1e9)) return false;
    *seq = claimed++;
    c->msgs++;
    return true;
}
static void put_mail(conn *c)
{
    if (C.bdat || C.size > 1000000) buf_printf(&c->out, "MAIL FROM:<%s> SIZE=%zu\r\n", C.from, C.size);
    else buf_printf(&c->out, "MAIL FROM:<%s>\r\n", C.from);
}
static void put_rcpt(conn *c, int i) { buf_printf(&c->out, "RCPT TO:<rcpt%d@%s>\r\n", i, C.rcpt_domain); }
static void put_body(conn *c, bool empty)
{
    if (empty) { buf_puts(&c->out, ".\r\n"); return; }
    char h[2048], sum[65], trail[64];
    unsigned char dg[32];
    uint64_t id = ((uint64_t)run_id << 32) | c->seq;
    int t = (int)(c->seq % NTPL);
    int tn = snprintf(trail, sizeof trail, "END %016" PRIx64 "\r\n", id);
    SHA256_CTX s = tpl[t].sha;
    SHA256_Update(&s, trail, (size_t)tn);
    SHA256_Final(dg, &s);
    hex(dg, 32, sum);
    int hn = snprintf(h, sizeof h, HDR, C.from, C.rcpt_domain, id, id, id, sum);
    const char *w = C.bdat ? tplraw[t].wire : tpl[t].wire;
    size_t wn = C.bdat ? tplraw[t].n : tpl[t].n;
    if (C.bdat) buf_printf(&c->out, "BDAT %zu LAST\r\n", (size_t)hn + wn + (size_t)tn);
    buf_put(&c->out, h, (size_t)hn);
    if (!C.bdat) { memcpy(trail + tn, ".\r\n", 3); tn += 3; }
    if (wn <= 32768) {
        buf_put(&c->out, w, wn);
        buf_put(&c->out, trail, (size_t)tn);
    } else {
        c->bp = w;
        c->bleft = wn;
        memcpy(c->tail, trail, (size_t)tn);
        c->ntail = (size_t)tn;
    }
}
static void put_envelope(conn *c)
{
    put_mail(c);
    if (C.pipe && c->pipelining) {
        for (int i = 0; i < C.rcpts; i++) put_rcpt(c, i);
        if (!C.bdat) buf_puts(&c->out, "DATA\r\n");
        else put_body(c, false);
    }
}
static void begin_txn(conn *c)
{
    c->st = X_MAIL;
    c->rcpt_seen = c->rcpt_ok = 0;
    c->body_ok = false;
}
static void next_or_quit(conn *c)
{
    uint64_t q;
    if (C.idle && c->msgs >= C.idle_msgs) {
        c->st = X_IDLE;
        inflight--;
        idle_ok++;
        buf_free(&c->out);
        return;
    }
    if (claim(c, &q)) {
        c->seq = q;
        begin_txn(c);
        c->t_mail = now_ns();
        if (!t_first) { t_first = c->t_mail; started = true; }
        put_envelope(c);
    } else {
        c->st = X_QUIT;
        buf_puts(&c->out, "QUIT\r\n");
    }
}
static void session_ready(conn *c)
{
    push(&setup, &nsetup, &csetup, (double)(now_ns() - c->t_conn) / 1e6);
    conns_ok++;
    if (C.barrier && !started) {
        c->st = X_READY;
        if (++ready_n < C.conns) return;
        t_first = now_ns();
        started = true;
        for (int i = 0; i < ncv; i++)
            if (cv[i].st == X_READY) {
                next_or_quit(&cv[i]);
                if (&cv[i] != c && !c_flush(&cv[i])) c_fail(&cv[i], "write", strerror(errno));
            }
        return;
    }
    next_or_quit(c);
}
static void b64(buf_t *o, const void *d, int n)
{
    unsigned char e[1024];
    if (n > 700) die("credentials too long");
    int k = EVP_EncodeBlock(e, d, n);
    buf_put(o, e, (size_t)k);
}
static void user_name(conn *c, char *b, size_t n)
{
    if (C.users > 0) {
        const char *at = strchr(C.user, '@');
        int l = at ? (int)(at - C.user) : (int)strlen(C.user);
        snprintf(b, n, "%.*s%d%s", l, C.user, c->user % C.users + 1, at ? at : "");
    } else snprintf(b, n, "%s", C.user);
}
static void after_ehlo(conn *c)
{
    char u[300], ir[700];
    if (C.mode == M_STARTTLS && !c->tls_up) {
        c->st = X_STARTTLS;
        buf_puts(&c->out, "STARTTLS\r\n");
        return;
    }
    if (C.auth == A_NONE) { session_ready(c); return; }
    user_name(c, u, sizeof u);
    c->st = X_AUTH;
    if (C.auth == A_PLAIN) {
        size_t ul = strlen(u), pl = strlen(C.pass);
        ir[0] = 0;
        memcpy(ir + 1, u, ul + 1);
        memcpy(ir + 2 + ul, C.pass, pl);
        buf_puts(&c->out, "AUTH PLAIN ");
        b64(&c->out, ir, (int)(ul + pl + 2));
        buf_puts(&c->out, "\r\n");
    } else {
        c->st = X_AUTHU;
        buf_puts(&c->out, "AUTH LOGIN\r\n");
    }
}
static void msg_done(conn *c, const char *line)
{
    uint64_t t = now_ns();
    push(&lat, &nlat, &clat, (double)(t - c->t_mail) / 1e6);
    done_msgs++;
    done_bytes += C.size;
    t_last = t;
    if (strstr(line, "SINK")) upstream_seen++;
}
static void txn_rejected(conn *c)
{
    rejected++;
    c->st = X_RSET;
    buf_puts(&c->out, "RSET\r\n");
}
/* returns false when the connection is gone */
static bool on_reply(conn *c, int code, const char *l)
{
    char u[300];
    int d = code / 100;
    if (d != 2 && d != 3) { non2xx++; note("reply", l); }
    switch (c->st) {
    case X_GREET:
        if (d != 2) { c_fail(c, "greeting", l); return false; }
        buf_printf(&c->out, "EHLO %s\r\n", C.ehlo);
        c->st = X_EHLO;
        break;
    case X_EHLO:
        if (d != 2) { c_fail(c, "EHLO", l); return false; }
        after_ehlo(c);
        break;
    case X_STARTTLS:
        if (d != 2) { c_fail(c, "STARTTLS", l); return false; }
        if (c->rl) { c_fail(c, "STARTTLS", "data after 220"); return false; }
        c->st = X_TLS;
        break;
    case X_AUTHU:
        if (d != 3) { c_fail(c, "AUTH", l); return false; }
        user_name(c, u, sizeof u);
        b64(&c->out, u, (int)strlen(u));
        buf_puts(&c->out, "\r\n");
        c->st = X_AUTHW;
        break;
    case X_AUTHW:
        if (d != 3) { c_fail(c, "AUTH", l); return false; }
        b64(&c->out, C.pass, (int)strlen(C.pass));
        buf_puts(&c->out, "\r\n");
        c->st = X_AUTH;
        break;
    case X_AUTH:
        if (d != 2) { c_fail(c, "AUTH", l); return false; }
        session_ready(c);
        break;
    case X_MAIL: {
        bool p = C.pipe && c->pipelining;
        c->body_ok = d == 2;
        if (d != 2 && !p) { txn_rejected(c); break; }
        c->st = X_RCPT;
        if (!p) put_rcpt(c, 0);
        break;
    }
    case X_RCPT: {
        bool p = C.pipe && c->pipelining;
        c->rcpt_seen++;
        if (d == 2) c->rcpt_ok++;
        if (c->rcpt_seen < C.rcpts) {
            if (!p) put_rcpt(c, c->rcpt_seen);
            break;
        }
        if (!p && !c->rcpt_ok) { txn_rejected(c); break; }
        if (C.bdat) {
            if (!p) put_body(c, false);
            c->st = X_BODY;
        } else {
            if (!p) buf_puts(&c->out, "DATA\r\n");
            c->st = X_DATA;
        }
        break;
    }
    case X_DATA:
        if (d != 3) { txn_rejected(c); break; }
        put_body(c, !c->rcpt_ok || !c->body_ok);
        c->st = X_BODY;
        if (C.chain && C.pipe && c->pipelining && c->bleft == 0) {
            uint64_t q;
            if (claim(c, &q)) {
                c->next_sent = true;
                c->t_next = now_ns();
                uint64_t cur = c->seq;
                c->seq = q;
                put_envelope(c);
                (void)cur;
            }
        }
        break;
    case X_BODY:
        if (d == 2) msg_done(c, l);
        else rejected++;
        if (c->next_sent) {
            c->next_sent = false;
            c->t_mail = c->t_next;
            begin_txn(c);
        } else next_or_quit(c);
        break;
    case X_RSET:
        if (d != 2) { c_fail(c, "RSET", l); return false; }
        next_or_quit(c);
        break;
    case X_QUIT:
        c_close(c);
        return false;
    default:
        c_fail(c, "unexpected reply", l);
        return false;
    }
    return true;
}
static void c_close(conn *c)
{
    io_close(&c->io);
    buf_free(&c->out);
    c->bleft = c->ntail = 0;
    c->st = X_FREE;
    active--;
    c_try_start(c);
}
static void c_fail(conn *c, const char *what, const char *text)
{
    errors++;
    note(what, text);
    if (c->st == X_IDLE) idle_lost++;
    else if (C.idle) inflight--;
    if (C.barrier && !started) stopping = true;
    if (errors > 1000) stopping = true;
    c_close(c);
}
static bool work_left(void)
{
    if (stopping || C.idle) return false;
    /* with fixed totals, open no connection that would find nothing left to send */
    if (C.total && C.per_conn < 1 << 30 && !C.allow &&
        conns_opened >= (C.total + (uint64_t)C.per_conn - 1) / (uint64_t)C.per_conn)
        return false;
    if (C.total && claimed >= C.total) return false;
    if (C.duration > 0 && started && now_ns() > t_first + (uint64_t)(C.duration * 1e9)) return false;
    return true;
}
static void c_try_start(conn *c)
{
    if (work_left()) c_open(c);
}
static void tls_begin(conn *c)
{
    c->io.ssl = SSL_new(cctx);
    SSL_set_fd(c->io.ssl, c->io.fd);
    SSL_set_app_data(c->io.ssl, c);
    if (C.sni) SSL_set_tlsext_host_name(c->io.ssl, C.sni);
    if (C.resume && c->sess) SSL_set_session(c->io.ssl, c->sess);
    SSL_set_connect_state(c->io.ssl);
}
static int new_session(SSL *ssl, SSL_SESSION *s)
{
    conn *c = SSL_get_app_data(ssl);
    if (c->sess) SSL_SESSION_free(c->sess);
    c->sess = s;
    return 1;
}
static void c_open(conn *c)
{
    SSL_SESSION *keep = c->sess;
    int slot = c->slot;
    memset(c, 0, offsetof(conn, sess));
    c->sess = keep;
    c->slot = slot;
    c->user = (int)(conns_opened++);
    c->io.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->io.fd < 0) die("socket: %s", strerror(errno));
    int one = 1;
    setsockopt(c->io.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (C.sources > 0) { /* 127.1.0.0 and on: each address has ports of its own */
        struct sockaddr_in a = {.sin_family = AF_INET,
            .sin_addr.s_addr = htonl(0x7f010000u + (uint32_t)(c->user % C.sources))};
        setsockopt(c->io.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(c->io.fd, (void *)&a, sizeof a) != 0) die("bind: %s", strerror(errno));
    }
    c->t_conn = c->t_io = now_ns();
    active++;
    c->st = X_CONNECT;
    if (connect(c->io.fd, (void *)&dst, sizeof dst) && errno != EINPROGRESS) {
        errors++;
        note("connect", strerror(errno));
        stopping = true;
        close(c->io.fd);
        c->io.fd = -1;
        c->st = X_FREE;
        active--;
        return;
    }
    io_events(cep, &c->io, EPOLLIN | EPOLLOUT, c);
}
static void c_quickack(conn *c) /* not a lasting option: set again after each read */
{
    if (C.quickack) setsockopt(c->io.fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
}
static bool c_handshake(conn *c)
{
    if (!c->io.ssl) tls_begin(c);
    c->io.want_write = false;
    int r = SSL_connect(c->io.ssl);
    c_quickack(c);
    if (r <= 0) {
        unsigned long e = ERR_peek_error();
        ssize_t k = ssl_result(&c->io, r);
        if (k == IO_AGAIN) { c_events(c); return false; }
        c_fail(c, "TLS handshake", e ? ERR_reason_error_string(e) : "closed");
        return false;
    }
    c->tls_up = true;
    hs++;
    if (SSL_session_reused(c->io.ssl)) hs_resumed++;
    if (C.mode == M_STARTTLS) {
        buf_printf(&c->out, "EHLO %s\r\n", C.ehlo);
        c->st = X_EHLO;
    } else c->st = X_GREET;
    return true;
}
static void c_event(conn *c, uint32_t ev)
{
    (void)ev;
    c->t_io = now_ns();
    if (c->st == X_FREE) return;
    if (c->st == X_CONNECT) {
        int e = 0;
        socklen_t l = sizeof e;
        getsockopt(c->io.fd, SOL_SOCKET, SO_ERROR, &e, &l);
        if (e) { c_fail(c, "connect", strerror(e)); return; }
        c->st = C.mode == M_TLS ? X_TLS : X_GREET;
    }
again:
    if (c->st == X_TLS && c->out.off == c->out.len && !c_handshake(c)) return;
    if (!c_flush(c)) { if (c->st == X_QUIT) c_close(c); else c_fail(c, "write", strerror(errno)); return; }
    for (;;) {
        ssize_t r = io_read(&c->io, c->rb + c->rl, sizeof c->rb - 1 - c->rl);
        c_quickack(c);
        if (r == IO_AGAIN) break;
        if (r <= 0) {
            if (c->st == X_QUIT) c_close(c);
            else c_fail(c, "read", r == 0 ? "connection closed by server" : "connection error");
            return;
        }
        c->rl += (size_t)r;
        char *p = c->rb, *end = c->rb + c->rl, *q;
        while ((q = memchr(p, '\n', (size_t)(end - p)))) {
            *q = 0;
            char *l = p;
            p = q + 1;
            if (c->st == X_EHLO && q - l > 4) {
                if (!strncasecmp(l + 4, "PIPELINING", 10)) c->pipelining = true;
                if (!strncasecmp(l + 4, "CHUNKING", 8)) c->chunking = true;
            }
            if (q - l < 3 || !isdigit((unsigned char)l[0])) { c_fail(c, "bad reply line", l); return; }
            if (l[3] == '-') continue;
            c->rl = (size_t)(end - p);
            int old = c->st;
            if (!on_reply(c, atoi(l), l)) return;
            if (old == X_STARTTLS) goto again;
        }
        size_t left = (size_t)(end - p);
        if (left && p != c->rb) memmove(c->rb, p, left);
        c->rl = left;
        if (left >= sizeof c->rb - 1) { c_fail(c, "reply too long", ""); return; }
        if (!c_flush(c)) { c_fail(c, "write", strerror(errno)); return; }
        if (!c->io.ssl && (size_t)r < 1024) break; /* a short plain read has drained it */
    }
    c_events(c);
}
static int dbl_cmp(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}
static double pct(const double *v, size_t n, double p)
{
    if (!n) return 0;
    size_t i = (size_t)(p * (double)(n - 1) + 0.5);
    return v[i];
}
static volatile sig_atomic_t c_int;
static void on_int(int s) { (void)s; c_int = 1; }

static void load_usage(void)
{
    puts("usage: smtpload [options]\n"
         "  --host A --port N --mode plain|starttls|tls   target (default 127.0.0.1 587 plain)\n"
         "  --auth none|plain|login --user U --pass P      --users N: U1..UN, in turn\n"
         "  --conns C          connections at once (default 1)\n"
         "  --per-conn M       messages per connection, then QUIT and a new one (default: no limit)\n"
         "  --total N          messages in all (default C*M; or use --duration S)\n"
         "  --size BYTES --rcpts N --from ADDR --rcpt-domain D --ehlo NAME --sni NAME\n"
         "  --pipelining       MAIL, RCPT and DATA in one write, if the server offers PIPELINING\n"
         "  --chain            with --pipelining: next MAIL.. goes out right behind the final dot\n"
         "  --bdat             BDAT (CHUNKING) in place of DATA\n"
         "  --resume           TLS session resumption    --tls-max 1.2|1.3  --ciphers L  --groups L\n"
         "  --barrier          start sending when all C connections are authenticated\n"
         "  --idle N --hold S  open N authenticated sessions (C at a time) and hold them\n"
         "  --idle-msgs K      each idle session sends K messages first   --ready-file F\n"
         "  --sources N        connect from N addresses from 127.1.0.0 on, in turn\n"
         "  --max-time S --stall S   bounds: whole run (600), one silent connection (60)\n"
         "  --allow-errors     exit 0 even so        --quiet: only the RESULT line\n"
         "  --quickack         never delay an ACK (see smtpsink)");
    exit(2);
}
static int load_main(int argc, char **argv)
{
    static const struct option o[] = {
        {"host", 1, 0, 1}, {"port", 1, 0, 2}, {"mode", 1, 0, 3}, {"auth", 1, 0, 4}, {"user", 1, 0, 5},
        {"pass", 1, 0, 6}, {"users", 1, 0, 7}, {"conns", 1, 0, 8}, {"per-conn", 1, 0, 9},
        {"total", 1, 0, 10}, {"duration", 1, 0, 11}, {"size", 1, 0, 12}, {"rcpts", 1, 0, 13},
        {"from", 1, 0, 14}, {"rcpt-domain", 1, 0, 15}, {"ehlo", 1, 0, 16}, {"sni", 1, 0, 17},
        {"pipelining", 0, 0, 18}, {"chain", 0, 0, 19}, {"bdat", 0, 0, 20}, {"resume", 0, 0, 21},
        {"tls-max", 1, 0, 22}, {"barrier", 0, 0, 23}, {"idle", 1, 0, 24}, {"hold", 1, 0, 25},
        {"idle-msgs", 1, 0, 26}, {"ready-file", 1, 0, 27}, {"max-time", 1, 0, 28}, {"stall", 1, 0, 29},
        {"allow-errors", 0, 0, 30}, {"quiet", 0, 0, 31}, {"quickack", 0, 0, 34}, {"ciphers", 1, 0, 32}, {"groups", 1, 0, 33}, {"sources", 1, 0, 35},
        {"help", 0, 0, 99}, {0, 0, 0, 0}};
    for (int c; (c = getopt_long(argc, argv, "", o, NULL)) != -1;) switch (c) {
        case 1: C.host = optarg; break;
        case 2: C.port = atoi(optarg); break;
        case 3:
            C.mode = !strcmp(optarg, "plain") ? M_PLAIN : !strcmp(optarg, "starttls") ? M_STARTTLS
                     : !strcmp(optarg, "tls") ? M_TLS : -1;
            if (C.mode < 0) die("bad --mode");
            break;
        case 4:
            C.auth = !strcmp(optarg, "none") ? A_NONE : !strcmp(optarg, "plain") ? A_PLAIN
                     : !strcmp(optarg, "login") ? A_LOGIN : -1;
            if (C.auth < 0) die("bad --auth");
            break;
        case 5: C.user = optarg; break;
        case 6: C.pass = optarg; break;
        case 7: C.users = atoi(optarg); break;
        case 8: C.conns = atoi(optarg); break;
        case 9: C.per_conn = atoi(optarg); break;
        case 10: C.total = strtoull(optarg, NULL, 10); break;
        case 11: C.duration = atof(optarg); break;
        case 12: C.size = strtoull(optarg, NULL, 10); break;
        case 13: C.rcpts = atoi(optarg); break;
        case 14: C.from = optarg; break;
        case 15: C.rcpt_domain = optarg; break;
        case 16: C.ehlo = optarg; break;
        case 17: C.sni = optarg; break;
        case 18: C.pipe = true; break;
        case 19: C.chain = C.pipe = true; break;
        case 20: C.bdat = true; break;
        case 21: C.resume = true; break;
        case 22: C.tls_max = !strcmp(optarg, "1.2") ? TLS1_2_VERSION : TLS1_3_VERSION; break;
        case 23: C.barrier = true; break;
        case 24: C.idle = atoi(optarg); break;
        case 25: C.hold = atof(optarg); break;
        case 26: C.idle_msgs = atoi(optarg); break;
        case 27: C.ready_file = optarg; break;
        case 28: C.max_time = atof(optarg); break;
        case 29: C.stall = atof(optarg); break;
        case 30: C.allow = true; break;
        case 31: C.quiet = true; break;
        case 34: C.quickack = true; break;
        case 32: C.ciphers = optarg; break;
        case 33: C.groups = optarg; break;
        case 35: C.sources = atoi(optarg); break;
        default: load_usage();
        }
    if (C.conns < 1 || C.rcpts < 1) load_usage();
    if (!C.idle) {
        if (C.per_conn <= 0) C.per_conn = C.total || C.duration > 0 ? 1 << 30 : 1;
        if (!C.total && C.duration <= 0) C.total = (uint64_t)C.conns * (uint64_t)C.per_conn;
    } else {
        C.per_conn = C.idle_msgs;
        C.barrier = false;
        C.total = 0;
        C.duration = 0;
    }
    if (C.bdat && C.chain) die("--bdat does not go with --chain");
    raise_nofile((uint64_t)(C.idle > C.conns ? C.idle : C.conns) + 16);
    signal(SIGPIPE, SIG_IGN);
    struct sigaction sa = {.sa_handler = on_int};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    dst.sin_family = AF_INET;
    dst.sin_port = htons((uint16_t)C.port);
    if (inet_pton(AF_INET, C.host, &dst.sin_addr) != 1) die("bad address %s", C.host);
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    run_id = (uint32_t)(ts.tv_sec * 1000 + ts.tv_nsec / 1000000) ^ ((uint32_t)getpid() << 16);
    make_templates();
    if (C.mode != M_PLAIN) {
        cctx = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_verify(cctx, SSL_VERIFY_NONE, NULL);
        SSL_CTX_set_mode(cctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                   (C.idle ? SSL_MODE_RELEASE_BUFFERS : 0));
        SSL_CTX_set_read_ahead(cctx, C.idle ? 0 : 1);
        SSL_CTX_set_options(cctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
        if (C.tls_max) SSL_CTX_set_max_proto_version(cctx, C.tls_max);
        if (C.ciphers && !SSL_CTX_set_ciphersuites(cctx, C.ciphers) && !SSL_CTX_set_cipher_list(cctx, C.ciphers)) die("bad --ciphers");
        if (C.groups && !SSL_CTX_set1_curves_list(cctx, C.groups)) die("bad --groups");
        if (C.resume) {
            SSL_CTX_set_session_cache_mode(cctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
            SSL_CTX_sess_set_new_cb(cctx, new_session);
        }
    }
    cep = epoll_create1(EPOLL_CLOEXEC);
    ncv = C.idle ? C.idle : C.conns;
    cv = calloc((size_t)ncv, sizeof *cv);
    if (!cv) die("out of memory");
    t_start = now_ns();
    t_deadline = t_start + (uint64_t)(C.max_time * 1e9);
    int opened = 0;
    for (int i = 0; i < ncv; i++) { cv[i].slot = i; cv[i].io.fd = -1; }
    if (!C.idle)
        for (int i = 0; i < ncv; i++) c_try_start(&cv[i]);
    struct epoll_event evs[256];
    bool held = false, timed_out = false;
    uint64_t t_hold = 0, t_scan = t_start;
    double t_ready = 0;
    for (;;) {
        if (C.idle) {
            while (!stopping && opened < ncv && inflight < C.conns) {
                inflight++;
                c_open(&cv[opened++]);
            }
            if (!held && (opened == ncv || stopping) && inflight <= 0) {
                held = true;
                t_hold = now_ns();
                t_ready = (double)(t_hold - t_start) / 1e9;
                if (!C.quiet) {
                    printf("READY idle=%" PRIu64 " setup_s=%.2f errors=%" PRIu64 "\n", idle_ok, t_ready, errors);
                    fflush(stdout);
                }
                if (C.ready_file) {
                    FILE *f = fopen(C.ready_file, "w");
                    if (f) { fprintf(f, "%" PRIu64 "\n", idle_ok); fclose(f); }
                }
            }
            if (held && (c_int || (double)(now_ns() - t_hold) / 1e9 >= C.hold)) break;
        } else if (active == 0) break;
        if (c_int && !C.idle) { errors++; note("client", "interrupted"); break; }
        int n = epoll_wait(cep, evs, 256, 200);
        for (int i = 0; i < n; i++) c_event(evs[i].data.ptr, evs[i].events);
        uint64_t t = now_ns();
        if (t > t_deadline) {
            errors++;
            note("client", "--max-time reached");
            timed_out = true;
            break;
        }
        if (t - t_scan > 1000000000ull) { /* look for silent connections once a second */
            t_scan = t;
            for (int i = 0; i < ncv; i++)
                if (cv[i].st != X_FREE && cv[i].st != X_IDLE && cv[i].st != X_READY &&
                    t > cv[i].t_io && (double)(t - cv[i].t_io) / 1e9 > C.stall) {
                    static const char *nm[] = {"free", "connect", "tls", "greeting", "ehlo", "starttls",
                        "auth", "auth", "auth", "ready", "mail", "rcpt", "data", "body", "rset", "quit", "idle"};
                    c_fail(&cv[i], "stalled in", nm[cv[i].st]);
                }
        }
    }
    uint64_t t_end = now_ns();
    stopping = true;
    uint64_t still = 0;
    for (int i = 0; i < ncv; i++) {
        if (cv[i].st == X_FREE) continue;
        if (cv[i].st == X_IDLE) {
            still++;
            (void)!io_write(&cv[i].io, "QUIT\r\n", 6);
        }
        io_close(&cv[i].io);
    }
    (void)timed_out;
    qsort(lat, nlat, sizeof *lat, dbl_cmp);
    qsort(setup, nsetup, sizeof *setup, dbl_cmp);
    struct rusage ru;
    getrusage(RUSAGE_SELF, &ru);
    double cpu = (double)ru.ru_utime.tv_sec + (double)ru.ru_stime.tv_sec +
                 (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
    double wall = (double)(t_end - t_start) / 1e9;
    /* the message phase: first MAIL (or the barrier) to last final reply; with one message
       per connection the set-up is part of the work, so the whole run counts */
    double phase = C.per_conn == 1 || !t_first || t_last <= t_first ? (t_last > t_start ? (double)(t_last - t_start) / 1e9 : wall)
                                                                    : (double)(t_last - t_first) / 1e9;
    bool bad = errors || non2xx || rejected || (C.total && !C.allow && done_msgs != C.total);
    if (!C.quiet) {
        if (C.idle)
            printf("idle: %" PRIu64 " opened, %" PRIu64 " still open after %.1f s, %" PRIu64 " lost\n", idle_ok, still,
                   (double)(t_end - t_hold) / 1e9, idle_lost);
        else
            printf("%" PRIu64 " messages in %.3f s: %.1f msgs/s, %.2f MB/s\n", done_msgs, phase,
                   (double)done_msgs / phase, (double)done_bytes / phase / 1e6);
        printf("latency ms (MAIL to final reply): p50 %.3f  p90 %.3f  p99 %.3f  max %.3f\n", pct(lat, nlat, .5),
               pct(lat, nlat, .9), pct(lat, nlat, .99), pct(lat, nlat, 1));
        printf("session set-up ms (connect to ready): p50 %.3f  p99 %.3f  max %.3f\n", pct(setup, nsetup, .5),
               pct(setup, nsetup, .99), pct(setup, nsetup, 1));
        printf("client TLS library: " TLS_NAME "\nconnections %" PRIu64 " ready %" PRIu64 "; TLS handshakes %" PRIu64 " (%.1f/s, resumed %" PRIu64
               "); client CPU %.2f s\n", conns_opened, conns_ok, hs, (double)hs / wall, hs_resumed, cpu);
        printf("rejected %" PRIu64 ", non-2xx replies %" PRIu64 ", errors %" PRIu64 ", final replies that carry the sink's text %" PRIu64 "\n",
               rejected, non2xx, errors, upstream_seen);
    }
    for (int i = 0; i < 8; i++)
        if (err_cnt[i]) fprintf(stderr, "smtpload: %u x %s\n", err_cnt[i], err_text[i]);
    printf("RESULT msgs=%" PRIu64 " wall_s=%.3f phase_s=%.3f msgs_per_s=%.1f mb_per_s=%.2f p50_ms=%.3f p90_ms=%.3f"
           " p99_ms=%.3f max_ms=%.3f setup_p50_ms=%.3f setup_p99_ms=%.3f handshakes=%" PRIu64 " resumed=%" PRIu64
           " hs_per_s=%.1f rejected=%" PRIu64 " non2xx=%" PRIu64 " errors=%" PRIu64 " idle_ok=%" PRIu64 " idle_still=%" PRIu64
           " upstream_text=%" PRIu64 " client_cpu_s=%.2f\n",
           done_msgs, wall, phase, (double)done_msgs / phase, (double)done_bytes / phase / 1e6, pct(lat, nlat, .5),
           pct(lat, nlat, .9), pct(lat, nlat, .99), pct(lat, nlat, 1), pct(setup, nsetup, .5), pct(setup, nsetup, .99),
           hs, hs_resumed, (double)hs / wall, rejected, non2xx, errors, idle_ok, still, upstream_seen, cpu);
    return bad && !C.allow ? 1 : 0;
}

int main(int argc, char **argv)
{
    const char *b = strrchr(argv[0], '/');
    b = b ? b + 1 : argv[0];
    if (!strcmp(b, "smtpsink")) return sink_main(argc, argv);
    if (!strcmp(b, "smtpproc")) return proc_main(argc, argv);
    if (argc > 1 && !strcmp(argv[1], "sink")) return sink_main(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "proc")) return proc_main(argc - 1, argv + 1);
    if (argc > 1 && !strcmp(argv[1], "load")) return load_main(argc - 1, argv + 1);
    return load_main(argc, argv);
}
