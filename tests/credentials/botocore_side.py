"""Finds keys with botocore, for the comparison in test_against_botocore.py.

It reads one JSON object per line, `{"environment": {…}, "flags": {…}}`, and answers each with one:
the keys that botocore would sign with, or the error's class. Each line runs in a forked child with
that environment and nothing else, in its home, so that botocore, which takes half a second to import,
is imported once. The home must be the same on every line: botocore looks it up while it is imported.
"""

import json
import os
import sys

from botocore.loaders import create_loader
from botocore.session import Session

# The global flags of the AWS CLI, which it passes to botocore in this way.
OF_THE_SESSION = ("profile", "region")
# botocore waits only one second for instance metadata, too short for a busy machine.
PATIENCE = 60

LOADER = create_loader()


def new_session(flags):
    """Makes a session as the AWS CLI does."""
    session = Session()
    session.register_component("data_loader", LOADER)
    for name in OF_THE_SESSION:
        if name in flags:
            session.set_config_variable(name, flags[name])
    return session


def find(flags):
    """Returns the keys to sign with. With a role ARN, these are the role's: `aws sts assume-role`."""
    session = new_session(flags)
    if "AWS_METADATA_SERVICE_TIMEOUT" not in os.environ:
        session.set_config_variable("metadata_service_timeout", PATIENCE)
    credentials = session.get_credentials()
    if credentials is None:
        return {"error": "no credentials", "message": ""}
    keys = credentials.get_frozen_credentials()
    if "role_arn" in flags:
        return assume(session, flags)
    return described(*keys[:3], getattr(credentials, "_expiry_time", None))


def assume(session, flags):
    sts = session.create_client("sts", region_name=flags.get("region"))
    names = {"role_arn": "RoleArn", "external_id": "ExternalId", "role_session_name": "RoleSessionName"}
    wanted = {"RoleSessionName": "rdsign"} | {names[name]: flags[name] for name in names if name in flags}
    keys = sts.assume_role(**wanted)["Credentials"]
    given = (keys[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    return described(*given, keys["Expiration"])


def described(access_key_id, secret_access_key, session_token, expires_at):
    if not isinstance(access_key_id, str):
        raise TypeError("botocore finds an access key id that it cannot sign with")
    return {
        "access_key_id": access_key_id,
        "secret_access_key": secret_access_key,
        "session_token": session_token,
        "expires_at": expires_at and expires_at.timestamp(),
    }


def answer(line):
    """Returns the answer to one line."""
    os.environ.clear()
    os.environ.update(line["environment"])
    os.chdir(os.environ["HOME"])
    # Without a terminal, a prompt for an MFA code fails.
    sys.stdin = open(os.devnull)
    sys.stderr = open(os.devnull, "w")
    try:
        return find(line["flags"])
    # Some of botocore's failures are Python's own, such as KeyError.
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)}


def warm():
    """Loads the service descriptions once for all children."""
    session = new_session({})
    anyone = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
    for service in ("sts", "sso", "sso-oidc", "signin"):
        session.create_client(service, **anyone)


def main():
    warm()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            print(json.dumps(answer(json.loads(line))), flush=True)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
