"""The syntax of files: spaces, comments, quotes, duplicates, invalid lines, encodings.

Each text is tested in both files, in the profile that is used and in another one.
"""

from itertools import product

from situations.purposes import COMMENT, CONTROL, ENCODING, EXPIRED, FILE_EXPIRY, ODD_LINE, OTHERS
from situations.situation import CONFIG, CREDENTIALS, ROLE, Situation, key_id, keys, secret, section

FILES_OF_AWS = (CONFIG, CREDENTIALS)
ID, SECRET = key_id("lines"), secret("lines")
BOTH = f"aws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n"
USUAL = section("default", keys("usual"))

# Lines of a section, with the keys ID and SECRET.
WRITTEN = {
    "plain": BOTH,
    "no spaces": BOTH.replace(" = ", "="),
    "many spaces": BOTH.replace(" = ", "   =\t  "),
    "spaces at the end": BOTH.replace("\n", "  \t\n"),
    "colons": BOTH.replace(" = ", ": "),
    "colons without spaces": BOTH.replace(" = ", ":"),
    "upper case": BOTH.replace("aws_access_key_id", "AWS_ACCESS_KEY_ID").replace(
        "aws_secret_access_key", "Aws_Secret_Access_Key"
    ),
    "the first line indented": f"  {BOTH}",
    "the second line indented": BOTH.replace("\n", "\n  ", 1),
    "both lines indented": "".join(f"  {line}\n" for line in BOTH.splitlines()),
    "both lines indented by tabs": "".join(f"\t{line}\n" for line in BOTH.splitlines()),
    "lines indented more and more": f" aws_access_key_id = {ID}\n   aws_secret_access_key = {SECRET}\n",
    "lines indented less and less": f"   aws_access_key_id = {ID}\n aws_secret_access_key = {SECRET}\n",
    "double quotes": f'aws_access_key_id = "{ID}"\naws_secret_access_key = "{SECRET}"\n',
    "single quotes": f"aws_access_key_id = '{ID}'\naws_secret_access_key = '{SECRET}'\n",
    "a quoted key": f'"aws_access_key_id" = {ID}\naws_secret_access_key = {SECRET}\n',
    "# right after a value": BOTH.replace("\n", "# mine\n"),
    "; right after a value": BOTH.replace("\n", "; mine\n"),
    "# before the value": BOTH.replace(" = ", " = # "),
    "= in the value": BOTH.replace(SECRET, f"{SECRET}=="),
    ": in the value": BOTH.replace(SECRET, f"{SECRET}:x"),
    "% in the value": BOTH.replace(SECRET, f"{SECRET}%(x)s%"),
    "a backslash at the end": BOTH.replace(SECRET, f"{SECRET}\\"),
    "a space in the value": BOTH.replace(SECRET, f"{SECRET} x"),
    "an accent in the value": BOTH.replace(SECRET, f"{SECRET}é"),
    "an accent in a comment": f"# clé\n{BOTH}",
    "a comment between": BOTH.replace("\n", "\n# mine\n", 1),
    "an indented comment between": BOTH.replace("\n", "\n  # mine\n", 1),
    "an indented comment first": f"  # mine\n{BOTH}",
    "an indented ; first": f"  ; mine\n{BOTH}",
    "an empty line between": BOTH.replace("\n", "\n\n", 1),
    "a line of spaces between": BOTH.replace("\n", "\n   \n", 1),
    "an ARN on a line": f"{ROLE}\n{BOTH}",
    "a key with an empty value": f"{BOTH}region =\n",
    "an empty key id": BOTH.replace(ID, ""),
    "an empty secret": BOTH.replace(SECRET, ""),
    "both empty": "aws_access_key_id =\naws_secret_access_key =\n",
    "an id alone": f"aws_access_key_id = {ID}\n",
    "a secret alone": f"aws_secret_access_key = {SECRET}\n",
    "unknown keys": f"{BOTH}output = json\ncli_pager =\nx_principal_arn = {ROLE}\n",
    "a key with spaces": f"{BOTH}my own key = x\n",
    "a key with odd letters": f"{BOTH}a/b.c-d[e]é = x\n",
    "a nested block": f"{BOTH}s3 =\n  max_queue_size = 20\n  addressing_style = path\n",
    "a nested block first": f"s3 =\n  max_queue_size = 20\n{BOTH}",
    "a nested block with an empty line": f"{BOTH}s3 =\n\n  max_queue_size = 20\n",
    "a nested block with a comment": f"{BOTH}s3 =\n  # mine\n  max_queue_size = 20\n",
    "a session token": f"{BOTH}aws_session_token = t\n",
    "an empty session token": f"{BOTH}aws_session_token =\n",
    "a legacy session token": f"{BOTH}aws_security_token = legacy\n",
    "an empty legacy session token": f"{BOTH}aws_security_token =\n",
    "both session tokens": f"{BOTH}aws_session_token = t\naws_security_token = legacy\n",
    "an empty legacy session token next to one": f"{BOTH}aws_security_token =\naws_session_token = t\n",
    "a vertical tab": f"{BOTH}region = eu-west-1\v\n",
    "a no-break space": BOTH.replace(" = ", "\u00a0=\u00a0"),
    "a line separator": f"{BOTH}output = a\u2028b\n",
    "a NUL": f"{BOTH}output = a\0b\n",
    "a next line": f"{BOTH}output = a\u0085b\n",
}
# The AWS CLI rejects a file with such a line in any profile.
ODD = {
    "an id without =": f"aws_access_key_id {ID}\naws_secret_access_key = {SECRET}\n",
    "a secret without =": f"aws_access_key_id = {ID}\naws_secret_access_key {SECRET}\n",
    "a comment with rem": f"rem mine\n{BOTH}",
    "a comment with //": f"// mine\n{BOTH}",
    "a word on a line": f"{BOTH}word\n",
    "two words on a line": f"{BOTH}two words\n",
    "a secret on a line": f"aws_access_key_id = {ID}\n{SECRET}\n",
    "a = without a key": f"{BOTH}= x\n",
    "a = alone": f"{BOTH}=\n",
    "a : alone": f"{BOTH}:\n",
    "a key without a value": f"{BOTH}region\n",
    "an id twice": f"{BOTH}aws_access_key_id = AKIASECOND\n",
    "the same id twice": f"{BOTH}aws_access_key_id = {ID}\n",
    "an id twice in other case": f"{BOTH}AWS_ACCESS_KEY_ID = AKIASECOND\n",
    "another key twice": f"{BOTH}region = eu-west-1\nregion = eu-west-2\n",
    "a value on the next line": f"aws_access_key_id =\n  {ID}\naws_secret_access_key = {SECRET}\n",
}
# The AWS CLI also rejects these, although they do not matter for credentials.
NESTED = {
    "a nested block with an odd line": f"{BOTH}s3 =\n  odd\n",
    "a nested block with colons": f"{BOTH}s3 =\n  max_queue_size: 20\n",
}
COMMENTS = {
    "# after a value": BOTH.replace("\n", " # mine\n"),
    "; after a value": BOTH.replace("\n", " ; mine\n"),
}
# Each with the code of the error.
CONTROLS = {
    "a value on two lines": (f"{BOTH}aws_session_token = a\n  b\n", "CREDENTIALS_FAILED"),
    "a value with an empty line in it": (f"{BOTH}aws_session_token = a\n\n  b\n", "CREDENTIALS_FAILED"),
    "a tab in a value": (BOTH.replace(SECRET, f"{SECRET}\tx"), "INVALID_CREDENTIALS"),
    "a form feed": (f"{BOTH}\fregion = eu-west-1\n", "CREDENTIALS_FAILED"),
}
EXPIRIES = {
    "an expiry of saml2aws": f"{BOTH}aws_session_token = t\nx_security_token_expires = 2099-01-01T00:00:00Z\n",
    "an expiry of others": f"{BOTH}aws_session_token = t\naws_expiration = 2099-01-01T00:00:00Z\n",
}
# Whole files.
FILES = {
    "a comment before any section": f"# mine\n;\n\n{USUAL}",
    "an indented section": "  " + USUAL,
    "an open bracket": f"[default\n{BOTH}",
    "an open bracket in another section": f"{USUAL}[profile other\nregion = eu-west-1\n",
    "a title alone": "[default]",
    "a title alone, then keys": f"[default]\n\n\n{BOTH}",
    "[DEFAULT] next to it": f"[DEFAULT]\nregion = eu-west-1\n{USUAL}",
    "[DEFAULT] alone": f"[DEFAULT]\n{BOTH}",
    "[DEFAULT] with half": f"[DEFAULT]\naws_access_key_id = {ID}\n[default]\naws_secret_access_key = {SECRET}\n",
    "two on one line": f"[default] aws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n",
    "TOML": f'[default]\naws_access_key_id = "{ID}"\naws_secret_access_key = """{SECRET}"""\n',
    "JSON": f'{{"default": {{"aws_access_key_id": "{ID}"}}}}\n',
    "export lines": f"export AWS_ACCESS_KEY_ID={ID}\nexport AWS_SECRET_ACCESS_KEY={SECRET}\n",
    "export lines in a section": f"[default]\nexport AWS_ACCESS_KEY_ID={ID}\nexport AWS_SECRET_ACCESS_KEY={SECRET}\n",
    "merge marks": f"<<<<<<< HEAD\n{USUAL}=======\n>>>>>>> x\n",
    "a plugin section": f"[plugins]\na = b\n{USUAL}[preview]\ncloudsearch = true\n",
    "many profiles": "".join(section(f"profile p{n}", keys(f"p{n}")) for n in range(50)) + USUAL,
    "a continuation after the title": f"[default]\n  x\n{BOTH}",
}
# In these, only the profiles with an invalid line are unusable.
ODD_FILES = {
    "a key before any section": f"region = eu-west-1\n{USUAL}",
    "a word before any section": f"word\n{USUAL}",
    "an empty title": f"[]\nregion = eu-west-1\n{USUAL}",
    "an odd line in another section": f"{USUAL}[profile other]\nodd\n",
    "a double key in another section": f"{USUAL}[profile other]\nregion = a\nregion = b\n",
}
NESTED_FILES = {
    "an odd nested block in another section": f"{USUAL}[profile other]\ns3 =\n  odd\n",
}
ENCODED = {
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16, little end first": lambda text: text.encode("utf-16-le"),
    "UTF-16, big end first": lambda text: text.encode("utf-16-be"),
    "UTF-32": lambda text: text.encode("utf-32"),
    "CR and LF": lambda text: text.replace("\n", "\r\n").encode(),
    "CR": lambda text: text.replace("\n", "\r").encode(),
    "mixed line endings": lambda text: text.replace("\n", "\r\n", 1).encode(),
    "no newline at the end": lambda text: text.rstrip("\n").encode(),
    "two CR": lambda text: text.replace("\n", "\r\r\n").encode(),
    "an end of file of DOS": lambda text: text.encode() + b"\x1a",
    "a NUL at the end": lambda text: text.encode() + b"\0",
    "an accent in a comment": lambda text: f"# clé\n{text}".encode(),
    "an emoji in another section": lambda text: f"{text}[profile \U0001f600]\nregion = x\n".encode(),
    "a BOM within": lambda text: f"# mine\n\ufeff{text}".encode(),
}


