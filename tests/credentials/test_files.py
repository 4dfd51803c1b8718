"""Checks that well-formed AWS configuration files are read, and malformed ones rejected. An error never
quotes a file."""

import os
import re
import shlex

import pytest
from fake_aws import keys_file, long_lived_keys, new_secret, now
from machine import parameters, shows_a_secret, signed_by
from sources import ROLE

KEYS = long_lived_keys("file")
ID, SECRET = KEYS.access_key_id, KEYS.secret_access_key
BOTH = f"aws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n"

WELL_WRITTEN = {
    "spaces around the equals sign or none": f"[default]\naws_access_key_id={ID}\naws_secret_access_key  =  {SECRET}\n",
    "spaces at the ends of lines": f"[default]  \naws_access_key_id = {ID}  \naws_secret_access_key = {SECRET}\t\n",
    "spaces in the brackets": f"[ default ]\n{BOTH}",
    "comment lines and empty ones": f"# mine\n\n; old:\n[default]\n# the key\naws_access_key_id = {ID}\n\n"
    f"aws_secret_access_key = {SECRET}\n# the end",
    "comments after values": f"[default] # me\naws_access_key_id = {ID} # 1\naws_secret_access_key = {SECRET} ; 2\n",
    "Windows line endings": f"[default]\n{BOTH}".replace("\n", "\r\n"),
    "no newline at the end": f"[default]\n{BOTH}".rstrip("\n"),
    "names in upper case": f"[default]\nAWS_ACCESS_KEY_ID = {ID}\nAWS_SECRET_ACCESS_KEY = {SECRET}\n",
    "settings of other tools": f"[default]\noutput = json\ns3 =\n  max_queue_size = 20\n{BOTH}cli_pager =\n",
    "other sections before and after": f"[a]\nregion = x\n[default]\n{BOTH}[b]\n{keys_file('c', long_lived_keys())}",
}


@pytest.mark.parametrize("file", ["config", "credentials"])
@pytest.mark.parametrize("text", WELL_WRITTEN.values(), ids=WELL_WRITTEN)
def test_a_file_is_read_with(text, file, machine):
    getattr(machine, file)(text)
    assert machine.found()["access key id"] == f"{ID} (long-lived)"
    assert signed_by(machine.token()) == ID


