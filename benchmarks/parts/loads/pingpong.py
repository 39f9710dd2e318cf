"""Two ranks of Open MPI send eight bytes to and fro until they are killed. The argument: where rank 0 counts.

The library is called as it is, without its headers: Open MPI's handles are addresses of its own variables (ompi/mpi.h).
"""

import ctypes
import itertools
import sys

from benchmarks.parts.loads.count import counter

LIBRARY = "libmpi.so.40"
BYTES, TAG, TIMES = 8, 1, 100


def main() -> None:
    mpi = ctypes.CDLL(LIBRARY, mode=ctypes.RTLD_GLOBAL)
    world, byte = (_address(mpi, name) for name in ("ompi_mpi_comm_world", "ompi_mpi_byte"))
    mpi.MPI_Init(None, None)
    number = ctypes.c_int()
    mpi.MPI_Comm_rank(world, ctypes.byref(number))
    rank, other, ball = number.value, ctypes.c_int(1 - number.value), ctypes.create_string_buffer(BYTES)
    told = (ball, ctypes.c_int(BYTES), byte, other, ctypes.c_int(TAG), world)
    count = counter(sys.argv[1], 0, 1) if rank == 0 else lambda _: None
    mpi.MPI_Barrier(world)
    for done in itertools.count(1):
        for _ in range(TIMES):
            if rank == 0:
                mpi.MPI_Send(*told)
                mpi.MPI_Recv(*told, None)
            else:
                mpi.MPI_Recv(*told, None)
                mpi.MPI_Send(*told)
        count(done)


def _address(mpi: ctypes.CDLL, name: str) -> ctypes.c_void_p:
    return ctypes.c_void_p(ctypes.addressof(ctypes.c_char.in_dll(mpi, name)))


if __name__ == "__main__":
    main()
