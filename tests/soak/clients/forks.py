"""Forks while a new signer fetches, until STOP exists: forks.py EVENTS STOP. Each child logs in."""

import os
import signal
import sys
import threading
import time
import warnings

import psycopg
import rdsign
import rdsign.psycopg
from events import Events, Stop, outcome_of_login

event, stop = Events(sys.argv[1]), Stop(sys.argv[2])
warnings.filterwarnings("ignore", category=DeprecationWarning)  # the fork amid threads is intended
LONGEST = 60


def token(signer):
    began = time.monotonic()
    try:
        signer.password()
    except rdsign.Error as error:
        event("token", began, error.code, str(error))
        return False
    event("token", began, "ok")
    return True


def child(signer):
    signal.alarm(LONGEST)
    if token(signer):
        began = time.monotonic()
        try:
            rdsign.psycopg.connect("dbname=testdb", signer=signer, hostaddr="127.0.0.1").close()
        except psycopg.Error as error:
            event("login", began, outcome_of_login(str(error)), str(error))
        except rdsign.Error as error:
            event("token", began, error.code, str(error))
        else:
            event("login", began, "ok")


while not stop:
    signer = rdsign.Signer(hostname=os.environ["PGHOST"], port=int(os.environ["PGPORT"]), username="iam_user")
    fetch = threading.Thread(target=token, args=[signer])
    fetch.start()
    # The fetch is under way: at its connection, its request or its answer.
    time.sleep(time.monotonic() % 0.01)
    began = time.monotonic()
    process = os.fork()
    if process == 0:
        try:
            child(signer)
            os._exit(0)
        except BaseException as error:
            event("fork", began, "failed", repr(error))
            os._exit(1)
    _, status = os.waitpid(process, 0)
    event("fork", began, "ok" if status == 0 else "failed", f"wait status {status}")
    fetch.join()
    time.sleep(0.2)
