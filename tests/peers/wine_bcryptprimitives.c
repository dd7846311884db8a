/* bcryptprimitives.dll, which Wine 8 lacks: extension modules in Rust take their
 * random seed from its one function. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size)
{
	return RtlGenRandom(data, (ULONG)size);
}
