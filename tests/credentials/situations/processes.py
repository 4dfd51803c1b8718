"""credential_process: its output and its command."""

import json
from itertools import product

from situations.purposes import SHELL
from situations.situation import CONFIG, CREDENTIALS, Situation, key_id, keys, secret, section

FUTURE = "2099-01-01T00:00:00Z"


def printed(name: str, **more: object) -> str:
    """Returns the output of a process. None leaves out a field."""
    keys = {"Version": 1, "AccessKeyId": key_id(name), "SecretAccessKey": secret(name)}
    return json.dumps({k: v for k, v in (keys | more).items() if v is not None})


def running(command: str) -> str:
    """Returns the line that sets the command."""
    return f"credential_process = {command}\n"


def situations():
    yield from outputs()
    yield from commands()


def outputs():
    many = {
        "keys alone": {},
        "a session token": {"SessionToken": "t"},
        "all": {"SessionToken": "t", "Expiration": FUTURE},
        "an empty session token": {"SessionToken": ""},
        "an empty end": {"Expiration": ""},
        "version 2": {"Version": 2},
        "version as text": {"Version": "1"},
        "version as a fraction": {"Version": 1.0},
        "no version": {"Version": None},
        "no id": {"AccessKeyId": None},
        "no secret": {"SecretAccessKey": None},
        "an account": {"AccountId": "123456789012"},
        "more": {"More": {"a": [1, None]}},
        "names in other case": {"AccessKeyId": None, "accessKeyId": key_id("x")},
        "an id that is a number": {"AccessKeyId": 5},
    }
    ends = ["2099-01-01T00:00:00+00:00", "2099-01-01T00:00:00+0000", "2099-01-01T01:00:00+01:00"]
    ends += [
        "2099-01-01T00:00:00.5Z",
        "20990101T000000Z",
        "2099-01-01 00:00:00Z",
        "2099-01-01T00:00:00",
        "2099-01-01T00:00:00UTC",
    ]
    ends += [
        "2099-01-01",
        "soon",
        "2001-01-01T00:00:00Z",
        4070908800,
        978307200,
        True,
        [],
    ]
    many |= {f"end {end!r}": {"SessionToken": "t", "Expiration": end} for end in ends}
    for name, more in many.items():
        yield Situation(f"prints {name}", ran(printed("process", **more)))
    keys = json.loads(printed("process"))
    for value in ("SessionToken", "Expiration"):
        yield Situation(f"prints null for {value}", ran(json.dumps(keys | {value: None})))
    whole = printed("process")
    texts = {"nothing": "", "a list": f"[{whole}]", "half": whole[:-9], "twice": whole * 2, "a word": "keys"}
    texts |= {
        "lines": json.dumps(keys, indent=2),
        "blanks around": f"\n  {whole}\n\n",
        "a BOM": "\ufeff" + whole,
    }
    texts |= {"a comment": f"# {whole}", "two versions": whole.replace("{", '{"Version": 2, ', 1)}
    for name, text in texts.items():
        yield Situation(f"prints {name}", ran(text))


def ran(output: str) -> dict[str, str]:
    return {CONFIG: section("default", running("cat @HOME@/output")), "output": output}


def commands():
    folder = {"a folder/output": printed("process"), "output": printed("process"), "it's": printed("process")}
    folder |= {
        "script": "exit 1\n",
        "fails": "cat @HOME@/output\nexit 3\n",
        "mutters": "echo oh >&2; cat @HOME@/output\n",
    }
    many = [
        "cat '@HOME@/a folder/output'",
        'cat "@HOME@/a folder/output"',
        "cat @HOME@/a\\ folder/output",
        "cat @HOME@/a folder/output",
        "'cat' \"@HOME@/output\"",
        '"cat @HOME@/output"',
        "cat  @HOME@/output   ",
        'cat "@HOME@/it\'s"',
        "cat @HOME@/it\\'s",
        "cat '@HOME@/output",
        "/bin/cat @HOME@/output",
        "cat output",
        "./output",
        "gone --flag",
        "sh @HOME@/script",
        "sh @HOME@/fails",
        "sh @HOME@/mutters",
        "sh -c 'cat @HOME@/output'",
        "sh -c 'cat \"$0\"' @HOME@/output",
        "cat @HOME@/output ; why",
        "printf %s '" + printed("process").replace("%", "%%") + "'",
        "",
        "''",
        "   ",
    ]
    for command in many:
        yield Situation(f"runs {command!r}", {CONFIG: section("default", running(command))} | folder)
    for command in ("cat @HOME@/output # why", "cat @HOME@/output | cat", "cat $HOME/output", "cat ~/output"):
        ran_by_sh = Situation(f"runs {command!r}", {CONFIG: section("default", running(command))} | folder)
        yield ran_by_sh.but(SHELL, key_id("process"))
    for file, name in product((CONFIG, CREDENTIALS), ("default", "dev")):
        title = f"profile {name}" if file == CONFIG and name == "dev" else name
        files = {file: section(title, running("cat @HOME@/output"))} | folder
        yield Situation(f"in {file} for {name}", files, flags={"profile": name})
    both = {
        CONFIG: section("default", running("cat @HOME@/output")),
        CREDENTIALS: section("default", running("cat @HOME@/second")),
    }
    yield Situation("in both files", both | {"output": printed("first"), "second": printed("second")})
    nested = {CONFIG: "[default]\ncredential_process =\n  cat @HOME@/output\n", "output": printed("process")}
    yield Situation("on a line of its own", nested)
    keys_too = {
        CONFIG: section("default", running("cat @HOME@/output"), keys("config")),
        "output": printed("process"),
    }
    yield Situation("keys below it", keys_too)
