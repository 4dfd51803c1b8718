"""Imports rdsign in a second interpreter of the same process, and prints the result."""

try:
    import _interpreters as interpreters
except ImportError:  # before Python 3.13
    import _xxsubinterpreters as interpreters

import rdsign

other = interpreters.create()
code = "try:\n import rdsign\n print('it works')\nexcept BaseException as error:\n print(type(error).__name__, error, flush=True)"
failure = getattr(interpreters, "exec", interpreters.run_string)(other, code)
assert failure is None, failure
interpreters.destroy(other)
keys = {"access_key_id": "akid", "secret_access_key": "secret"}
assert rdsign.Signer(hostname="a.b.eu-west-1.rds.amazonaws.com", username="x", **keys).password()
print("the first interpreter signs")
