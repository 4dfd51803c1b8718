"""A short soak. Its verdict depends on what was recorded, never on how fast the machine is."""

from types import SimpleNamespace

import report
from judge import judge
from running import Soak, epoch

LIFETIMES = (8, 14)


def test_all_clients_log_in_with_faults_freezes_forks_and_jumps(place, tmp_path):
    local = place.start()
    soak = Soak(place, local, tmp_path, "short", 40, LIFETIMES)
    soak.all_log_in(1)
    soak.freeze("python", 1)
    soak.world.jump(1000)
    soak.freeze("c-forks", 1)
    soak.all_log_in(3)
    soak.all_fail_in(15)
    records = soak.finish()
    assert local.stop() == 0
    result = judge(records)
    print(report.text(result, report.Run(0, 40, "short", LIFETIMES)))
    assert result.problems == []
    assert len(result.faults) >= 15


def test_a_pause_between_two_clocks_does_not_move_the_epoch():
    # The first readings are 7 s apart.
    monotonic, wall = iter([1, 15, 22, 22.001]), iter([1008, 1022])
    clocks = SimpleNamespace(monotonic=lambda: next(monotonic), time=lambda: next(wall))
    assert epoch(clocks) == 1000
