/* A program that does nothing, built as the hook program is: what a process costs by itself. */

#include <windows.h>

void __attribute__((noreturn)) hook_start(void);

void hook_start(void)
{
    ExitProcess(0);
}
