"""Prints a token for PGHOST, PGPORT and PGUSER."""

import os

import rdsign

endpoint = {"hostname": os.environ["PGHOST"], "port": int(os.environ["PGPORT"])}
print(rdsign.Signer(**endpoint, username=os.environ["PGUSER"]).token().value)
