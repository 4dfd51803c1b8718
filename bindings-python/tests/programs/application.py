"""A web application that makes its signer and the first token before the server forks."""

import os

import rdsign

signer = rdsign.Signer(hostname="mydb.abc123.eu-central-1.rds.amazonaws.com", username="iam_user")
signer.token()


def application(environ, start_response):
    key = signer.password().partition("X-Amz-Credential=")[2].partition("%2F")[0]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {key}".encode()]
