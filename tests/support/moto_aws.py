"""moto's server on 127.0.0.1: an IAM and an STS that check signatures, policies and trust.

It checks only inside `strict()`. There it also rejects unsigned requests, so AssumeRoleWithWebIdentity,
which is unsigned, does not work.
"""

import contextlib
import json
import urllib.request
from collections.abc import Iterator

import boto3
from fake_aws import Keys, keep_secret
from moto.server import ThreadedMotoServer

ACCOUNT = "123456789012"


def policy(principal: object = None, condition: object = None, action: str = "sts:AssumeRole") -> str:
    """Returns a policy that allows one action; with a principal, it is the trust policy of a role."""
    statement = {"Effect": "Allow", "Action": action}
    statement |= {"Principal": {"AWS": principal}} if principal else {"Resource": "*"}
    if condition:
        statement["Condition"] = {"StringEquals": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Moto:
    """The server, and functions to set up users and roles."""

    def __init__(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        anyone = {"aws_access_key_id": "tests", "aws_secret_access_key": "tests"}
        self.iam = boto3.client("iam", endpoint_url=self.url, region_name="us-east-1", **anyone)

    def close(self) -> None:
        """Stops the server."""
        self._server.stop()

    def user(self, name: str, allowed: bool = True) -> Keys:
        """Creates a user, who may assume roles if `allowed`. Returns the user's long-lived keys."""
        self.iam.create_user(UserName=name)
        if allowed:
            self.iam.put_user_policy(UserName=name, PolicyName="assume", PolicyDocument=policy())
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        keep_secret(key["SecretAccessKey"])
        return Keys(key["AccessKeyId"], key["SecretAccessKey"])

    def role(self, name: str, trusted: str = "*", condition: dict[str, str] | None = None) -> str:
        """Creates a role that may itself assume roles. Returns its ARN."""
        trust = policy(trusted, condition)
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        self.iam.put_role_policy(RoleName=name, PolicyName="assume", PolicyDocument=policy())
        return role["Role"]["Arn"]

    def caller(self, keys: Keys) -> str:
        """Asks moto who owns these keys. Returns an ARN."""
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        values = (keys.access_key_id, keys.secret_access_key, keys.session_token)
        given = dict(zip(names, values, strict=True))
        sts = boto3.client("sts", endpoint_url=self.url, region_name="us-east-1", **given)
        return sts.get_caller_identity()["Arn"]

    @contextlib.contextmanager
    def strict(self) -> Iterator[None]:
        """Makes the server check every request inside the block."""
        self._checked_after("0")
        try:
            yield
        finally:
            self._checked_after("inf")

    def _checked_after(self, requests: str) -> None:
        address = f"{self.url}/moto-api/reset-auth"
        plain = {"Content-Type": "text/plain"}
        request = urllib.request.Request(address, requests.encode(), plain)
        with urllib.request.urlopen(request) as done:
            assert done.status == 200
