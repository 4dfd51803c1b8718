"""Logs in with a psycopg pool of three workers until STOP exists: pool.py EVENTS STOP. Each connection is
used once."""

import logging
import os
import sys
import threading
import time

import psycopg
import psycopg_pool
import rdsign
import rdsign.psycopg
from events import Events, Stop, outcome_of_login

event, stop = Events(sys.argv[1]), Stop(sys.argv[2])


class Timed:
    """A signer that writes an event for each password."""

    def __init__(self, signer):
        self._signer = signer

    def __getattr__(self, name):
        return getattr(self._signer, name)

    def password(self):
        began = time.monotonic()
        try:
            password = self._signer.password()
        except rdsign.Error as error:
            event("token", began, error.code, str(error))
            raise
        event("token", began, "ok")
        return password


class Connection(rdsign.psycopg.Connection):
    @classmethod
    def connect(cls, conninfo="", **parameters):
        began = time.monotonic()
        try:
            made = super().connect(conninfo, **parameters)
        except psycopg.Error as error:
            event("login", began, outcome_of_login(str(error)), str(error))
            raise
        event("login", began, "ok")
        return made


def work():
    while not stop:
        try:
            with pool.connection() as connection:
                connection.execute("select current_user")
                connection.close()
        except psycopg_pool.PoolTimeout:
            continue  # the failed logins behind it are counted by themselves
        time.sleep(0.02)


logging.disable(logging.CRITICAL)
signer = Timed(
    rdsign.Signer(hostname=os.environ["PGHOST"], port=int(os.environ["PGPORT"]), username="iam_user")
)
pool = psycopg_pool.ConnectionPool(
    "dbname=testdb",
    connection_class=Connection,
    kwargs={"signer": signer, "hostaddr": "127.0.0.1"},
    min_size=2,
    max_size=4,
    timeout=5,
    reconnect_timeout=1,
)
workers = [threading.Thread(target=work) for _ in range(3)]
for worker in workers:
    worker.start()
for worker in workers:
    worker.join()
pool.close()
