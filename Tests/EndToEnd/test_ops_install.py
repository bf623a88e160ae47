"""`make install` and what it makes: man pages that say what the program says, completions, units; and no trace after
`make uninstall`."""

import json
import os
import re
import subprocess

import pytest

from support.program import REPOSITORY, binary

INSTALL = os.path.join(REPOSITORY, "jobs", "packaging", "install.sh")


def run(*arguments, **options):
    return subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, **options)


def files(folder):
    return sorted(os.path.relpath(os.path.join(place, name), folder)
                  for place, _, names in os.walk(folder) for name in names)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    result = run(INSTALL, "install", binary(), str(root), "/opt/sluice")
    assert result.returncode == 0, result.stdout
    return root


def page(root, name):
    """A man page as text, without hyphenation and emphasis."""
    path = str(root / ("opt/sluice/share/man/man%s/%s" % (name[-1], name)))
    result = run("mandoc", "-T", "utf8", "-O", "width=1000", path)
    assert result.returncode == 0, result.stdout
    return re.sub(".\b", "", result.stdout)


def test_everything_has_its_place(installed):
    found = files(installed / "opt/sluice")
    for wanted in ["bin/sluice", "share/man/man1/sluice.1", "share/man/man5/sluice-job.5",
                   "share/bash-completion/completions/sluice", "share/zsh/site-functions/_sluice",
                   "share/fish/vendor_completions.d/sluice.fish", "lib/systemd/system/sluice-ship@.service",
                   "lib/sysusers.d/sluice.conf", "share/sluice/schemas/job.schema.json",
                   "share/sluice/schemas/redshift/table.sql",
                   "share/doc/sluice/README.md", "share/doc/sluice/examples/drupal-archive.yaml",
                   "share/doc/sluice/examples/cron/sluice"]:
        assert wanted in found
    assert not [name for name in found if "packaging" in name]
    program = installed / "opt/sluice/bin/sluice"
    assert run(str(program), "--version").stdout == run(binary(), "--version").stdout
    for name in found:
        mode = os.stat(installed / "opt/sluice" / name).st_mode & 0o777
        assert mode == (0o755 if name == "bin/sluice" else 0o644), name


def test_units_start_the_program_where_it_lies(installed):
    for name in ("archive", "ship", "verify"):
        text = (installed / ("opt/sluice/lib/systemd/system/sluice-%s@.service" % name)).read_text()
        assert "ExecStart=/opt/sluice/bin/sluice %s " % name in text and "/usr/local" not in text


