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
 * What the process holds open, Windows closes when it ends.
 */

#include "hook.h"

#include <bcrypt.h>

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

/* What the C runtime would bring: GCC's stack protector knows these by name. */

uintptr_t __stack_chk_guard;
void __attribute__((noreturn)) __stack_chk_fail(void);

void __stack_chk_fail(void)
{
    TerminateProcess(GetCurrentProcess(), SMASHED);
    for (;;)
        ;
}

/* Not protected itself: the guard must not change between its entry and its end. */
static UINT __attribute__((noinline, no_stack_protector)) run_guarded(void)
{
    BCryptGenRandom(NULL, (PUCHAR)&__stack_chk_guard, sizeof __stack_chk_guard,
                    BCRYPT_USE_SYSTEM_PREFERRED_RNG);
    return run();
}

void __attribute__((noreturn)) hook_start(void);

#ifdef MEASURE /* for the tests: the exit code is the microseconds of its own work */
void hook_start(void)
{
    static LARGE_INTEGER began, ended, frequency;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&began);
    UINT ending = run_guarded();
    QueryPerformanceCounter(&ended);
    if (ending == HANDED_OVER)
        ending = (UINT)((ended.QuadPart - began.QuadPart) * 1000000 / frequency.QuadPart);
    ExitProcess(ending);
}
#else
void hook_start(void)
{
    ExitProcess(run_guarded());
}
#endif
