/* sip-gateway-hook.exe KIND -- USER: hands one event of MicroSIP over to the gateway.
 *
 * MicroSIP runs this for each event of a call and waits for it, up to 10 s, with its window
 * frozen. So it sends one datagram to the gateway on loopback and is gone: no C runtime to
 * start, no window, nothing it waits for. The format of the datagram is that of
 * gateway/microsip/hand_over.py, of hand-over.conf that of hand_over_conf.py.
 *
 * USER is all that follows the first " -- ": text that whoever calls has chosen. It is never
 * interpreted, only carried.
 *
 * The hooks that were there before this one are in chain.conf beside the program, a line
 * KIND=VALUE each, in UTF-8: VALUE as it stood in microsip.ini. They are started as MicroSIP
 * would, after the datagram has left.
 *
 * What the process holds open, Windows closes when it ends.
 */

#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <windows.h>

#include <bcrypt.h>
#include <shellapi.h>

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
    LONGEST_USER = 256,       /* characters */
    LONGEST_USER_BYTES = 600, /* of its UTF-8 */
    LONGEST_DATAGRAM = 1400,
    LONGEST_PATH = 1024,
    LONGEST_CONF = 128,
    LONGEST_CHAIN = 16384,
    LONGEST_COMMAND = 2048,
    LONGEST_COMMAND_LINE = 32767, /* of Windows */
    KEY_BYTES = 32,
    CODE_BYTES = 32,
    NONCE_BYTES = 8,
};

struct event {
    const WCHAR *kind;
    int kind_length;
    const WCHAR *user;
};

struct conf {
    USHORT port;
    UCHAR key[KEY_BYTES];
};

struct text {
    char bytes[LONGEST_DATAGRAM];
    int length;
    BOOL cut;
};

struct wide_text {
    WCHAR units[LONGEST_COMMAND_LINE + 1]; /* always ends with a NUL */
    int length;
    BOOL cut;
};

/* The command line */

static BOOL is_blank(WCHAR unit)
{
    return unit == L' ' || unit == L'\t';
}

static const WCHAR *after_blanks(const WCHAR *at)
{
    while (is_blank(*at))
        at++;
    return at;
}

/* The path of this program may hold blanks, and even " -- ". */
static const WCHAR *after_program(const WCHAR *at)
{
    if (*at != L'"') {
        while (*at && !is_blank(*at))
            at++;
        return at;
    }
    at++;
    while (*at && *at != L'"')
        at++;
    return *at ? at + 1 : at;
}

static BOOL read_event(const WCHAR *command_line, struct event *event)
{
    const WCHAR *at = after_blanks(after_program(command_line));
    event->kind = at;
    while ((*at >= L'a' && *at <= L'z') || *at == L'-')
        at++;
    if (at == event->kind || at - event->kind > LONGEST_KIND)
        return FALSE;
    event->kind_length = (int)(at - event->kind);
    if (!is_blank(*at))
        return FALSE;
    at = after_blanks(at);
    if (at[0] != L'-' || at[1] != L'-')
        return FALSE;
    at += 2;
    if (*at && !is_blank(*at))
        return FALSE;
    event->user = *at ? at + 1 : at; /* one blank parts them, any more are the user's */
    return TRUE;
}

/* Bounded text */

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

static void append_unit(struct wide_text *text, WCHAR unit)
{
    if (text->length >= LONGEST_COMMAND_LINE) {
        text->cut = TRUE;
        return;
    }
    text->units[text->length++] = unit;
    text->units[text->length] = 0;
}

static void append_wide(struct wide_text *text, const WCHAR *string)
{
    while (*string)
        append_unit(text, *string++);
}

/* The files beside this program */

static BOOL path_beside(const WCHAR *name, WCHAR path[LONGEST_PATH])
{
    DWORD length = GetModuleFileNameW(NULL, path, LONGEST_PATH);
    if (length == 0 || length >= LONGEST_PATH)
        return FALSE;
    while (length && path[length - 1] != L'\\')
        length--;
    for (; *name; name++) {
        if (length + 1 >= LONGEST_PATH)
            return FALSE;
        path[length++] = *name;
    }
    path[length] = 0;
    return TRUE;
}

enum { ABSENT = -1, BROKEN = -2 };

/* The length of what is in the file, always less than *size*, or ABSENT or BROKEN. The gateway
 * may replace the file meanwhile: all sharing is allowed. */
static int read_beside(const WCHAR *name, char *content, DWORD size)
{
    static WCHAR path[LONGEST_PATH];
    DWORD length = 0;
    if (!path_beside(name, path))
        return BROKEN;
    HANDLE file =
        CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return GetLastError() == ERROR_FILE_NOT_FOUND ? ABSENT : BROKEN;
    BOOL read = ReadFile(file, content, size, &length, NULL);
    CloseHandle(file);
    return read && length < size ? (int)length : BROKEN;
}

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

static enum ending read_conf(struct conf *conf)
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

/* The datagram */

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

static enum ending hand_over(const struct event *event)
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

/* The hook that was there before */

static BOOL is_line_of(const char *line, const struct event *event)
{
    for (int i = 0; i < event->kind_length; i++)
        if ((WCHAR)line[i] != event->kind[i]) /* at the content's NUL they differ */
            return FALSE;
    return line[event->kind_length] == '=';
}