@pytest.mark.parametrize("name", ["sluice.1", "sluice-job.5"])
def test_man_pages_are_clean(installed, name):
    path = str(installed / ("opt/sluice/share/man/man%s/%s" % (name[-1], name)))
    lint = run("mandoc", "-T", "lint", "-W", "warning", path)
    assert lint.returncode == 0 and lint.stdout == "", lint.stdout
    warned = subprocess.run(["man", "--warnings", "-l", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            text=True, env=dict(os.environ, MANWIDTH="100", LC_ALL="C.UTF-8"))
    assert warned.returncode == 0 and warned.stderr == "", warned.stderr
    assert "Optional(" not in page(installed, name)  # a value of Swift instead of what is typed


def commands(command, path=()):
    """(what is typed, the command) of each; a default subcommand is typed as its parent."""
    yield path, command
    for subcommand in command.get("subcommands", []):
        name = subcommand["commandName"]
        if name != "help":
            yield from commands(subcommand, path if name == command.get("defaultSubcommand") else path + (name,))


def test_the_program_page_names_every_command_option_and_status(installed):
    text = page(installed, "sluice.1")
    top = json.loads(run(binary(), "--experimental-dump-help").stdout)["command"]
    seen = 0
    for path, command in commands(top):
        if path and not command.get("subcommands"):
            assert re.search(r"^ +sluice %s( |$)" % re.escape(" ".join(path)), text, re.MULTILINE), path
        for argument in command.get("arguments", []):
            for name in argument.get("names", []):
                if name["kind"] == "long" and name["name"] != "version":
                    assert re.search(r"--%s\b" % re.escape(name["name"]), text), (path, name)
                    seen += 1
    assert seen > 40
    for status in (0, 1, 64, 65, 69, 73, 74, 75, 77, 78, 79):
        assert re.search(r"^ +%d  +\w" % status, text, re.MULTILINE), status


def test_the_job_page_names_every_key_of_the_schema(installed):
    text = page(installed, "sluice-job.5")
    with open(os.path.join(REPOSITORY, "schemas", "job.schema.json")) as file:
        schema = json.load(file)

    def keys(node, path=""):
        while "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        for name, child in node.get("properties", {}).items():
            yield path + name
            yield from keys(child, path + name + ".")

    found = [key for kind in ("archive", "ship") for key in keys(schema["$defs"][kind])]
    assert len(found) > 40
    for key in found:
        assert re.search(r"^ +%s( |$)" % re.escape(key), text, re.MULTILINE), key
    for example in ("drupal-archive", "drupal-ship"):
        with open(os.path.join(REPOSITORY, "jobs", example + ".yaml")) as file:
            for line in filter(str.strip, file):
                assert line.strip() in text, line


# Answers with what bash would offer after `words`, the last of which is being typed.
BASH_OFFERS = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
function=$(complete -p sluice | sed -E 's/.*-F ([^ ]+).*/\\1/')
"$function" sluice "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(params=["bash", "fish"])
def offers(request, installed, tmp_path):
    """What a shell offers after words, in a folder with a job file and another."""
    (tmp_path / "my.yaml").write_text("")
    (tmp_path / "my.txt").write_text("")
    share = installed / "opt/sluice/share"

    def ask(*words):
        if request.param == "bash":
            script = str(share / "bash-completion/completions/sluice")
            result = run("bash", "-c", BASH_OFFERS, "bash", script, *words, cwd=tmp_path)
        else:
            script = str(share / "fish/vendor_completions.d/sluice.fish")
            result = run("fish", "--no-config", "-c", 'source "$argv[1]"; complete -C "$argv[2]"', script, " ".join(words),
                         cwd=tmp_path, env=dict(os.environ, HOME=str(tmp_path)))
        return {line.split("\t")[0].strip() for line in result.stdout.splitlines()}
    return ask


def test_shells_complete_commands_options_values_and_job_files(offers):
    assert "archive" in offers("sluice", "arch")
    assert "rebuild" in offers("sluice", "state", "")
    assert "--until" in offers("sluice", "archive", "--u")
    assert {"debug", "error"} <= offers("sluice", "archive", "--log-level", "")
    # Not `ship`: where there are subcommands, no shell is told of the default one's arguments.
    for command in ("archive", "transform", "check", "policy", "state rebuild"):
        offered = offers("sluice", *command.split(), "my")
        assert "my.yaml" in offered and "my.txt" not in offered, (command, offered)


@pytest.mark.parametrize("shell,name", [("bash", "bash-completion/completions/sluice"), ("zsh", "zsh/site-functions/_sluice"),
                                        ("fish", "fish/vendor_completions.d/sluice.fish")])
def test_shells_can_read_their_completions(installed, shell, name):
    path = installed / "opt/sluice/share" / name
    result = run(shell, "--no-execute" if shell == "fish" else "-n", str(path))
    assert result.returncode == 0 and result.stdout == "", result.stdout
    text = path.read_text()
    assert all(word in text for word in ("archive", "log-level", "rebuild"))


def test_systemd_makes_the_user_that_the_units_name(installed, tmp_path):
    (tmp_path / "etc").mkdir()
    folder = tmp_path / "usr/local/lib/sysusers.d"
    folder.mkdir(parents=True)
    (folder / "sluice.conf").write_text((installed / "opt/sluice/lib/sysusers.d/sluice.conf").read_text())
    made = run("systemd-sysusers", "--root=%s" % tmp_path)
    assert made.returncode == 0, made.stdout
    assert ":/var/lib/sluice:" in next(
        line for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("sluice:"))


def test_uninstall_leaves_nothing(tmp_path):
    keep = tmp_path / "usr/local/bin/other"
    keep.parent.mkdir(parents=True)
    keep.write_text("mine")
    assert run(INSTALL, "install", binary(), str(tmp_path), "/usr/local").returncode == 0
    assert len(files(tmp_path)) > 20
    assert run(INSTALL, "uninstall", binary(), str(tmp_path), "/usr/local").returncode == 0
    assert files(tmp_path) == ["usr/local/bin/other"]
    assert not (tmp_path / "usr/local/share/doc/sluice").exists()
    assert not (tmp_path / "usr/local/share/sluice").exists()


def test_the_version_is_the_same_everywhere():
    version = run(binary(), "--version").stdout.split()[-1]
    with open(os.path.join(REPOSITORY, "jobs", "packaging", "debian", "changelog")) as file:
        assert file.readline().startswith("sluice (%s) " % version)
    with open(os.path.join(REPOSITORY, "CHANGELOG.md")) as file:
        assert re.search(r"^## %s\b" % re.escape(version), file.read(), re.MULTILINE)
