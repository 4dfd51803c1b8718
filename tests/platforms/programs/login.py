"""Logs in to the database of libpq's variables, and prints the user."""

import os

import rdsign

endpoint = {"hostname": os.environ["PGHOST"], "port": int(os.environ["PGPORT"])}
signer = rdsign.Signer(**endpoint, username=os.environ["PGUSER"])
with rdsign.psycopg.connect(signer=signer) as connection:
    print(connection.execute("select current_user").fetchone()[0])
