/* The command line: the kind of the event, the user part behind it. */

#include "hook.h"

BOOL is_blank(WCHAR unit)
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

BOOL read_event(const WCHAR *command_line, struct event *event)
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
