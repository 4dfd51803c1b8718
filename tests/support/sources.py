"""Functions that set up one source of credentials each, and the keys expected from it."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from fake_aws import Keys, keys_file, long_lived_keys, new_secret, temporary_keys
from machine import Machine

ROLE = "arn:aws:iam::123456789012:role/a-role"
START_URL = "https://d-0123456789.awsapps.com/start"


@dataclass
class Case:
    """The name and the keys to expect, and the flags that select the source."""

    source: str
    keys: Callable[[], Keys]
    flags: tuple[str, ...] = ()


def process_output(keys: Keys) -> str:
    """Returns the output of a credential process."""
    names = {"AccessKeyId": "access_key_id", "SecretAccessKey": "secret_access_key"}
    names |= {"SessionToken": "session_token", "Expiration": "expiration"}
    printed = {name: getattr(keys, attribute) for name, attribute in names.items()}
    return json.dumps({"Version": 1} | {name: value for name, value in printed.items() if value})


# Each function sets up a source on a machine, and returns the result to expect. moto answers for STS if
# possible.


def environment(machine, fake, moto):
    keys = long_lived_keys("env")
    machine.uses_keys(keys)
    return Case("environment", lambda: keys)


def environment_with_a_session_token(machine, fake, moto):
    keys = temporary_keys("env")
    machine.uses_keys(keys)
    machine.set(AWS_CREDENTIAL_EXPIRATION=keys.expiration)
    return Case("environment", lambda: keys)


def profile_in_the_credentials_file(machine, fake, moto):
    keys = long_lived_keys("file")
    machine.credentials(keys_file("default", keys))
    return Case("credentials file", lambda: keys)


def profile_in_the_config_file(machine, fake, moto):
    keys = long_lived_keys("file")
    machine.config(keys_file("profile work", keys))
    return Case("config file", lambda: keys, ("--profile", "work"))


def profile_named_by_the_environment(machine, fake, moto):
    keys = long_lived_keys("file")
    machine.config(keys_file("profile work", keys))
    machine.set(AWS_PROFILE="work")
    return Case("config file", lambda: keys)


def profile_with_a_session_token(machine, fake, moto):
    keys = temporary_keys("file")
    machine.credentials(keys_file("default", keys))
    # A credentials file has no setting for the expiry.
    keys = Keys(keys.access_key_id, keys.secret_access_key, keys.session_token)
    return Case("credentials file", lambda: keys)


def credential_process(machine, fake, moto):
    keys = temporary_keys("process")
    output = machine.file("output", process_output(keys))
    script = machine.file("a script.sh", '#!/bin/sh\n[ "$1" = "--for rdsign" ] && cat "$2"\n', 0o700)
    machine.config(f'[default]\ncredential_process = "{script}" "--for rdsign" {output}\n')
    return Case("credential process", lambda: keys)


def role_with_source_profile(machine, fake, moto):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    fake.sts_behind = moto.url
    machine.credentials(keys_file("base", long_lived_keys()))
    machine.config(f"[profile app]\nrole_arn = {ROLE}\nsource_profile = base\nregion = eu-west-1\n")
    return Case("profile role", fake.sts.last, ("--profile", "app"))


def role_with_credential_source_environment(machine, fake, moto):
    machine.uses_keys(long_lived_keys("env"))
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    fake.sts_behind = moto.url
    machine.config(f"[profile app]\nrole_arn = {ROLE}\ncredential_source = Environment\n")
    return Case("profile role", fake.sts.last, ("--profile", "app", "--region", "eu-central-1"))


def role_with_credential_source_container(machine, fake, moto):
    machine.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=fake.container_url, AWS_ENDPOINT_URL_STS=fake.url)
    machine.config(f"[profile app]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n")
    return Case("profile role", fake.sts.last, ("--profile", "app", "--region", "eu-central-1"))


def role_with_credential_source_instance(machine, fake, moto):
    machine.uses_imds(fake.url)
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    machine.config(f"[profile app]\nrole_arn = {ROLE}\ncredential_source = Ec2InstanceMetadata\n")
    return Case("profile role", fake.sts.last, ("--profile", "app", "--region", "eu-central-1"))


def web_identity_in_a_profile(machine, fake, moto):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    fake.sts_behind = moto.url
    token = machine.file("jwt", new_secret())
    machine.config(f"[default]\nrole_arn = {ROLE}\nweb_identity_token_file = {token}\n")
    return Case("web identity", fake.sts.last)


def sso_session(machine, fake, moto):
    machine.set(AWS_ENDPOINT_URL_SSO=fake.url)
    machine.sso_token("corp", fake.sso_access_token)
    account = "sso_account_id = 123456789012\nsso_role_name = Developer\n"
    session = f"[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = {START_URL}\n"
    machine.config(f"[default]\nsso_session = corp\n{account}\n{session}")
    return Case("SSO", fake.sso.last)


def sso_start_url(machine, fake, moto):
    machine.set(AWS_ENDPOINT_URL_SSO=fake.url)
    machine.sso_token(START_URL, fake.sso_access_token)
    account = "sso_account_id = 123456789012\nsso_role_name = Developer\n"
    machine.config(f"[profile old]\nsso_region = eu-west-1\nsso_start_url = {START_URL}\n{account}")
    return Case("SSO", fake.sso.last, ("--profile", "old"))


def web_identity(machine, fake, moto):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    fake.sts_behind = moto.url
    machine.set(AWS_WEB_IDENTITY_TOKEN_FILE=machine.file("jwt", new_secret()), AWS_ROLE_ARN=ROLE)
    return Case("web identity", fake.sts.last)


def container(machine, fake, moto):
    machine.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=fake.container_url)
    return Case("container", fake.container.last)


def container_with_an_authorization(machine, fake, moto):
    fake.container_authorization = new_secret()
    machine.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=fake.container_url)
    machine.set(AWS_CONTAINER_AUTHORIZATION_TOKEN=fake.container_authorization)
    return Case("container", fake.container.last)


def container_with_an_authorization_file(machine, fake, moto):
    fake.container_authorization = new_secret()
    machine.set(AWS_CONTAINER_CREDENTIALS_FULL_URI=fake.container_url)
    token = machine.file("authorization", fake.container_authorization)
    machine.set(AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=token)
    return Case("container", fake.container.last)


def instance_metadata(machine, fake, moto):
    machine.uses_imds(fake.url)
    return Case("instance metadata", fake.imds.last)


def role_on_top_of_the_environment(machine, fake, moto):
    machine.uses_keys(long_lived_keys("env"))
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    fake.sts_behind = moto.url
    return Case("role", fake.sts.last, ("--role-arn", ROLE, "--region", "eu-central-1"))


def role_on_top_of_a_profile(machine, fake, moto):
    machine.credentials(keys_file("base", long_lived_keys()))
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    fake.sts_behind = moto.url
    return Case("role", fake.sts.last, ("--role-arn", ROLE, "--profile", "base", "--region", "eu-central-1"))


def role_on_top_of_the_instance(machine, fake, moto):
    machine.uses_imds(fake.url)
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    fake.sts_behind = moto.url
    return Case("role", fake.sts.last, ("--role-arn", ROLE, "--region", "eu-central-1"))


def alone(source, folder, fake):
    """Sets up a machine with only this source, answered by the fake. Returns it and its flags."""
    folder.mkdir(exist_ok=True)
    machine = Machine(folder)
    flags = source(machine, fake, fake).flags
    fake.sts_behind = None
    return machine, flags
