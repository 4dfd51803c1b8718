"""Many logins at the same time. Each backend decides on its own, and no login may fail."""

from concurrent.futures import ThreadPoolExecutor

CLIENTS, LOGINS = 80, 8


def test_80_clients_log_in_8_times_each(shared):
    token = shared.token()
    before = len(shared.log.read_text())

    # Each client is a process; \c logs in again.
    logins = "\\c\n".join(["select current_user;\n"] * LOGINS)

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = list(pool.map(lambda _: shared.psql(stdin=logins, password=token), range(CLIENTS)))
    assert {(done.stdout, done.stderr) for done in clients} == {("iam_user\n" * LOGINS, "")}
    lines = [line for line in shared.log.read_text()[before:].splitlines() if "rdsign:" in line]
    assert len(lines) == CLIENTS * LOGINS
    assert all(line.count("rdsign: accepted") == 1 for line in lines)
