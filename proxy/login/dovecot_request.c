/* The writing of requests (dovecot_protocol.h). What comes from outside is
 * escaped, or in base64. */
#include "proxy/login/dovecot_protocol.h"

#include <stdio.h>
#include <string.h>

#include "proxy/sasl/base64.h"
#include "rules/base/octet_writer.h"

static void put_text(struct octet_writer *w, const char *text)
{
    octet_writer_put(w, str_from(text));
}

static void put_number(struct octet_writer *w, uint32_t number)
{
    char text[16];
    int n = snprintf(text, sizeof text, "%lu", (unsigned long)number);
    octet_writer_put(w, str_span(text, n < 0 ? 0 : (size_t)n));
}

static const char *escape_of(char c)
{
    switch (c) {
    case '\0':
        return "\0010";
    case '\001':
        return "\0011";
    case '\t':
        return "\001t";
    case '\n':
        return "\001n";
    case '\r':
        return "\001r";
    default:
        return NULL;
    }
}

static void put_escaped(struct octet_writer *w, struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        const char *escape = escape_of(value.p[i]);
        octet_writer_put(w, escape == NULL ? str_span(&value.p[i], 1)
                                           : str_from(escape));
    }
}

static void put_field(struct octet_writer *w, const char *name,
                      struct str value)
{
    if (value.n == 0)
        return;
    put_text(w, "\t");
    put_text(w, name);
    put_text(w, "=");
    put_escaped(w, value);
}

static void put_port(struct octet_writer *w, const char *name, uint16_t port)
{
    if (port == 0)
        return;
    put_text(w, "\t");
    put_text(w, name);
    put_text(w, "=");
    put_number(w, port);
}

static void put_base64(struct octet_writer *w, struct str octets)
{
    if (BASE64_ROOM(octets.n) > w->room - w->used) {
        w->is_full = true;
        return;
    }
    w->used += base64_encode(octets, w->to + w->used).n;
}

static struct octet_writer writer_of(char *to, size_t room)
{
    return (struct octet_writer){
        .to = to, .room = room < DOVECOT_LINE_MAX ? room : DOVECOT_LINE_MAX};
}

static size_t end(struct octet_writer *w)
{
    put_text(w, "\n");
    if (!w->is_full)
        return w->used;
    explicit_bzero(w->to, w->used);
    return 0;
}

size_t dovecot_write_hello(uint32_t process, char *to, size_t room)
{
    struct octet_writer w = writer_of(to, room);
    put_text(&w, "VERSION\t1\t1\nCPID\t");
    put_number(&w, process);
    return end(&w);
}

/* The response must be the last field. */
size_t dovecot_write_request(const struct dovecot_request *request, char *to,
                             size_t room)
{
    struct octet_writer w = writer_of(to, room);
    put_text(&w, "AUTH\t");
    put_number(&w, request->id);
    put_text(&w, "\t");
    put_text(&w, dovecot_mechanism_name(request->mechanism));
    put_text(&w, "\tservice=smtp\tsecured");
    put_field(&w, "lip", request->local_ip);
    put_field(&w, "rip", request->remote_ip);
    put_port(&w, "lport", request->local_port);
    put_port(&w, "rport", request->remote_port);
    put_field(&w, "session", request->session);
    put_text(&w, "\tnologin\tresp=");
    put_base64(&w, request->response);
    return end(&w);
}

/* RFC 7628 3.2.3. */
size_t dovecot_write_last_response(uint32_t id, char *to, size_t room)
{
    struct octet_writer w = writer_of(to, room);
    put_text(&w, "CONT\t");
    put_number(&w, id);
    put_text(&w, "\tAQ==");
    return end(&w);
}

size_t dovecot_write_cancel(uint32_t id, char *to, size_t room)
{
    struct octet_writer w = writer_of(to, room);
    put_text(&w, "CANCEL\t");
    put_number(&w, id);
    return end(&w);
}
