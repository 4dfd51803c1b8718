"""`--help` of every command in terminals of several widths: prose fits, and examples can be pasted."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import pytest
from harness import PATIENCE, RDSIGN

WIDTHS = [60, 80, 200]
# Prose does not become wider in a wider terminal.
WIDEST = 100
ENVIRONMENT = {"NO_COLOR": "1", "LANG": "C.UTF-8"}
# The first word of a command in an example, after any variables.
PROGRAMS = {"rdsign", "psql", "export", "(umask"}


def shown(width, *arguments):
    """Returns what a terminal of this width shows."""
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    with subprocess.Popen(
        [RDSIGN, *arguments], env=ENVIRONMENT, stdin=there, stdout=there, stderr=there
    ) as process:
        os.close(there)
        text = b""
        try:
            while part := os.read(here, 4096):
                text += part
        except OSError:  # reading fails when the program has closed its end
            pass
        os.close(here)
        assert process.wait(PATIENCE) == 0
    return text.decode().replace("\r\n", "\n")


def piped(*arguments, **environment):
    command = [RDSIGN, *arguments]
    pipes = {"stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE, "stdout": subprocess.PIPE}
    done = subprocess.run(command, env=ENVIRONMENT | environment, text=True, timeout=PATIENCE, **pipes)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def commands(*above):
    """Lists every command as a path, such as ("policy", "check")."""
    listed = re.search(r"^Commands:\n((?:  .*\n)+)", piped(*above, "--help"), re.M)
    names = re.findall(r"^  (\S+)", listed[1], re.M) if listed else []
    below = [commands(*above, name) for name in names if name != "help"]
    return [above, *(command for found in below for command in found)]


def sections(text):
    """Splits a help page into sections: lines of prose or a heading, and the indented lines below."""
    found = [([], [])]
    for line in text.splitlines():
        prose, indented = found[-1]
        if line.startswith(" "):
            indented.append(line)
        elif line and not indented:
            prose.append(line)
        elif line or (prose and not indented):  # an example may contain blank lines
            found.append(([line] if line else [], []))
    return found


def examples(text):
    """Returns the lines of the examples: all indented lines but clap's own and the exit statuses."""
    others = ("Usage:", "Arguments:", "Commands:", "Options:", "Exit status:")
    return [
        line
        for prose, indented in sections(text)
        if prose and not prose[0].startswith(others)
        for line in indented
    ]


ALL = commands()
each_command = pytest.mark.parametrize("command", ALL, ids=lambda command: " ".join(("rdsign", *command)))


def test_commands_of_commands_are_found():
    assert {(), ("token",), ("policy",), ("policy", "check")} < set(ALL)


@pytest.mark.parametrize("width", WIDTHS)
@each_command
def test_lines_fit_and_are_filled(command, width):
    text = shown(width, *command, "--help")
    limit = min(width, WIDEST)
    kept = examples(text)
    usage = re.search(r"^Usage: .*\n(?: .*\n)*", text, re.M)[0].splitlines()
    too_wide = [line for line in text.splitlines() if len(line) > limit and line not in kept + usage]
    assert not too_wide
    for prose, _ in sections(text):
        for line, next_line in zip(prose, prose[1:]):
            first_word = next_line.split()[0]
            assert len(f"{line} {first_word}") > limit, f"{line!r} ends too early"


@each_command
def test_examples_can_be_pasted(command):
    wide, *narrower = (examples(shown(width, *command, "--help")) for width in reversed(WIDTHS))
    assert narrower == [wide, wide]
    assert all(len(line) < 78 for line in wide)
    script = "\n".join(line.removeprefix("  ") for line in wide) + "\n"
    parsed = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, timeout=PATIENCE)
    assert (parsed.returncode, parsed.stderr) == (0, "")
    for line in script.replace("\\\n", " ").split("\n"):
        command_itself = re.sub(r"^(\w+=(\$\([^)]*\)|\S*) +)+", "", line)
        assert command_itself.split(" ")[0] in PROGRAMS | {""}, (
            f"{line!r} is not a command: has a line been broken?"
        )


def test_all_commands_but_two_have_an_example():
    without = {command for command in ALL if not examples(piped(*command, "--help"))}
    assert without == {(), ("credentials",)}


@each_command
def test_the_short_flag_and_the_help_command_show_the_same(command):
    assert piped(*command, "-h") == piped("help", *command) == piped(*command, "--help")


@pytest.mark.parametrize("width", WIDTHS)
def test_without_a_terminal_columns_sets_the_width(width):
    assert piped("exec", "--help", COLUMNS=str(width)) == shown(width, "exec", "--help")
    assert piped("exec", "--help") == shown(80, "exec", "--help")
