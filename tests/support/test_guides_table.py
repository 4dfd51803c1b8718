"""Checks the table that `make test-guides` prints from the record of the guides' tests."""

import json

import pytest
import table
from guide import NAMES, Guide


@pytest.fixture
def record(tmp_path, monkeypatch):
    """Writes a record in which all guides logged in and used all blocks, except for what `without` rejects."""

    def write(without=lambda row: False):
        rows = [{"guide": name, "versions": ["a driver 1.0"]} for name in NAMES]
        for guide in map(Guide, NAMES):
            rows += [{"guide": guide.name, "block": b.number} for b in guide.blocks if b.section != "Install"]
        file = tmp_path / "record.jsonl"
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows if not without(row)))
        monkeypatch.setattr(table, "RECORD", file)

    return write


def test_each_guide_has_a_row_with_what_ran(record, capsys):
    record()
    assert table.main() == 0
    *rows, last = capsys.readouterr().out.splitlines()
    assert [row.split() for row in rows] == [[name, "a", "driver", "1.0", "logged", "in"] for name in NAMES]
    assert last == f"{len(NAMES)} of {len(NAMES)} guides logged in"


def test_a_guide_that_did_not_log_in_fails(record, capsys):
    record(without=lambda row: row["guide"] == "psycopg" and "versions" in row)
    assert table.main() == 1
    assert capsys.readouterr().err == "psycopg: no test logged in\n"


def test_a_block_that_no_test_ran_fails(record, capsys):
    (number, *_) = [block.number for block in Guide("psycopg").blocks if block.title == "tunnel.py"]
    record(without=lambda row: row == {"guide": "psycopg", "block": number})
    assert table.main() == 1
    assert capsys.readouterr().err == "psycopg: no test runs the blocks tunnel.py\n"
