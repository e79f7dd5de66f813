#include "proxy/log/printable.h"

#include <stdio.h>
#include <string.h>

#include "rules/base/utf8.h"

#define CUT "..."
#define CUT_OCTETS (sizeof CUT - 1)
#define PIECE_MAX 16

/* Takes one character (or one foreign octet) off text, and gives the octets
 * that stand for it. */
static size_t take_piece(struct str *text, char piece[PIECE_MAX])
{
    uint32_t character = 0;
    unsigned octet = (unsigned char)text->p[0];
    size_t octets = utf8_next(*text, &character);
    int length;
    if (octets == 0)
        length = snprintf(piece, PIECE_MAX, "\\x%02x", octet);
    else if (character == '\n')
        length = snprintf(piece, PIECE_MAX, "\\n");
    else if (character == '\r')
        length = snprintf(piece, PIECE_MAX, "\\r");
    else if (character == '\t')
        length = snprintf(piece, PIECE_MAX, "\\t");
    else if (character == '\\')
        length = snprintf(piece, PIECE_MAX, "\\\\");
    else if (utf8_is_control(character) && character < 0x80)
        length = snprintf(piece, PIECE_MAX, "\\x%02x", octet);
    else if (utf8_is_control(character))
        length = snprintf(piece, PIECE_MAX, "\\u{%x}", (unsigned)character);
    else
        length = snprintf(piece, PIECE_MAX, "%.*s", (int)octets, text->p);
    *text = str_skip(*text, octets == 0 ? 1 : octets);
    return (size_t)length;
}

size_t printable(struct str text, char *out, size_t room)
{
    size_t length = 0;
    size_t safe = 0; /* up to here there is room for CUT behind */
    while (text.n > 0) {
        char piece[PIECE_MAX];
        size_t octets = take_piece(&text, piece);
        if (octets > room - length) {
            size_t dots = room - safe < CUT_OCTETS ? room - safe : CUT_OCTETS;
            memcpy(out + safe, CUT, dots);
            return safe + dots;
        }
        memcpy(out + length, piece, octets);
        length += octets;
        if (room - length >= CUT_OCTETS)
            safe = length;
    }
    return length;
}
