#include "proxy/net/proxy_header.h"

#include <string.h>

#define TEXT_MAX 107 /* of version 1, with its CRLF */
#define FIXED 16     /* of version 2 */
#define CHECKSUM_TYPE 0x03

static const struct str TEXT_START = STR_INIT("PROXY ");
static const struct str SIGNATURE =
    STR_INIT("\r\n\r\n\0\r\nQUIT\n"); /* of version 2 */

static enum proxy_header_result bad(const char **why, const char *words)
{
    *why = words;
    return PROXY_HEADER_BAD;
}

static bool read_port(struct str text, uint16_t *port)
{
    uint64_t number;
    bool has_zero = text.n > 1 && text.p[0] == '0';
    if (has_zero || str_to_u64(text, &number) != 0 || number > 65535)
        return false;
    *port = (uint16_t)number;
    return true;
}

static bool read_address(struct str text, bool is_v6, struct ip *ip)
{
    return (str_index(text, ':') >= 0) == is_v6 && ip_parse(text, ip) == 0;
}

/* "TCP4 192.0.2.1 192.0.2.2 49152 25": single spaces, nothing behind. */
static bool read_words(struct str words, struct proxy_header *out)
{
    struct str word[5];
    for (size_t i = 0; i < 5; i++)
        if (str_cut(words, ' ', &word[i], &words) != (i < 4))
            return false;
    bool is_v6 = str_equals(word[0], STR("TCP6"));
    if (!is_v6 && !str_equals(word[0], STR("TCP4")))
        return false;
    out->has_client = true;
    return read_address(word[1], is_v6, &out->client) &&
           read_address(word[2], is_v6, &out->server) &&
           read_port(word[3], &out->port) &&
           read_port(word[4], &out->server_port);
}

static enum proxy_header_result
read_text(struct str octets, struct proxy_header *out, const char **why)
{
    struct str line = str_head(octets, TEXT_MAX);
    ptrdiff_t end = str_index(line, '\n');
    if (end < 0)
        return octets.n < TEXT_MAX ? PROXY_HEADER_MORE
                                   : bad(why, "its line has no end");
    if (end == 0 || line.p[end - 1] != '\r')
        return bad(why, "its line does not end with CR LF");
    out->octets = (size_t)end + 1;
    line = str_skip(str_head(line, (size_t)end - 1), TEXT_START.n);
    if (str_equals(line, STR("UNKNOWN")) ||
        str_starts_with(line, STR("UNKNOWN ")))
        return PROXY_HEADER_READY;
    return read_words(line, out) ? PROXY_HEADER_READY
                                 : bad(why, "its line can't be read");
}

static size_t read_u16(const char *p)
{
    return (size_t)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

/* CRC-32C (RFC 3720 B.4), with the four octets at `hole` taken as zero. */
static uint32_t checksum(struct str octets, size_t hole)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < octets.n; i++) {
        bool is_hole = i >= hole && i < hole + 4;
        crc ^= is_hole ? 0 : (unsigned char)octets.p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
    }
    return ~crc;
}

static const char *check_values(struct str header, size_t at)
{
    while (at < header.n) {
        if (header.n - at < 3 ||
            read_u16(header.p + at + 1) > header.n - at - 3)
            return "a value in it is cut off";
        size_t n = read_u16(header.p + at + 1);
        const char *value = header.p + at + 3;
        if (header.p[at] == CHECKSUM_TYPE &&
            (n != 4 ||
             checksum(header, at + 3) !=
                 (uint32_t)(read_u16(value) << 16 | read_u16(value + 2))))
            return "its checksum is wrong";
        at += 3 + n;
    }
    return NULL;
}

/* How many octets of addresses a family has; -1: none that we take. */
static int addresses_of(unsigned char family)
{
    switch (family) {
    case 0x00: /* unspecified */
        return 0;
    case 0x11: /* TCP over IPv4 */
        return 12;
    case 0x21: /* TCP over IPv6 */
        return 36;
    case 0x31: /* a unix socket */
        return 216;
    default:
        return -1;
    }
}

/* As everywhere, a mapped address is the IPv4 one that it holds. */
static const char MAPPED[12] = "\0\0\0\0\0\0\0\0\0\0\xff\xff";

