/* Where one command does not hold all, the order matters: Postfix asks anew,
 * with the address just told, who may say XCLIENT, and forgets a login that
 * the next command does not repeat. So ADDR and LOGIN go last and together. */
#include "proxy/smtp/xclient.h"

#include "proxy/smtp/helo_name.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define VERB "XCLIENT"
#define SCRATCH_MAX 64

struct attribute_row {
    struct str name;
    enum xclient_attribute bit;
    bool joins_next; /* in the same command */
    /* n 0: unknown. May use the scratch. NULL: Postern never knows it. */
    struct str (*value)(const struct client_identity *client,
                        char scratch[SCRATCH_MAX]);
};

/* " ADDR=192.0.2.1": what goes into a command as a whole. */
struct piece {
    char text[XCLIENT_COMMAND_MAX];
    size_t n;
    bool is_too_long;
};

static struct str port_of(const struct client_identity *client,
                          char scratch[SCRATCH_MAX])
{
    int n = snprintf(scratch, SCRATCH_MAX, "%u", (unsigned)client->port);
    return str_span(scratch, client->port == 0 ? 0 : (size_t)n);
}

static struct str proto_of(const struct client_identity *client,
                           char scratch[SCRATCH_MAX])
{
    (void)scratch;
    return client->is_extended ? STR("ESMTP") : STR("SMTP");
}

static struct str helo_of(const struct client_identity *client,
                          char scratch[SCRATCH_MAX])
{
    (void)scratch;
    return client_identity_helo(client);
}

static struct str address_of(const struct client_identity *client,
                             char scratch[SCRATCH_MAX])
{
    if (!client->is_v6 || client->address.n == 0)
        return client->address;
    int n = snprintf(scratch, SCRATCH_MAX, "IPV6:%.*s", (int)client->address.n,
                     client->address.p);
    return str_span(scratch, n > 0 && n < SCRATCH_MAX ? (size_t)n : 0);
}

static struct str login_of(const struct client_identity *client,
                           char scratch[SCRATCH_MAX])
{
    (void)scratch;
    return client->login;
}

static const struct attribute_row ROWS[] = {
    {STR_INIT("DESTADDR"), XCLIENT_DESTADDR, false, NULL},
    {STR_INIT("DESTPORT"), XCLIENT_DESTPORT, false, NULL},
    /* No names are looked up. */
    {STR_INIT("NAME"), XCLIENT_NAME, false, NULL},
    {STR_INIT("REVERSE_NAME"), XCLIENT_REVERSE_NAME, false, NULL},
    {STR_INIT("PORT"), XCLIENT_PORT, false, port_of},
    {STR_INIT("PROTO"), XCLIENT_PROTO, false, proto_of},
    {STR_INIT("HELO"), XCLIENT_HELO, false, helo_of},
    {STR_INIT("ADDR"), XCLIENT_ADDR, true, address_of},
    {STR_INIT("LOGIN"), XCLIENT_LOGIN, false, login_of},
};

#define ROW_COUNT (sizeof ROWS / sizeof *ROWS)

bool client_identity_equals(const struct client_identity *a,
                            const struct client_identity *b)
{
    return a->is_v6 == b->is_v6 && a->port == b->port &&
           a->is_extended == b->is_extended &&
           str_equals(a->address, b->address) && str_equals(a->helo, b->helo) &&
           str_equals(a->login, b->login);
}

bool client_identity_is_same_connection(const struct client_identity *a,
                                        const struct client_identity *b)
{
    return a->port == b->port && str_equals(a->address, b->address) &&
           a->server_port == b->server_port &&
           ip_equals(&a->server, &b->server);
}

struct str client_identity_helo(const struct client_identity *client)
{
    return helo_name_is_valid(client->helo) ? client->helo : STR("");
}

unsigned xclient_offered(struct str names)
{
    unsigned offered = 0;
    bool has_more = true;
    while (has_more) {
        struct str name;
        has_more = str_cut(names, ' ', &name, &names);
        for (size_t i = 0; i < ROW_COUNT; i++)
            if (str_equals_nocase(name, ROWS[i].name))
                offered |= ROWS[i].bit;
    }
    return offered;
}

static void put(struct piece *piece, struct str octets)
{
    if (octets.n > sizeof piece->text - piece->n) {
        piece->is_too_long = true;
        return;
    }
    memcpy(piece->text + piece->n, octets.p, octets.n);
    piece->n += octets.n;
}

/* RFC 3461 4: all but printable ASCII, and '+' and '=', as '+' and two
 * digits. */
static void put_xtext(struct piece *piece, struct str value)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < value.n; i++) {
        unsigned char octet = (unsigned char)value.p[i];
        char coded[] = {'+', digits[octet >> 4], digits[octet & 15]};
        bool is_plain =
            octet >= '!' && octet <= '~' && octet != '+' && octet != '=';
        put(piece, is_plain ? str_span(&value.p[i], 1)
                            : str_span(coded, sizeof coded));
    }
}

static void put_attribute(struct piece *piece, const struct attribute_row *row,
                          const struct client_identity *client)
{
    char scratch[SCRATCH_MAX];
    struct str value =
        row->value == NULL ? STR("") : row->value(client, scratch);
    put(piece, STR(" "));
    put(piece, row->name);
    put(piece, STR("="));
    if (value.n > 0)
        put_xtext(piece, value);
    else
        put(piece, STR("[UNAVAILABLE]"));
}

/* The commands so far, the last without its CRLF. */
struct commands {
    char *to;
    size_t length;
    size_t last; /* where the last begins */
};

static void append(struct commands *commands, struct str octets)
{
    assert(octets.n <= XCLIENT_COMMANDS_MAX - commands->length);
    memcpy(commands->to + commands->length, octets.p, octets.n);
    commands->length += octets.n;
}

static int add_piece(struct commands *commands, struct piece *piece)
{
    const size_t room = XCLIENT_COMMAND_MAX - 2;
    struct str text = str_span(piece->text, piece->n);
    if (piece->is_too_long || sizeof VERB - 1 + piece->n > room)
        return -1;
    bool is_full = commands->length - commands->last + piece->n > room;
    if (is_full)
        append(commands, STR("\r\n"));
    if (is_full || commands->length == 0) {
        commands->last = commands->length;
        append(commands, STR(VERB));
    }
    append(commands, text);
    piece->n = 0;
    return 0;
}

/* However it is encoded, such a login is read as "unknown". */
static bool reads_as_none(struct str login)
{
    return str_equals_nocase(login, STR("[UNAVAILABLE]")) ||
           str_equals_nocase(login, STR("[TEMPUNAVAIL]"));
}

int xclient_write(const struct client_identity *client, unsigned offered,
                  char to[XCLIENT_COMMANDS_MAX], size_t *length)
{
    struct commands commands = {.to = to};
    struct piece piece = {.n = 0};
    if (reads_as_none(client->login))
        return -1;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if ((offered & ROWS[i].bit) != 0)
            put_attribute(&piece, &ROWS[i], client);
        bool is_whole = piece.n > 0 && !ROWS[i].joins_next;
        if (is_whole && add_piece(&commands, &piece) != 0)
            return -1;
    }
    if (commands.length == 0)
        return -1;
    append(&commands, STR("\r\n"));
    *length = commands.length;
    return 0;
}
