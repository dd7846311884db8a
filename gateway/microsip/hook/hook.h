/* What the parts of the hook program share. */

#ifndef SIP_GATEWAY_HOOK_H
#define SIP_GATEWAY_HOOK_H

#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <windows.h>

enum ending {
    HANDED_OVER = 0, /* sent, that is; whether a gateway is there nobody tells */
    WRONG_USAGE = 2,
    NO_CONF = 3,     /* hand-over.conf is not there: no gateway has run yet */
    BAD_CONF = 4,    /* hand-over.conf cannot be read, or is not what a gateway writes */
    NO_CODE = 5,     /* bcrypt.dll refused */
    NOT_SENT = 6,    /* Winsock refused */
    NOT_CHAINED = 7, /* the datagram is on its way, but the hook in chain.conf did not start */
    SMASHED = 8,     /* a bound did not hold; nothing that this program does may reach it */
};

enum {
    LONGEST_KIND = 16,
    LONGEST_PATH = 1024,
    KEY_BYTES = 32,
};

struct event {
    const WCHAR *kind; /* ends at its length: it lies in the command line */
    int kind_length;
    const WCHAR *user; /* hostile text */
};

struct conf {
    USHORT port;
    UCHAR key[KEY_BYTES];
};

/* command_line.c */
BOOL is_blank(WCHAR unit);
BOOL read_event(const WCHAR *command_line, struct event *event);

/* beside.c */
enum { ABSENT = -1, BROKEN = -2 };
BOOL this_program(WCHAR path[LONGEST_PATH], DWORD *length);
int read_beside(const WCHAR *name, char *content, DWORD size);

/* conf.c */
enum ending read_conf(struct conf *conf);

/* hand_over.c */
enum ending hand_over(const struct event *event);

/* chain.c */
enum ending chain(const struct event *event);

#endif
