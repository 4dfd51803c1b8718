"""Several sources at once: every combination, in one profile and in separate places."""

from itertools import product

from situations.login import LOGIN_FILES, LOGIN_PROFILE
from situations.processes import printed, running
from situations.purposes import ALONE
from situations.situation import CONFIG, CREDENTIALS, ROLE, Situation, keys, section, variables
from situations.sso import SESSION, SSO_FILES, SSO_PROFILE

OUTPUT = {"output": printed("process")}
BASE = section("profile base", keys("base"))
# The sources that a profile can set up: the file, its lines, and other files.
PARTS = {
    "role": (CONFIG, f"role_arn = {ROLE}\nsource_profile = base\n", {}),
    "web identity": (
        CONFIG,
        f"role_arn = {ROLE}-web\nweb_identity_token_file = @HOME@/jwt\n",
        {"jwt": "a-jwt"},
    ),
    "sso": (CONFIG, SSO_PROFILE, SSO_FILES),
    "keys in credentials": (CREDENTIALS, keys("credentials"), {}),
    "login": (CONFIG, LOGIN_PROFILE, LOGIN_FILES),
    "process": (CONFIG, running("cat @HOME@/output"), OUTPUT),
    "process in credentials": (CREDENTIALS, running("cat @HOME@/output"), OUTPUT),
    "keys in config": (CONFIG, keys("config"), {}),
}


def situations():
    yield from in_one_profile()
    yield from side_by_side()


def in_one_profile():
    for taken in product((False, True), repeat=len(PARTS)):
        names = [name for name, is_taken in zip(PARTS, taken, strict=True) if is_taken]
        if not names or ("role" in names and "web identity" in names) or len(names) > 3:
            continue
        texts, files = {CONFIG: "", CREDENTIALS: ""}, {}
        for name in names:
            file, lines, more = PARTS[name]
            texts[file] += lines
            files |= more
        config = section("default", "region = eu-west-1", texts[CONFIG]) + BASE + SESSION
        files |= {CONFIG: config, CREDENTIALS: section("default", texts[CREDENTIALS])}
        yield Situation(", ".join(names), files)


def side_by_side():
    container = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "@FAKE@/container/credentials"}
    instance = {"AWS_EC2_METADATA_DISABLED": None, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "@FAKE@"}
    web = {"AWS_WEB_IDENTITY_TOKEN_FILE": "@HOME@/jwt", "AWS_ROLE_ARN": ROLE, "AWS_REGION": "eu-west-1"}
    web |= {"AWS_DEFAULT_REGION": "eu-west-1"}
    sources = {"keys": variables("env"), "web identity": web, "container": container, "instance": instance}
    flags = ({}, {"profile": "empty"})
    empty = section("profile empty", "region = eu-west-1")
    default = {"keys": section("default", keys("default"))}
    default |= {
        "role": section("default", f"role_arn = {ROLE}", "source_profile = base", "region = eu-west-1")
    }
    for taken in product((False, True), repeat=len(sources)):
        names = [name for name, is_taken in zip(sources, taken, strict=True) if is_taken]
        environment = {k: v for name in names for k, v in sources[name].items()}
        for flag in flags:
            files = {CONFIG: empty, "jwt": "a-jwt"}
            text = flag.get("profile", "no flag")
            found = Situation(f"{', '.join(names) or 'nothing'}; {text}", files, environment, flag)
            alone = flag and {"container", "instance"} & set(names)
            yield found.but(ALONE, "CREDENTIALS_FAILED") if alone else found
        for name, profile in default.items():
            files = {CONFIG: profile + BASE, "jwt": "a-jwt"}
            yield Situation(
                f"{', '.join(names) or 'nothing'}; default profile with {name}", files, environment
            )