# The unreadable line is outside the profile that is used.
ODD_ENCODED = {
    "Latin-1 in a comment": lambda text: b"# cl\xe9\n" + text.encode(),
    "Latin-1 in another section": lambda text: text.encode() + b"[profile \xe9quipe]\nregion = x\n",
}
BOMS = {
    "a BOM": lambda text: text.encode("utf-8-sig"),
    "a BOM and CR and LF": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
}
# The encodings that make a line unreadable for the AWS CLI.
ODD_LINED = ("an end of file of DOS", "a NUL at the end", "a BOM within")
USUAL_ID = key_id("usual")


def situations():
    yield from lines()
    yield from files()
    yield from encodings()
    odd = "# mine\nregion = eu-west-1 ; mine\nsource_profile = base\n"
    base = section("profile base", keys("base"))
    comment = Situation(
        "comments after a role's values", {CONFIG: f"[default]\nrole_arn = {ROLE} {odd}{base}"}
    )
    yield comment.but(COMMENT, "sts 1 access_key_id")


def lines():
    for (name, text), file in product((WRITTEN | ODD).items(), FILES_OF_AWS):
        yield Situation(f"{name} in {file}", used(file, text))
    for name, text in WRITTEN.items():
        yield Situation(f"{name}, in the other file", unused(text))
    for name, text in (ODD | NESTED).items():
        purpose = ODD_LINE if name in ODD else OTHERS
        yield Situation(f"{name}, in the other file", unused(text)).but(purpose, USUAL_ID)
    for (name, text), file in product(NESTED.items(), FILES_OF_AWS):
        yield Situation(f"{name} in {file}", used(file, text)).but(OTHERS, ID)
    for (name, text), file in product(COMMENTS.items(), FILES_OF_AWS):
        yield Situation(f"{name} in {file}", used(file, text)).but(COMMENT, ID)
    for (name, (text, code)), file in product(CONTROLS.items(), FILES_OF_AWS):
        yield Situation(f"{name} in {file}", used(file, text)).but(CONTROL, code)
    for name, text in EXPIRIES.items():
        yield Situation(name, used(CREDENTIALS, text)).but(FILE_EXPIRY, ID)
        passed = Situation(f"{name}, in the past", used(CREDENTIALS, text.replace("2099", "2001")))
        yield passed.but(EXPIRED, "CREDENTIALS_EXPIRED")


