"""What a monitor on psutil does: once a second what there is of each process, appended to a file. Arguments: the file,
and the pids.
"""

import sys
import time

import psutil


def main() -> None:
    watched = [psutil.Process(int(pid)) for pid in sys.argv[2:]]
    due = time.monotonic()
    with open(sys.argv[1], "w", encoding="ascii") as file:
        while True:
            for one in watched:
                with one.oneshot():
                    cpu, memory, io = one.cpu_times(), one.memory_info(), one.io_counters()
                    switches = one.num_ctx_switches()
                    print(one.pid, *cpu, *memory, *io, *switches, one.num_threads(), one.status(), file=file)
            file.flush()
            due += 1
            time.sleep(max(due - time.monotonic(), 0))


if __name__ == "__main__":
    main()
