"""A lock on an open file, which ends with the process that holds it."""

import os
import sys

if sys.platform == "win32":
    import msvcrt

    _BEHIND_ALL = 1 << 30
    """Windows keeps everybody else from the byte that is locked: none that is used."""

    def try_lock(descriptor: int) -> bool:
        """Whether nobody else holds the file's lock; now it is held until it is closed."""
        position = os.lseek(descriptor, 0, os.SEEK_CUR)
        try:
            os.lseek(descriptor, _BEHIND_ALL, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:  # of several numbers, Wine's is none
            return False
        finally:
            os.lseek(descriptor, position, os.SEEK_SET)
        return True

else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Whether nobody else holds the file's lock; now it is held until it is closed."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def try_lock_named(descriptor: int) -> bool:
    """As ``try_lock``, unless somebody took the file away before it was locked."""
    return try_lock(descriptor) and os.fstat(descriptor).st_nlink > 0
