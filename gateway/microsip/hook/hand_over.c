/* The datagram: composed, authenticated, sent to the gateway. */

#include "hook.h"

#include <bcrypt.h>

enum {
    LONGEST_USER = 256,       /* characters */
    LONGEST_USER_BYTES = 600, /* of its UTF-8 */
    LONGEST_DATAGRAM = 1400,
    NONCE_BYTES = 8,
    CODE_BYTES = 32,
};

struct text {
    char bytes[LONGEST_DATAGRAM];
    int length;
    BOOL cut;
};

static void append_byte(struct text *text, char byte)
{
    if (text->length >= LONGEST_DATAGRAM) {
        text->cut = TRUE;
        return;
    }
    text->bytes[text->length++] = byte;
}

static void append(struct text *text, const char *string)
{
    while (*string)
        append_byte(text, *string++);
}

static void append_hex(struct text *text, const UCHAR *bytes, int count)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < count; i++) {
        append_byte(text, digits[bytes[i] >> 4]);
        append_byte(text, digits[bytes[i] & 15]);
    }
}

static void append_decimal(struct text *text, ULONGLONG number)
{
    char digits[20]; /* of 2^64 - 1 */
    int count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    while (count)
        append_byte(text, digits[--count]);
}

/* How many UTF-16 units of the user part are carried: whole characters, within both limits. */
static int carried_units(const WCHAR *user)
{
    int units = 0, characters = 0, bytes = 0;
    while (user[units] && characters < LONGEST_USER) {
        BOOL pair = IS_HIGH_SURROGATE(user[units]) && IS_LOW_SURROGATE(user[units + 1]);
        int width = pair ? 4 : user[units] < 0x80 ? 1 : user[units] < 0x800 ? 2 : 3;
        if (bytes + width > LONGEST_USER_BYTES)
            break;
        bytes += width;
        units += pair ? 2 : 1;
        characters++;
    }
    return units;
}

static void append_user(struct text *text, const WCHAR *user)
{
    static char utf8[LONGEST_USER_BYTES];
    int units = carried_units(user);
    int bytes = units ? WideCharToMultiByte(CP_UTF8, 0, user, units, utf8, sizeof utf8, NULL,
                                            NULL)
                      : 0;
    if (bytes)
        append_hex(text, (const UCHAR *)utf8, bytes);
    else
        append_byte(text, '-');
}

static ULONGLONG unix_milliseconds(void)
{
    const ULONGLONG unix_epoch = 116444736000000000ULL; /* FILETIME counts 100 ns from 1601 */
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    ULONGLONG ticks = (ULONGLONG)now.dwHighDateTime << 32 | now.dwLowDateTime;
    return (ticks - unix_epoch) / 10000;
}

static BOOL authenticate(const struct text *text, const UCHAR *key, UCHAR code[CODE_BYTES])
{
    BCRYPT_ALG_HANDLE hmac;
    BCRYPT_HASH_HANDLE hash;
    return BCRYPT_SUCCESS(BCryptOpenAlgorithmProvider(&hmac, BCRYPT_SHA256_ALGORITHM, NULL,
                                                      BCRYPT_ALG_HANDLE_HMAC_FLAG)) &&
           BCRYPT_SUCCESS(
               BCryptCreateHash(hmac, &hash, NULL, 0, (PUCHAR)key, KEY_BYTES, 0)) &&
           BCRYPT_SUCCESS(BCryptHashData(hash, (PUCHAR)text->bytes, (ULONG)text->length, 0)) &&
           BCRYPT_SUCCESS(BCryptFinishHash(hash, code, CODE_BYTES, 0));
}

static BOOL compose(const struct event *event, const UCHAR *key, struct text *datagram)
{
    UCHAR nonce[NONCE_BYTES];
    UCHAR code[CODE_BYTES];
    if (!BCRYPT_SUCCESS(
            BCryptGenRandom(NULL, nonce, NONCE_BYTES, BCRYPT_USE_SYSTEM_PREFERRED_RNG)))
        return FALSE;
    append(datagram, "sip-gateway-event 1 ");
    append_decimal(datagram, unix_milliseconds());
    append_byte(datagram, ' ');
    append_hex(datagram, nonce, NONCE_BYTES);
    append_byte(datagram, ' ');
    for (int i = 0; i < event->kind_length; i++)
        append_byte(datagram, (char)event->kind[i]); /* ASCII: read_event saw to it */
    append_byte(datagram, ' ');
    append_user(datagram, event->user);
    if (!authenticate(datagram, key, code))
        return FALSE;
    append_byte(datagram, ' ');
    append_hex(datagram, code, CODE_BYTES);
    return !datagram->cut;
}

static BOOL send_datagram(USHORT port, const struct text *datagram)
{
    static WSADATA data;
    static struct sockaddr_in gateway;
    gateway.sin_family = AF_INET;
    gateway.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    gateway.sin_port = htons(port);
    if (WSAStartup(MAKEWORD(2, 2), &data))
        return FALSE;
    SOCKET udp = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    return udp != INVALID_SOCKET &&
           sendto(udp, datagram->bytes, datagram->length, 0, (struct sockaddr *)&gateway,
                  sizeof gateway) == datagram->length;
}

enum ending hand_over(const struct event *event)
{
    static struct text datagram;
    static struct conf conf;
    enum ending ending = read_conf(&conf);
    if (ending != HANDED_OVER)
        return ending;
    if (!compose(event, conf.key, &datagram))
        return NO_CODE;
    return send_datagram(conf.port, &datagram) ? HANDED_OVER : NOT_SENT;
}
