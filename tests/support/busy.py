"""Runs a command TIMES times next to four busy loops, to show tests that fail on a busy machine.

    busy.py TIMES COMMAND ...

A failed run does not stop the others; the exit status is 1 if any run failed. The loops are killed by
their process ids, and exit on their own if this program is killed.
"""

import os
import subprocess
import sys

LOOPS = 4
LOOP = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): sum(range(100_000))"


def main():
    times, command = int(sys.argv[1]), sys.argv[2:]
    failed = []
    loops = []
    try:
        for _ in range(LOOPS):
            loops.append(subprocess.Popen([sys.executable, "-c", LOOP, str(os.getpid())]))
        for number in range(1, times + 1):
            print(f"--> run {number} of {times}", flush=True)
            if subprocess.run(command).returncode != 0:
                failed.append(number)
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    if failed:
        print(f"failed: runs {', '.join(map(str, failed))} of {times}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
