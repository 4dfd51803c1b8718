"""Runs a command so many times next to four busy loops, as on a machine that has other things to do.

    busy.py TIMES COMMAND ...

All runs are made even if one fails; the exit status is 1 if any did. The loops are ended by their own
process ids, and end by themselves should this program be killed.
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
