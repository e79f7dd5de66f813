#include "rules/cidr.h"

#include <arpa/inet.h>
#include <string.h>

#define V4_BITS 32
#define V6_BITS 128
#define MAPPED_BITS 96

static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Octets as written: mapped addresses are not unwrapped yet. */
static int parse_octets(struct str text, struct ip *out)
{
    char terminated[INET6_ADDRSTRLEN];
    if (text.n == 0 || text.n >= sizeof terminated)
        return -1;
    if (str_index(text, '\0') >= 0)
        return -1;
    memcpy(terminated, text.p, text.n);
    terminated[text.n] = '\0';
    *out = (struct ip){.is_v6 = str_index(text, ':') >= 0};
    int family = out->is_v6 ? AF_INET6 : AF_INET;
    return inet_pton(family, terminated, out->octets) == 1 ? 0 : -1;
}

static bool is_mapped(const struct ip *ip)
{
    return ip->is_v6 && memcmp(ip->octets, MAPPED, sizeof MAPPED) == 0;
}

static void unwrap(struct ip *ip)
{
    struct ip inner = {.is_v6 = false};
    memcpy(inner.octets, ip->octets + sizeof MAPPED, 4);
    *ip = inner;
}

int ip_parse(struct str text, struct ip *out)
{
    if (parse_octets(text, out) < 0)
        return -1;
    if (is_mapped(out))
        unwrap(out);
    return 0;
}

static unsigned bits_of(const struct ip *ip)
{
    return ip->is_v6 ? V6_BITS : V4_BITS;
}

/* Of octet `i`, the bits that lie within the prefix. */
static uint8_t octet_mask(unsigned i, unsigned prefix)
{
    if (prefix >= (i + 1) * 8)
        return 0xff;
    if (prefix <= i * 8)
        return 0;
    return (uint8_t)(0xffU << ((i + 1) * 8 - prefix));
}

static void mask(struct ip *ip, unsigned prefix)
{
    for (unsigned i = 0; i < sizeof ip->octets; i++)
        ip->octets[i] = (uint8_t)(ip->octets[i] & octet_mask(i, prefix));
}

static int parse_prefix(struct str text, unsigned most, unsigned *out)
{
    uint64_t bits;
    if (text.n > 3 || (text.n > 1 && text.p[0] == '0'))
        return -1;
    if (str_to_u64(text, &bits) < 0 || bits > most)
        return -1;
    *out = (unsigned)bits;
    return 0;
}

bool ip_equals(const struct ip *a, const struct ip *b)
{
    return a->is_v6 == b->is_v6 &&
           memcmp(a->octets, b->octets, a->is_v6 ? 16 : 4) == 0;
}

int cidr_parse(struct str text, struct cidr *out)
{
    struct str address;
    struct str bits;
    bool has_prefix = str_cut(text, '/', &address, &bits);
    if (parse_octets(address, &out->network) < 0)
        return -1;
    out->prefix = bits_of(&out->network);
    if (has_prefix && parse_prefix(bits, out->prefix, &out->prefix) < 0)
        return -1;
    struct ip masked = out->network;
    mask(&masked, out->prefix);
    if (memcmp(masked.octets, out->network.octets, sizeof masked.octets) != 0)
        return -2;
    /* No host bits: a mapped network has all of its first 96 bits. */
    if (is_mapped(&out->network)) {
        unwrap(&out->network);
        out->prefix -= MAPPED_BITS;
    }
    return 0;
}

bool cidr_contains(const struct cidr *cidr, const struct ip *ip)
{
    if (cidr->network.is_v6 != ip->is_v6)
        return false;
    struct ip masked = *ip;
    mask(&masked, cidr->prefix);
    return memcmp(masked.octets, cidr->network.octets, bits_of(ip) / 8) == 0;
}

bool cidr_list_contains(const struct cidr *items, size_t count,
                        const struct ip *ip)
{
    for (size_t i = 0; i < count; i++)
        if (cidr_contains(&items[i], ip))
            return true;
    return false;
}

struct str ip_text(struct arena *arena, const struct ip *ip)
{
    char text[INET6_ADDRSTRLEN];
    int family = ip->is_v6 ? AF_INET6 : AF_INET;
    if (inet_ntop(family, ip->octets, text, sizeof text) == NULL)
        return (struct str){NULL, 0};
    return arena_str(arena, str_from(text));
}

struct str ip_net_text(struct arena *arena, const struct ip *ip)
{
    if (!ip->is_v6)
        return ip_text(arena, ip);
    struct ip net = *ip;
    mask(&net, 64);
    struct str text = ip_text(arena, &net);
    if (text.p == NULL)
        return text;
    return arena_printf(arena, "%.*s/64", (int)text.n, text.p);
}
