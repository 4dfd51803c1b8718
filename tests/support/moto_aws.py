"""moto's server on 127.0.0.1: an IAM and an STS that check signatures, policies and trust.

Only while `strict()` is on does it check anything; then it refuses what is not signed, which is
right for all but AssumeRoleWithWebIdentity.
"""

import contextlib
import json
import urllib.request
from collections.abc import Iterator

import boto3
from moto.server import ThreadedMotoServer

from fake_aws import Keys, keep_secret

ACCOUNT = "123456789012"


def policy(principal: object = None, condition: object = None, action: str = "sts:AssumeRole") -> str:
    """A policy that allows one action, of an identity or, with a principal, of a role's trust."""
    statement = {"Effect": "Allow", "Action": action}
    statement |= {"Principal": {"AWS": principal}} if principal else {"Resource": "*"}
    if condition:
        statement["Condition"] = {"StringEquals": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Moto:
    """The server, and what tests set up in it."""

    def __init__(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        anyone = {"aws_access_key_id": "tests", "aws_secret_access_key": "tests"}
        self.iam = boto3.client("iam", endpoint_url=self.url, region_name="us-east-1", **anyone)

    def close(self) -> None:
        """Stops it."""
        self._server.stop()

    def user(self, name: str, allowed: bool = True) -> Keys:
        """A user, who may assume roles or not: the user's long-lived keys."""
        self.iam.create_user(UserName=name)
        if allowed:
            self.iam.put_user_policy(UserName=name, PolicyName="assume", PolicyDocument=policy())
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        keep_secret(key["SecretAccessKey"])
        return Keys(key["AccessKeyId"], key["SecretAccessKey"])

    def role(self, name: str, trusted: str = "*", condition: dict[str, str] | None = None) -> str:
        """A role that may itself assume roles: its ARN."""
        trust = policy(trusted, condition)
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        self.iam.put_role_policy(RoleName=name, PolicyName="assume", PolicyDocument=policy())
        return role["Role"]["Arn"]

    def caller(self, keys: Keys) -> str:
        """Who moto says that keys belong to."""
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        values = (keys.access_key_id, keys.secret_access_key, keys.session_token)
        given = dict(zip(names, values, strict=True))
        sts = boto3.client("sts", endpoint_url=self.url, region_name="us-east-1", **given)
        return sts.get_caller_identity()["Arn"]

    @contextlib.contextmanager
    def strict(self) -> Iterator[None]:
        """Checks every request, for a while."""
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