OTHERS = {
    "an indented first setting": "[profile other]\n  region = eu-west-1\n",
    "text after the bracket": "[profile other] /* x */\nregion = eu-west-1\n",
    "an indented comment": "[default]\n  # mine\nregion = eu-west-1\n",
    "a colon": "[profile other]\nregion: eu-west-1\n",
    "a role's ARN on a line of its own": f"[profile scan]\n{ROLE}\nsource_profile = default\n",
    "a line without an equals sign": "[profile other]\nwhat is this\n",
    "a setting twice": "[profile other]\nregion = a\nregion = b\n",
    "a section twice": "[profile other]\n[profile other]\n",
    "a bracket left open": "[profile other\nregion = eu-west-1\n",
    "a quote left open": "[profile 'other]\nregion = eu-west-1\n",
    "a damaged character": b"[profile other]\nname = caf\xe9\n",
    "a byte order mark": b"\xef\xbb\xbf[profile other]\nregion = eu-west-1\n",
    "an empty profile": "[profile other]\n",
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_another_profile_does_no_harm_with(text, machine):
    machine.credentials(f"[default]\n{BOTH}")
    (machine.folder / "config").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert machine.found()["access key id"] == f"{ID} (long-lived)"
    assert signed_by(machine.token()) == ID


@pytest.mark.parametrize(
    "name", ["FOO BAR", "équipe", "Dev (eu)", "Audit/AWSPower", "a'b", '"', "profile", "x\u00a0y"]
)
@pytest.mark.parametrize("file", ["config", "credentials"])
def test_a_profile_may_be_called(name, file, machine):
    section = f"profile {shlex.quote(name)}" if file == "config" else name
    getattr(machine, file)(keys_file(section, KEYS))
    assert signed_by(machine.token("--profile", name)) == ID
    machine.set(AWS_PROFILE=name)
    assert signed_by(machine.token()) == ID


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("file", ["config", "credentials"])
def test_utf_16_is_rejected(encoding, file, machine):
    machine.credentials(f"[default]\n{BOTH}")
    (machine.folder / file).write_bytes(f"[default]\n{BOTH}".encode(encoding))
    run = machine.failure()
    assert run.code == "CREDENTIALS_FAILED"
    assert run.message == f"credentials: {machine.folder / file}: encoded as UTF-16; accepted: UTF-8"


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_a_path_that_is_not_a_file_counts_as_missing(kind, machine):
    path = machine.home / kind
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path = "/dev/null"
    machine.set(AWS_CONFIG_FILE=path)
    assert f"{path} is not a regular file" in machine.failure().message
    machine.credentials(f"[default]\n{BOTH}")
    assert signed_by(machine.token()) == ID


def test_the_older_name_of_the_session_token_is_read(machine):
    token = new_secret()
    temporary = BOTH.replace("AKIA", "ASIA")
    machine.credentials(f"[default]\n{temporary}aws_security_token = {token}\n")
    assert parameters(machine.token())["X-Amz-Security-Token"] == token
    machine.credentials(f"[default]\n{BOTH}aws_session_token =\n")
    assert "X-Amz-Security-Token" not in parameters(machine.token())


def test_a_rewritten_file_is_read_again(machine, fake):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    fake.sts.lifetime = 1000
    app = f"[profile app]\nrole_arn = {ROLE}\nsource_profile = base\n"
    machine.config(app)
    machine.credentials(keys_file("base", KEYS))
    with now.stopped(), machine.probe(profile="app") as probe:
        probe.ask()
        other = long_lived_keys("other")
        machine.credentials(keys_file("base", other))
        probe.ask(after=900)
    assert [request.signed_by for request in fake.sts.requests] == [ID, other.access_key_id]


BROKEN = {
    "no equals sign": f"[default]\naws_access_key_id = {ID}\naws_secret_access_key {SECRET}\n",
    "a key outside any section": BOTH,
    "a bracket left open": f"[default\n{BOTH}",
    "a secret on a line of its own": f"[default]\naws_access_key_id = {ID}\n{SECRET}\n",
    "a section twice": f"[default]\naws_access_key_id = {ID}\n[b]\n[default]\naws_secret_access_key = {SECRET}\n",
    "a key twice": f"[default]\n{BOTH}aws_secret_access_key = {SECRET}\n",
    "an indented secret": f"[default]\naws_access_key_id = {ID}\n  aws_secret_access_key = {SECRET}\n",
    "a secret of two lines": f"[default]\naws_access_key_id = {ID}\naws_secret_access_key =\n  {SECRET}\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_file_is_rejected_without_quoting_it_for(text, machine):
    machine.credentials(text)
    run = machine.failure()
    assert (run.status, run.code) == (1, "CREDENTIALS_FAILED")
    assert run.message.startswith("credentials: profile") and not shows_a_secret(run.message)
    assert re.search(rf": {machine.folder}/credentials, line \d: ", run.message), run
    machine.credentials(f"[default]\n{BOTH}")
    assert signed_by(machine.token()) == ID


@pytest.mark.parametrize("missing", ["aws_access_key_id", "aws_secret_access_key"])
def test_a_missing_half_of_the_keys_is_named(missing, machine):
    machine.credentials("[default]\n" + "".join(x + "\n" for x in BOTH.splitlines() if missing not in x))
    run = machine.failure()
    assert (run.code, missing in run.message) == ("CREDENTIALS_FAILED", True)


def test_empty_keys_are_rejected(machine):
    machine.credentials("[default]\naws_access_key_id =\naws_secret_access_key =\n")
    run = machine.failure()
    assert (run.status, run.code) == (2, "INVALID_CREDENTIALS")
    assert "line 2: aws_access_key_id: is empty; accepted: " in run.message


def test_the_credentials_file_comes_before_the_config_file(machine):
    machine.config(keys_file("default", long_lived_keys("config")))
    machine.credentials(keys_file("default", KEYS))
    assert signed_by(machine.token()) == ID


def test_a_profile_of_the_config_file_needs_the_word_profile(machine):
    machine.config(keys_file("x", long_lived_keys("plain")))
    assert machine.failure("--profile", "x").code == "CREDENTIALS_FAILED"
    machine.config(keys_file("profile x", KEYS))
    assert signed_by(machine.token("--profile", "x")) == ID


def test_a_profile_of_the_credentials_file_has_no_word_profile(machine):
    machine.credentials(keys_file("profile x", long_lived_keys("word")))
    assert machine.failure("--profile", "x").code == "CREDENTIALS_FAILED"
    machine.credentials(keys_file("x", KEYS))
    assert signed_by(machine.token("--profile", "x")) == ID


def test_variables_may_name_other_files(machine):
    machine.config(keys_file("default", long_lived_keys("home")))
    machine.set(AWS_CONFIG_FILE=machine.file("my config", keys_file("profile x", KEYS)))
    assert signed_by(machine.token("--profile", "x")) == ID
    other = long_lived_keys("other")
    machine.set(AWS_SHARED_CREDENTIALS_FILE=machine.file("my credentials", keys_file("x", other)))
    assert signed_by(machine.token("--profile", "x")) == other.access_key_id


def test_a_missing_profile_is_named(machine):
    machine.credentials(keys_file("x", KEYS))
    run = machine.failure("--profile", "y")
    assert (run.code, 'profile "y": not found' in run.message) == ("CREDENTIALS_FAILED", True)
    assert signed_by(machine.token("--profile", "x")) == ID


def test_an_empty_profile_name_is_rejected(machine):
    run = machine.failure("--profile", "")
    assert (run.status, run.code) == (2, "INVALID_CREDENTIALS")


CHAINS = {
    "a source profile that is missing": ("source_profile = gone", 'there is no profile "gone"'),
    "a source profile without keys": ("source_profile = empty", 'profile "empty": no credentials'),
    "a loop of two": ("source_profile = back", 'profile "app" refers back to itself'),
    "neither source": ("output = json", "needs source_profile or credential_source"),
    "both sources": ("source_profile = good\ncredential_source = Environment", "accepted: one of the two"),
    "a source that does not exist": ("credential_source = Nowhere", '"Nowhere" is not a source'),
}


@pytest.mark.parametrize("setting, words", CHAINS.values(), ids=CHAINS)
def test_a_role_is_rejected_for(setting, words, machine, fake):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    machine.credentials(keys_file("good", KEYS))
    back = f"[profile back]\nrole_arn = {ROLE}\nsource_profile = app\n[profile empty]\noutput = json\n"
    app = f"[profile app]\nrole_arn = {ROLE}\nregion = eu-west-1\n"
    machine.config(f"{app}{setting}\n{back}")
    run = machine.failure("--profile", "app")
    assert (run.code, words in run.message) == ("CREDENTIALS_FAILED", True), run
    assert fake.sts.requests == []
    machine.config(f"{app}source_profile = good\n{back}")
    assert signed_by(machine.token("--profile", "app")) == fake.sts.last().access_key_id


def test_a_role_may_have_its_own_profile_as_its_source(machine, fake):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    machine.config(f"[profile app]\nrole_arn = {ROLE}\nsource_profile = app\n{BOTH}")
    assert signed_by(machine.token("--profile", "app")) == fake.sts.last().access_key_id
    assert fake.sts.requests[0].signed_by == ID


def region_of(token):
    return parameters(token)["X-Amz-Credential"].split("/")[2]


def test_the_profile_s_region_is_the_last_resort(machine):
    machine.credentials(keys_file("default", KEYS))
    run = machine.run("token", "--hostname", "localhost", "--username", "iam_user")
    assert (run.status, run.code) == (2, "REGION_REQUIRED")

    machine.config("[default]\nregion = ap-south-1\n[profile x]\nregion = sa-east-1\n" + BOTH)
    assert region_of(machine.token(hostname="localhost")) == "ap-south-1"
    assert region_of(machine.token("--profile", "x", hostname="localhost")) == "sa-east-1"
    assert region_of(machine.token("--profile", "x")) == "eu-central-1"
    machine.set(AWS_PROFILE="x")
    assert region_of(machine.token(hostname="localhost")) == "sa-east-1"
    machine.set(AWS_DEFAULT_REGION="us-west-1")
    assert region_of(machine.token(hostname="localhost")) == "us-west-1"
    machine.set(AWS_REGION="us-west-2")
    assert region_of(machine.token(hostname="localhost")) == "us-west-2"
    assert region_of(machine.token("--region", "eu-north-1", hostname="localhost")) == "eu-north-1"


def test_an_invalid_region_of_the_profile_is_rejected(machine):
    machine.config(f"[default]\nregion = Ireland\n{BOTH}")
    run = machine.run("token", "--hostname", "localhost", "--username", "iam_user")
    assert (run.status, run.code) == (2, "INVALID_REGION")
    assert "profile" in run.message


def test_sts_is_called_in_the_profile_s_region(machine, fake):
    machine.set(AWS_ENDPOINT_URL_STS=fake.url)
    machine.credentials(keys_file("base", KEYS))
    app = f"[profile app]\nrole_arn = {ROLE}\nsource_profile = base\n"
    machine.config(f"{app}region = ca-central-1\n")
    machine.token("--profile", "app")
    assert "/ca-central-1/sts/" in fake.sts.requests[-1].headers["authorization"]
    machine.config(app)
    machine.token("--profile", "app")
    assert "/eu-central-1/sts/" in fake.sts.requests[-1].headers["authorization"]


# A failing process is reported with its profile.


def process(machine, script):
    path = machine.file("keys.sh", f"#!/bin/sh\n{script}\n", 0o700)
    machine.config(f"[default]\ncredential_process = {path}\n")


JSON = '{"Version": 1, "AccessKeyId": "%s", "SecretAccessKey": "%s"}'

BAD_PROCESSES = {
    "a status of 1": ("echo 'please log in first' >&2; exit 1", ["exit status: 1", "please log in first"]),
    "a status of 1 after printing keys": (f"echo '{JSON % (ID, SECRET)}'; exit 1", ["exit status: 1"]),
    "no output": ("true", ["credential_process: its output is not a JSON object"]),
    "rubbish": (f"echo rubbish {SECRET}", ["credential_process: its output is not a JSON object"]),
    "half its output": (
        f"echo '{JSON[:50] % (ID)}{SECRET}'",
        ["credential_process: its output is not a JSON object"],
    ),
    "no version": (f"echo '{JSON.replace('Version', 'Edition') % (ID, SECRET)}'", ["Version: missing"]),
    "another version": (f"echo '{JSON.replace('1', '2') % (ID, SECRET)}'", ["Version: not the number 1"]),
    "no secret": ('echo \'{"Version": 1, "AccessKeyId": "AKIA"}\'', ["SecretAccessKey: missing"]),
    "an invalid expiry": (
        f"""echo '{JSON.replace("}", ', "Expiration": "soon"}') % (ID, SECRET)}'""",
        ['Expiration: "soon" is not a time'],
    ),
    "an expiry without a time zone": (
        f"""echo '{JSON.replace("}", ', "Expiration": "2099-01-01T00:00:00"}') % (ID, SECRET)}'""",
        ["Expiration: "],
    ),
    "an expiry as a number": (
        f"""echo '{JSON.replace("}", ', "Expiration": 978307200}') % (ID, SECRET)}'""",
        ["Expiration: a number; accepted: a string"],
    ),
    "a session token of another type": (
        f"""echo '{JSON.replace("}", ', "SessionToken": ["%s"]}') % (ID, SECRET, SECRET)}'""",
        ["SessionToken: a list"],
    ),
}


@pytest.mark.parametrize("script, words", BAD_PROCESSES.values(), ids=BAD_PROCESSES)
def test_a_process_fails_with(script, words, machine):
    process(machine, script)
    run = machine.failure()
    assert (run.status, run.code) == (1, "CREDENTIALS_FAILED")
    assert run.message.startswith('credentials: profile "default": '), run
    assert all(word in run.message for word in words), run
    process(machine, f"echo '{JSON % (ID, SECRET)}'")
    assert signed_by(machine.token()) == ID


@pytest.mark.parametrize(
    "end", ["00:00:00+0000", "00:00:00UTC", "00:00:00.123Z", "01:00:00+01:00", "00:00:00 GMT"], ids=str
)
@pytest.mark.parametrize("between", ["T", " "], ids=["T", "a space"])
def test_a_process_s_expiry_may_have_any_form_of_the_aws_cli(between, end, machine):
    text = JSON.replace("}", f', "Expiration": "2099-01-01{between}{end}"}}') % (ID, SECRET)
    process(machine, f"echo '{text}'")
    assert machine.found()["expires at"] == "2099-01-01T00:00:00Z"


def test_a_missing_process_is_named(machine):
    missing = machine.home / "keys.sh"
    machine.config(f"[default]\ncredential_process = {missing} --now\n")
    run = machine.failure()
    assert run.code == "CREDENTIALS_FAILED"
    assert "127" in run.message and str(missing) in run.message


@pytest.mark.parametrize(
    "keys, field",
    [
        (("", SECRET), "access key id"),
        ((ID, ""), "secret access key"),
        (("AKIA\\n", SECRET), "access key id"),
    ],
    ids=["an empty id", "an empty secret", "a newline in the id"],
)
def test_keys_of_a_process_are_checked_for(keys, field, machine):
    process(machine, f"cat <<'END'\n{JSON % keys}\nEND")
    run = machine.failure()
    assert (run.code, run.message.startswith(f"{field}: ")) == ("INVALID_CREDENTIALS", True)


def test_a_process_s_arguments_are_not_shown(machine):
    secret = new_secret()
    machine.config(f"[default]\ncredential_process = false --password '{secret}'\n")
    assert machine.failure().code == "CREDENTIALS_FAILED"