static void take_address(const char *from, bool is_v6, struct ip *ip)
{
    bool is_mapped = is_v6 && memcmp(from, MAPPED, sizeof MAPPED) == 0;
    ip->is_v6 = is_v6 && !is_mapped;
    memcpy(ip->octets, is_mapped ? from + 12 : from, ip->is_v6 ? 16 : 4);
}

static void take_client(struct str header, unsigned char family,
                        struct proxy_header *out)
{
    const char *from = header.p + FIXED;
    bool is_v6 = family == 0x21;
    size_t n = is_v6 ? 16 : 4;
    if (family != 0x11 && !is_v6)
        return;
    take_address(from, is_v6, &out->client);
    take_address(from + n, is_v6, &out->server);
    out->port = (uint16_t)read_u16(from + 2 * n);
    out->server_port = (uint16_t)read_u16(from + 2 * n + 2);
    out->has_client = true;
}

static enum proxy_header_result
read_binary(struct str octets, struct proxy_header *out, const char **why)
{
    if (octets.n < FIXED)
        return PROXY_HEADER_MORE;
    unsigned char command = (unsigned char)octets.p[12];
    unsigned char family = (unsigned char)octets.p[13];
    size_t n = read_u16(octets.p + 14);
    if (command != 0x20 && command != 0x21)
        return bad(why, "its version or command is unknown");
    /* LOCAL: whatever it says, it names no client. */
    if (command == 0x20)
        family = 0;
    int addresses = addresses_of(family);
    if (addresses < 0)
        return bad(why, "its kind of address is unknown");
    if (n < (size_t)addresses)
        return bad(why, "it is too short for its addresses");
    if (n > PROXY_HEADER_MAX - FIXED)
        return bad(why, "it is too long");
    if (octets.n < FIXED + n)
        return PROXY_HEADER_MORE;
    struct str header = str_head(octets, FIXED + n);
    if (command == 0x21)
        *why = check_values(header, FIXED + (size_t)addresses);
    if (*why != NULL)
        return PROXY_HEADER_BAD;
    take_client(header, family, out);
    out->octets = header.n;
    return PROXY_HEADER_READY;
}

/* Whether one could still become, or is, the beginning of the other. */
static bool may_be(struct str octets, struct str start)
{
    size_t n = octets.n < start.n ? octets.n : start.n;
    return str_equals(str_head(octets, n), str_head(start, n));
}

enum proxy_header_result
proxy_header_read(struct str octets, struct proxy_header *out, const char **why)
{
    *out = (struct proxy_header){0};
    *why = NULL;
    if (may_be(octets, TEXT_START))
        return octets.n < TEXT_START.n ? PROXY_HEADER_MORE
                                       : read_text(octets, out, why);
    if (may_be(octets, SIGNATURE))
        return octets.n < SIGNATURE.n ? PROXY_HEADER_MORE
                                      : read_binary(octets, out, why);
    return bad(why, "what came is no header");
}

static size_t put_address(const struct ip *ip, bool is_v6, char *to)
{
    size_t n = ip->is_v6 ? 16 : 4;
    size_t before = is_v6 && !ip->is_v6 ? sizeof MAPPED : 0;
    memcpy(to, MAPPED, before);
    memcpy(to + before, ip->octets, n);
    return before + n;
}

static size_t put_u16(uint16_t number, char *to)
{
    to[0] = (char)(number >> 8);
    to[1] = (char)(number & 255);
    return 2;
}

size_t proxy_header_write(const struct proxy_header *header,
                          char to[PROXY_HEADER_WRITTEN_MAX])
{
    bool is_v6 = header->client.is_v6 || header->server.is_v6;
    size_t n = FIXED;
    memcpy(to, SIGNATURE.p, SIGNATURE.n);
    to[12] = header->has_client ? 0x21 : 0x20;
    to[13] = 0;
    if (header->has_client) {
        to[13] = is_v6 ? 0x21 : 0x11;
        n += put_address(&header->client, is_v6, to + n);
        n += put_address(&header->server, is_v6, to + n);
        n += put_u16(header->port, to + n);
        n += put_u16(header->server_port, to + n);
    }
    put_u16((uint16_t)(n - FIXED), to + 14);
    return n;
}