def used(file: str, text: str) -> dict[str, str]:
    return {file: f"[default]\n{text}"}


def unused(text: str) -> dict[str, str]:
    return {CONFIG: f"[profile other]\n{text}", CREDENTIALS: USUAL}


def files():
    for (name, text), file in product(FILES.items(), FILES_OF_AWS):
        yield Situation(f"{name}, {file}", {file: text})
    for (name, text), file in product((ODD_FILES | NESTED_FILES).items(), FILES_OF_AWS):
        purpose = ODD_LINE if name in ODD_FILES else OTHERS
        yield Situation(f"{name}, {file}", {file: text}).but(purpose, USUAL_ID)


def encodings():
    other = section("profile other", "region = x")
    for name, encode in ENCODED.items():
        for file in FILES_OF_AWS:
            yield Situation(f"{name}, {file}", {file: encode(USUAL)})
        beside = Situation(f"{name}, keys in the other file", {CONFIG: encode(other), CREDENTIALS: USUAL})
        yield beside.but(ODD_LINE, USUAL_ID) if name in ODD_LINED else beside
    for name, encode in (ODD_ENCODED | BOMS).items():
        purpose = ODD_LINE if name in ODD_ENCODED else ENCODING
        for file in FILES_OF_AWS:
            yield Situation(f"{name}, {file}", {file: encode(USUAL)}).but(purpose, USUAL_ID)
        beside = Situation(f"{name}, keys in the other file", {CONFIG: encode(other), CREDENTIALS: USUAL})
        yield beside.but(purpose, USUAL_ID)
