"""The names of sections, and the profiles that they define."""

from itertools import product

from situations.purposes import BLANKS, ODD_LINE
from situations.situation import CONFIG, CREDENTIALS, Situation, key_id, keys, section

# Names as written in a file: after `profile ` in the config file, and alone in the credentials file.
WRITTEN = {
    "dev": "dev",
    "my dev": "my dev",
    "'my dev'": "my dev",
    '"my dev"': "my dev",
    "my\\ dev": "my dev",
    "'dev'": "dev",
    '"dev"': "dev",
    "d'e'v": "dev",
    "  dev": "dev",
    "dev  ": "dev",
    "Dev": "Dev",
    "équipe": "équipe",
    "'équipe'": "équipe",
    "dev (eu)": "dev (eu)",
    "'dev (eu)'": "dev (eu)",
    "a/b": "a/b",
    "a.b@c-d_e+f": "a.b@c-d_e+f",
    "a:b": "a:b",
    "a#b": "a#b",
    "a;b": "a;b",
    "a b c": "a b c",
    "a=b": "a=b",
    "[dev]": "[dev]",
    "dev]": "dev]",
    "it's": "it's",
    '"it\'s"': "it's",
    "": "",
    "''": "",
    "%dev%": "%dev%",
    "`dev`": "`dev`",
    "$HOME": "$HOME",
    "dev # mine": "dev",
    "開発": "開発",
    "profile": "profile",
    "default": "default",
    "123": "123",
}
TITLES = [
    "profile\tdev", "profile   dev", "Profile dev", "PROFILE dev", "profile-dev", "profiledev", "profile dev more", "  profile dev  ",
    "dev", "profile", "profile 'dev", "profile  'dev' ", "profile default", "profile 'default'", "default", "DEFAULT", "Default",
    " default ", "'default'", "profiles dev", "profile profile dev", "sso-session dev", "services dev", "plugins", "preview", "dev profile",
]  # fmt: skip
BEHIND = ["", " ", "# mine", " # mine", " ; mine", " mine", "; mine", "]", " [x]", "\t", " = x"]
USUAL = section("default", keys("usual"))


def situations():
    for (written, name), file in product(WRITTEN.items(), (CONFIG, CREDENTIALS)):
        title = f"profile {written}" if file == CONFIG else written
        files = {file: section(title, keys("named"))}
        asked = {"profile": name} if name else {}
        named = Situation(f"[{title}] in {file}", files, flags=asked)
        blanks = file == CREDENTIALS and written != written.strip()
        yield named.but(BLANKS, key_id("named")) if blanks else named
        if name != written and file == CREDENTIALS:
            yield Situation(
                f"[{title}] in {file} by its text", files, flags={"profile": written} if written else {}
            )
        if file == CONFIG and title != "profile default":
            yield Situation(f"[{title}] is not used", {file: section(title, keys("named")) + USUAL})
    for title, name in product(TITLES, ("dev", "default")):
        flags = {"profile": name}
        titled = Situation(f"[{title}] as {name}", {CONFIG: section(title, keys("named"))}, flags=flags)
        blanks = title.startswith(" ") and name in title
        yield titled.but(BLANKS, key_id("named")) if blanks else titled
        if name == "dev":
            yield Situation(
                f"[{title}] as {name} in credentials",
                {CREDENTIALS: section(title, keys("named"))},
                flags=flags,
            )
    for behind in BEHIND:
        text = f"[profile dev]{behind}\n{keys('named')}"
        yield Situation(f"[profile dev]{behind!r} is used", {CONFIG: text}, flags={"profile": "dev"})
        other = f"[profile other]{behind}\nregion = eu-west-1\n{USUAL}"
        yield Situation(f"{behind!r} after the title of another", {CONFIG: other})
    yield from variables()
    yield from twice()


def variables():
    for name in ("équipe", "my dev", "開発"):
        yield Situation(
            f"AWS_PROFILE={name}", {CREDENTIALS: section(name, keys("named"))}, {"AWS_PROFILE": name}
        )


def twice():
    """Yields a profile that appears twice in one file or in both."""
    id_, secret_ = keys("first").splitlines()
    for file in (CONFIG, CREDENTIALS):
        title = "profile dev" if file == CONFIG else "dev"
        flags = {"profile": "dev"}
        yield Situation(
            f"twice in {file}",
            {file: section(title, keys("first")) + section(title, keys("second"))},
            flags=flags,
        )
        yield Situation(
            f"twice in {file}, split", {file: section(title, id_) + section(title, secret_)}, flags=flags
        )
        unused = Situation(
            f"twice in {file}, unused", {file: section(title, id_) + section(title, secret_) + USUAL}
        )
        yield unused.but(ODD_LINE, key_id("usual"))
    for first, second in [("profile dev", "profile 'dev'"), ("profile 'dev'", "profile dev"), ("default", "profile default"),
                          ("profile default", "default"), ("profile dev", "dev"), ("profile dev", "profile  dev")]:  # fmt: skip
        for name in ("dev", "default"):
            both = section(first, keys("first")) + section(second, keys("second"))
            yield Situation(f"[{first}] and [{second}] as {name}", {CONFIG: both}, flags={"profile": name})
    files = {CONFIG: section("profile dev", keys("config")), CREDENTIALS: section("dev", keys("credentials"))}
    yield Situation("in both files", files, flags={"profile": "dev"})
    halves = {CONFIG: section("profile dev", id_), CREDENTIALS: section("dev", secret_)}
    yield Situation("split between both files", halves, flags={"profile": "dev"})
    halves = {CONFIG: section("profile dev", secret_), CREDENTIALS: section("dev", id_)}
    yield Situation("split between both files, the other way", halves, flags={"profile": "dev"})
    token = {
        CONFIG: section("profile dev", "aws_session_token = t"),
        CREDENTIALS: section("dev", keys("credentials")),
    }
    yield Situation("the session token in the other file", token, flags={"profile": "dev"})
