"""Checks that each line of the server's log is counted once, also when the server cuts it."""

from log import SOUGHT, Log


def append(path, text):
    with path.open("ab") as log:
        log.write(text)


def test_lines_are_read_once_and_when_they_are_complete(tmp_path):
    path = tmp_path / "log"
    append(path, b"one\ntwo\nth")
    log = Log(path)
    assert (log.new_lines(), log.new_lines()) == ("one\ntwo\n", "")
    append(path, b"ree\n")
    assert log.new_lines() == "three\n"


def test_after_a_cut_the_lines_that_were_not_read_are_read(tmp_path):
    path = tmp_path / "log"
    lines = [b"line %d\n" % n for n in range(SOUGHT)]
    append(path, b"".join(lines))
    log = Log(path)
    log.new_lines()
    kept = b"".join(lines[SOUGHT // 2 :])
    path.write_bytes(b"")
    assert log.new_lines() == "", "the server has not written its last lines yet"
    append(path, b"the log was cut\n" + kept[:SOUGHT])
    assert log.new_lines() == "", "nor all of them"
    append(path, kept[SOUGHT:] + b"four\n")
    assert (log.new_lines(), log.new_lines()) == ("four\n", "")
    append(path, b"five\n")
    assert log.new_lines() == "five\n"
