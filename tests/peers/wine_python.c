/* python.exe: hands the command line to the interpreter in python311.dll. */
#include <windows.h>

typedef int (*PyMain)(int, wchar_t **);

int wmain(int argc, wchar_t **argv)
{
	HMODULE python = LoadLibraryW(L"python311.dll");
	PyMain run = python ? (PyMain)(void *)GetProcAddress(python, "Py_Main") : NULL;

	return run ? run(argc, argv) : 127;
}
