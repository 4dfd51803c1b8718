"""Prints a table of the guides that logged in, from the record of their tests:

    python3 tests/guides/table.py

Fails if a guide has no row, or a code block that no test used. The blocks of Install are not counted: they install
packages from dist/ and from the network.
"""

import json
import sys

from guide import NAMES, RECORD, Guide


def main() -> int:
    rows = [json.loads(line) for line in RECORD.read_text().splitlines()] if RECORD.exists() else []
    versions = {row["guide"]: row["versions"] for row in rows if "versions" in row}
    used = {(row["guide"], row["block"]) for row in rows if "block" in row}
    texts = {name: ", ".join(ran) for name, ran in versions.items()}
    width = max(map(len, ["", *texts.values()]))
    failed = []
    for guide in map(Guide, NAMES):
        ran = versions.get(guide.name)
        print(
            f"{guide.name:24}{texts.get(guide.name, '-'):{width}}  {'logged in' if ran else 'did not log in'}"
        )
        unused = [
            block.title or block.language
            for block in guide.blocks
            if block.section != "Install" and (guide.name, block.number) not in used
        ]
        if not ran:
            failed.append(f"{guide.name}: no test logged in")
        elif unused:
            failed.append(f"{guide.name}: no test runs the blocks {', '.join(unused)}")
    print(f"{len(versions)} of {len(NAMES)} guides logged in")
    print(*failed, sep="\n", end="\n" if failed else "", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
