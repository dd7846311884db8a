/* chain.conf: the hook that was there before this one.
 *
 * A line KIND=VALUE for each, in UTF-8: VALUE as it stood in microsip.ini. It is started as
 * MicroSIP would start it, but nobody waits for it.
 */

#include "hook.h"

#include <shellapi.h>

enum {
    LONGEST_CHAIN = 16384,
    LONGEST_COMMAND = 2048,
    LONGEST_COMMAND_LINE = 32767, /* of Windows */
};

struct wide_text {
    WCHAR units[LONGEST_COMMAND_LINE + 1]; /* always ends with a NUL */
    int length;
    BOOL cut;
};

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

static const WCHAR *file_name(const WCHAR *path)
{
    const WCHAR *name = path;
    for (; *path; path++)
        if (*path == L'\\' || *path == L'/' || *path == L':')
            name = path + 1;
    return name;
}

/* Or another copy of it, whose chain may lead back here: the two would start each other for
 * ever. */
static BOOL is_hook_program(const WCHAR *file)
{
    static WCHAR path[LONGEST_PATH];
    DWORD length;
    return !this_program(path, &length) || lstrcmpiW(file_name(file), file_name(path)) == 0;
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
    if (!arguments || is_hook_program(arguments[0]))
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

enum ending chain(const struct event *event)
{
    WCHAR *command = foreign_command(event);
    if (!command)
        return NOT_CHAINED;
    if (!*command) /* CommandLineToArgvW would take this program for it */
        return HANDED_OVER;
    return start_foreign(command, event->user) ? HANDED_OVER : NOT_CHAINED;
}
