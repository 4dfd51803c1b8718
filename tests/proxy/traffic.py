"""Traffic that shows whether bytes arrive as they were sent: used with little and with much of it."""

import hashlib


def rows(megabytes):
    """Yields parts of a text for COPY, which compress badly and differ from each other."""
    for number in range(megabytes):
        part = hashlib.shake_256(str(number).encode()).hexdigest(499_500)
        yield "".join(f"{part[at : at + 999]}\n" for at in range(0, len(part), 999)).encode()


def copied_both_ways(connection, megabytes):
    """Copies a text to the server and back. Returns the hashes of what was sent, what the server has, and
    what came back."""
    sent, came = hashlib.sha256(), hashlib.sha256()
    with connection.cursor() as cursor:
        cursor.execute("create temp table of_copy (number serial, text text)")
        with cursor.copy("copy of_copy (text) from stdin") as copy:
            for part in rows(megabytes):
                sent.update(part)
                copy.write(part)
        sql = "select sha256(convert_to(string_agg(text || E'\\n', '' order by number), 'UTF8')) from of_copy"
        kept = cursor.execute(sql).fetchone()[0]
        with cursor.copy("copy (select text from of_copy order by number) to stdout") as copy:
            for part in copy:
                came.update(part)
    return sent.hexdigest(), bytes(kept).hex(), came.hexdigest()
