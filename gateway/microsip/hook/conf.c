/* hand-over.conf: where the gateway listens, the key they share. */

#include "hook.h"

enum { LONGEST_CONF = 128 };

static BOOL skip(const char **at, const char *expected)
{
    while (*expected)
        if (*(*at)++ != *expected++)
            return FALSE;
    return TRUE;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static BOOL parse_port(const char **at, USHORT *port)
{
    ULONG number = 0;
    while (**at >= '0' && **at <= '9' && number <= 65535)
        number = number * 10 + (ULONG)(*(*at)++ - '0');
    *port = (USHORT)number;
    return number > 0 && number <= 65535;
}

static BOOL parse_key(const char **at, UCHAR key[KEY_BYTES])
{
    for (int i = 0; i < KEY_BYTES; i++) {
        int high = hex_value(**at);
        int low = high < 0 ? -1 : hex_value((*at)[1]);
        if (low < 0)
            return FALSE;
        key[i] = (UCHAR)(high << 4 | low);
        *at += 2;
    }
    return TRUE;
}

enum ending read_conf(struct conf *conf)
{
    static char content[LONGEST_CONF];
    const char *at = content;
    int length = read_beside(L"hand-over.conf", content, LONGEST_CONF);
    if (length < 0)
        return length == ABSENT ? NO_CONF : BAD_CONF;
    content[length] = 0; /* at the NUL every parser stops */
    BOOL good = skip(&at, "port=") && parse_port(&at, &conf->port) && skip(&at, "\nkey=") &&
                parse_key(&at, conf->key) && skip(&at, "\n") && at == content + length;
    return good ? HANDED_OVER : BAD_CONF;
}
