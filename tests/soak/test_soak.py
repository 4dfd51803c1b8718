"""A short soak. Its verdict depends on what was recorded, never on how fast the machine is."""

import report
from judge import judge
from running import Soak

LIFETIMES = (8, 14)


def test_all_clients_log_in_with_faults_freezes_forks_and_jumps(place, tmp_path):
    local = place.start()
    soak = Soak(place, local, tmp_path, "short", 40, LIFETIMES)
    soak.all_log_in(1)
    soak.freeze("python", 1)
    soak.world.jump(1000)
    soak.freeze("c-forks", 1)
    soak.all_log_in(3)
    records = soak.finish()
    assert local.stop() == 0
    result = judge(records)
    print(report.text(result, report.Run(0, 40, "short", LIFETIMES)))
    assert result.problems == []
    assert len(result.faults) >= 15
