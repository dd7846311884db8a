/* The files beside this program. */

#include "hook.h"

BOOL this_program(WCHAR path[LONGEST_PATH], DWORD *length)
{
    *length = GetModuleFileNameW(NULL, path, LONGEST_PATH);
    return *length > 0 && *length < LONGEST_PATH;
}

static BOOL path_beside(const WCHAR *name, WCHAR path[LONGEST_PATH])
{
    DWORD length;
    if (!this_program(path, &length))
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

/* The length of what is in the file, always less than *size*, or ABSENT or BROKEN. The gateway
 * may replace the file meanwhile: all sharing is allowed. */
int read_beside(const WCHAR *name, char *content, DWORD size)
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
