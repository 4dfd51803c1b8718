"""Counts visits of pages. The code that the tests test: it knows nothing of them."""

from sqlalchemy import Connection, Engine, text


def create_tables(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("create table visits (page text primary key, count integer not null)"))


def visit(connection: Connection, page: str) -> int:
    """Counts a visit. Returns the number of visits of the page."""
    sql = (
        "insert into visits values (:page, 1) "
        "on conflict (page) do update set count = visits.count + 1 returning count"
    )
    return connection.execute(text(sql), {"page": page}).scalar_one()