static const char *line_end(const char *line)
{
    while (*line && *line != '\r' && *line != '\n')
        line++;
    return line;
}

/* As MicroSIP reads it from its ini: GetPrivateProfileString takes off the blanks around a
 * value, then one pair of quotes. */
static WCHAR *read_value(WCHAR *value, int length)
{
    while (length && is_blank(value[length - 1]))
        length--;
    while (length && is_blank(*value)) {
        value++;
        length--;
    }
    if (length > 1 && (*value == L'"' || *value == L'\'') && value[length - 1] == *value) {
        value++;
        length -= 2;
    }
    value[length] = 0;
    return value;
}

/* The value of the event's line; empty when there is none, NULL when it cannot be read. */
static WCHAR *foreign_command(const struct event *event)
{
    static char content[LONGEST_CHAIN];
    static WCHAR value[LONGEST_COMMAND];
    int length = read_beside(L"chain.conf", content, LONGEST_CHAIN);
    if (length < 0)
        return length == ABSENT ? value : NULL;
    content[length] = 0;
    const char *line = content;
    while (*line && !is_line_of(line, event)) {
        line = line_end(line);
        while (*line == '\r' || *line == '\n')
            line++;
    }
    if (!*line)
        return value;
    line += event->kind_length + 1;
    int bytes = (int)(line_end(line) - line);
    if (!bytes)
        return value;
    int units = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, line, bytes, value,
                                    LONGEST_COMMAND - 1);
    return units ? read_value(value, units) : NULL;
}

static BOOL is_this_program(const WCHAR *file)
{
    static WCHAR path[LONGEST_PATH];
    DWORD length = GetModuleFileNameW(NULL, path, LONGEST_PATH);
    return length == 0 || length >= LONGEST_PATH || lstrcmpiW(file, path) == 0;
}

/* MicroSIP's own rule: the first argument is the file; the others, joined by blanks without
 * the quotes that parted them, then the user, are its parameters. A batch file here is as
 * open to what a caller writes as it was before. */
static BOOL start_foreign(WCHAR *command, const WCHAR *user)
{
    static struct wide_text parameters;
    static SHELLEXECUTEINFOW execute;
    int count = 0;
    /* Loaded only here: it brings half of Windows with it. */
    HMODULE shell = LoadLibraryExW(L"shell32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (!shell)
        return FALSE;
    __typeof__(&CommandLineToArgvW) split =
        (__typeof__(split))(void (*)(void))GetProcAddress(shell, "CommandLineToArgvW");
    __typeof__(&ShellExecuteExW) start =
        (__typeof__(start))(void (*)(void))GetProcAddress(shell, "ShellExecuteExW");
    WCHAR **arguments = split && start ? split(command, &count) : NULL;
    if (!arguments || is_this_program(arguments[0])) /* which would start itself for ever */
        return FALSE;
    for (int i = 1; i < count; i++) {
        append_wide(&parameters, arguments[i]);
        append_unit(&parameters, L' ');
    }
    append_wide(&parameters, user);
    execute.cbSize = sizeof execute;
    /* NOASYNC: this process ends at once, a thread of the shell's would end with it. */
    execute.fMask = SEE_MASK_FLAG_NO_UI | SEE_MASK_NOASYNC;
    execute.lpFile = arguments[0];
    execute.lpParameters = parameters.units;
    execute.nShow = SW_HIDE;
    return !parameters.cut && start(&execute);
}

static enum ending chain(const struct event *event)
{
    WCHAR *command = foreign_command(event);
    if (!command)
        return NOT_CHAINED;
    if (!*command) /* CommandLineToArgvW would take this program for it */
        return HANDED_OVER;
    return start_foreign(command, event->user) ? HANDED_OVER : NOT_CHAINED;
}

/* The start, which the C runtime makes elsewhere */

uintptr_t __stack_chk_guard;
void __attribute__((noreturn)) __stack_chk_fail(void);

void __stack_chk_fail(void)
{
    TerminateProcess(GetCurrentProcess(), SMASHED);
    for (;;)
        ;
}

static enum ending run(void)
{
    struct event event;
    if (!read_event(GetCommandLineW(), &event))
        return WRONG_USAGE;
    /* A fault here must not open a window either; a foreign hook keeps what MicroSIP had. */
    UINT mode = SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    enum ending ending = hand_over(&event);
    SetErrorMode(mode);
    enum ending chained = chain(&event);
    return ending == HANDED_OVER ? chained : ending;
}

void __attribute__((noreturn, no_stack_protector)) hook_start(void);

void hook_start(void)
{
    static LARGE_INTEGER started;
    QueryPerformanceCounter(&started);
    BCryptGenRandom(NULL, (PUCHAR)&__stack_chk_guard, sizeof __stack_chk_guard,
                    BCRYPT_USE_SYSTEM_PREFERRED_RNG);
    UINT ending = run();
#ifdef MEASURE /* a build for the tests: microseconds of its own work, as the exit code */
    static LARGE_INTEGER ended, frequency;
    QueryPerformanceCounter(&ended);
    QueryPerformanceFrequency(&frequency);
    if (ending == HANDED_OVER)
        ending = (UINT)((ended.QuadPart - started.QuadPart) * 1000000 / frequency.QuadPart);
#endif
    ExitProcess(ending);
}
