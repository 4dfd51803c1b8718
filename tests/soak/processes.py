"""Judges what the processes of a soak use: memory, descriptors and threads."""

from dataclasses import dataclass, field

# For how many seconds the memory must have been watched to tell its growth.
LONGEST_WITHOUT_A_GROWTH = 300
# By how much these numbers may grow.
GROWTH = {"descriptors": 4, "threads": 4}


@dataclass
class Process:
    """A watched process: samples of (time, KiB of resident memory, descriptors, threads), and how many KiB
    a minute it may grow by."""

    name: str
    room: float
    samples: list[tuple[float, int, int, int]] = field(default_factory=list)


def slope(points: list[tuple[float, float]]) -> float:
    """Returns by how much the values grow a minute: a least squares fit."""
    count, start = len(points), points[0][0]
    times = [(at - start) / 60 for at, _ in points]
    middle, mean = sum(times) / count, sum(value for _, value in points) / count
    spread = sum((at - middle) ** 2 for at in times)
    return sum((at - middle) * (value - mean) for at, (_, value) in zip(times, points, strict=True)) / spread


@dataclass
class Use:
    """What a process uses after the first minute: the most memory in KiB, by how much it grows a minute,
    in all and in the second half, if that was long enough to tell, and the largest numbers of descriptors
    and threads."""

    name: str
    memory: int = 0
    growth: tuple[float, float] | None = None
    descriptors: int = 0
    threads: int = 0
    problems: list[str] = field(default_factory=list)


def judge_process(process: Process) -> Use:
    """Compares the first third after the first minute with the last one."""
    use = Use(process.name)
    if not process.samples:
        use.problems.append(f"{process.name}: it was not watched")
        return use
    start, end = process.samples[0][0], process.samples[-1][0]
    warm = [sample for sample in process.samples if sample[0] >= start + min(60, (end - start) / 3)]
    use.memory, use.descriptors, use.threads = (max(sample[n] for sample in warm) for n in (1, 2, 3))
    if warm[-1][0] - warm[0][0] >= LONGEST_WITHOUT_A_GROWTH:
        points = [(sample[0], sample[1]) for sample in warm]
        use.growth = slope(points), slope(points[len(points) // 2 :])
        # A runtime that compiles grows for some minutes and then stops. A leak does not stop.
        if min(use.growth) > process.room:
            use.problems.append(f"{process.name}: its memory grows by {use.growth[1]:.0f} KiB a minute")
    third = len(warm) // 3
    for number, (what, room) in enumerate(GROWTH.items(), 2):
        # The smallest number of a third: what is open between two logins. A leak raises it.
        numbers = [sample[number] for sample in warm]
        before, after = min(numbers[:third] or numbers), min(numbers[-third:] or numbers)
        if after - before > room:
            use.problems.append(f"{process.name}: its {what} grow from {before} to {after}")
    return use
