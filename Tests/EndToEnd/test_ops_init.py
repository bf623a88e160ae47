"""`sluice init`: from flags, or by asking on a terminal, to a job file that `sluice check` takes."""

import os
import pty
import select
import stat
import time

import pytest

from support.program import Program, binary

ARCHIVE = ["--stream", "my_stream", "--region", "eu-west-1", "--bucket", "acme-logs"]


@pytest.fixture
def program(tmp_path):
    return Program({}, tmp_path)


def converse(program, arguments, answers, seconds=20):
    """Runs on a terminal and types one answer at each prompt. (status, what the screen showed)"""
    path = binary()     # may be relative to the folder that this process is in
    process, terminal = pty.fork()
    if process == 0:
        try:
            os.chdir(program.directory)
            os.execve(path, [path] + arguments, dict(program.environment, TERM="xterm"))
        finally:
            os._exit(127)   # never a second pytest
    shown, waiting, end = "", list(answers), time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                text = os.read(terminal, 4096).decode()
            except OSError:  # the program has closed its terminal
                break
            shown += text
        if waiting and shown.endswith(": "):
            os.write(terminal, waiting.pop(0).encode() + b"\n")
            shown += "\n"
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    assert not waiting, shown
    return os.waitstatus_to_exitcode(status), shown.replace("\r\n", "\n")


def test_flags_alone_give_a_good_file_that_others_may_read(program, tmp_path):
    result = program.run("init", "archive", *ARCHIVE)
    path = tmp_path / "my-stream.yaml"
    assert "my-stream.yaml is written; next: sluice check --live my-stream.yaml" in result.stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    text = path.read_text()
    assert "bucket: acme-logs" in text and "# an batch" not in text and text.count("#") > 20
    program.run("check", path)
    shipper = program.run("init", "ship", "--file", "/var/log/a.log", "--file", "/var/log/b*.log", "--stream", "s",
                          "--name", "web", "--output", "-", environment={"AWS_REGION": "us-east-1"})
    (tmp_path / "web.yaml").write_text(shipper.stdout)
    assert 'files: ["/var/log/a.log", "/var/log/b*.log"]' in shipper.stdout
    program.run("check", "web.yaml")


def test_the_job_is_named_like_its_file_as_the_units_want_it(program, tmp_path):
    program.run("init", "archive", *ARCHIVE, "--output", tmp_path / "web.yaml")
    text = (tmp_path / "web.yaml").read_text()
    assert "\nname: web " in text and "/var/lib/sluice/web" in text and "_sluice/web/" in text
    program.run("init", "ship", "--file", "/var/log/x", *ARCHIVE[:4], "--output", tmp_path / "Not A Name.yaml")
    assert "\nname: my-stream-ship " in (tmp_path / "Not A Name.yaml").read_text()


def test_a_file_that_is_there_is_never_overwritten(program, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("precious")
    result = program.run("init", "archive", *ARCHIVE, "--output", path, expect=73)
    assert "not overwritten" in result.stderr and path.read_text() == "precious"
    (tmp_path / "dangling.yaml").symlink_to(tmp_path / "elsewhere")
    program.run("init", "archive", *ARCHIVE, "--output", tmp_path / "dangling.yaml", expect=73)
    assert not (tmp_path / "elsewhere").exists()
    result = program.run("init", "archive", *ARCHIVE, "--output", "/nowhere/x.yaml", expect=75)
    assert "/nowhere/x.yaml" in result.stderr


@pytest.mark.parametrize("arguments, flag", [
    (["archive"], "--stream"), (["archive", "--stream", "s"], "--region"),
    (["archive", "--stream", "s", "--region", "us-east-1"], "--bucket"),
    (["ship", "--stream", "s", "--region", "us-east-1"], "--file")])
def test_without_a_terminal_what_is_missing_is_named(program, tmp_path, arguments, flag):
    result = program.run("init", *arguments, expect=64)
    assert "%s is missing" % flag in result.stderr and not list(tmp_path.iterdir())


@pytest.mark.parametrize("changes, words", [
    (["--bucket", "Not A Bucket"], "bucket name"), (["--region", "us-esat-1x"], "region"),
    (["--name", "UPPER"], "job name"), (["--prefix", "a/{nonsense}/"], "placeholder")])
def test_a_wrong_value_is_refused_in_the_words_of_check(program, tmp_path, changes, words):
    result = program.run("init", "archive", *ARCHIVE, *changes, expect=64)
    assert words in result.stderr and not list(tmp_path.iterdir())


def test_on_a_terminal_it_asks_and_asks_again(program, tmp_path):
    status, shown = converse(program, ["init", "archive", "--region", "us-east-1"],
                             ["", "my_stream", "No Bucket", "acme-logs", "web", ""])
    assert status == 0, shown
    assert shown.count("Kinesis stream") == 2 and "is not a bucket name" in shown
    assert "[web/dt={date}/hour={hour}/]" in shown
    text = (tmp_path / "web.yaml").read_text()
    assert "stream: my_stream" in text and "bucket: acme-logs" in text and "/var/lib/sluice/web" in text
    program.run("check", "web.yaml")


def test_on_a_terminal_a_shipper_takes_several_files(program, tmp_path):
    status, shown = converse(program, ["init", "ship", "--stream", "s"],
                             ["/var/log/a.log /var/log/b.log", "eu-central-1", ""])
    assert status == 0, shown
    assert 'files: ["/var/log/a.log", "/var/log/b.log"]' in (tmp_path / "s-ship.yaml").read_text()


def test_end_of_input_on_a_terminal_ends_without_a_file(program, tmp_path):
    status, shown = converse(program, ["init", "archive"], ["\x04"])
    assert status == 64 and "--stream is missing" in shown and not list(tmp_path.iterdir())
