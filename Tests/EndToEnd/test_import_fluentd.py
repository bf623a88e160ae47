"""`sluice ship import-fluentd`: from a Fluentd configuration and its positions to a job that goes on where Fluentd stopped."""

import base64
import gzip
import json
import os
import shutil

import pytest

CONFIGURATION = """\
<source>
  type tail
  path {directory}/drupal.log
  pos_file {directory}/drupal.pos
  format syslog
  keep_time_key true
  refresh_interval 10s
  tag drupal
</source>
<match drupal>
  type kinesis_streams
  stream_name {stream}
  region us-east-1
  aws_key_id AKIAIOSFODNN7EXAMPLE
  aws_sec_key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
  flush_interval 1
  buffer_chunk_limit 1m
  try_flush_interval 0.1
  queued_chunk_flush_interval 0.01
  num_threads 15
  detach_process 1
</match>
"""


class Migration:
    """A host on which Fluentd ran: its configuration, its log, its position file."""

    def __init__(self, scenario):
        self.scenario = scenario.set_up(shards=2)
        self.directory = scenario.directory
        self.log = os.path.join(self.directory, "drupal.log")
        self.positions = os.path.join(self.directory, "drupal.pos")
        self.job = os.path.join(self.directory, "imported.yaml")
        self.state = os.path.join(self.directory, "ship-state")
        self.configuration = os.path.join(self.directory, "td-agent.conf")
        self.write(self.configuration, CONFIGURATION.format(directory=self.directory, stream=scenario.stream))

    @staticmethod
    def write(path, text, mode="w"):
        with open(path, mode) as file:
            file.write(text)

    @staticmethod
    def lines(first, count):
        return [f"Nov 22 21:31:00 web1 drupal: line {n} \"quoted\"" for n in range(first, first + count)]

    def append(self, lines):
        self.write(self.log, "".join(line + "\n" for line in lines), "a")

    def fluentd_stopped(self, offset, path=None, inode=None):
        """Fluentd's position file as it leaves it."""
        path = path or self.log
        inode = os.stat(path).st_ino if inode is None else inode
        self.write(self.positions, f"{self.log}\t{offset:016x}\t{inode:016x}\n")

    def run_import(self, *options, expect=0):
        return self.scenario.program.run(
            "ship", "import-fluentd", self.configuration, "--output", self.job, "--state-directory", self.state,
            *options, expect=expect)

    def ship(self):
        return self.scenario.program.run("ship", self.job, "--once", "--json", expect=0)

    def messages(self):
        """The messages on the stream, in the form that plugin 1 gives them."""
        stored = [base64.b64decode(r["data"]) for r in self.scenario.oracle()]
        assert all(not record.endswith(b"\n") for record in stored)
        records = [json.loads(record) for record in stored]
        assert all(list(record) == ["time", "host", "ident", "message"] for record in records)
        return sorted(record["message"] for record in records)


@pytest.fixture
def migration(scenario):
    return Migration(scenario)


def expected(lines):
    return sorted(line.split("drupal: ", 1)[1] for line in lines)


def test_shipping_goes_on_exactly_where_fluentd_stopped(migration):
    sent, waiting = migration.lines(0, 100), migration.lines(100, 50)
    migration.append(sent)
    offset = os.path.getsize(migration.log)
    migration.append(waiting)
    migration.fluentd_stopped(offset)
    result = migration.run_import("--pos-file", migration.positions, "--json")
    account = json.loads(result.stdout)
    assert account["exit_code"] == 0 and len(account["jobs"]) == 1
    assert account["jobs"][0]["positions"] == [{
        "path": migration.log, "position": offset, "inode": os.stat(migration.log).st_ino, "action": "resume",
        "file": migration.log, "offset": offset, "text": f"goes on at byte {offset}"}]
    for secret in ("AKIA", "wJalr"):
        assert secret not in result.stdout + result.stderr + open(migration.job).read()
    checked = migration.scenario.program.run("check", migration.job, expect=0)
    assert "good: ship job drupal" in checked.stdout
    migration.ship()
    assert migration.messages() == expected(waiting)
    migration.append(migration.lines(150, 10))
    migration.ship()
    assert migration.messages() == expected(waiting + migration.lines(150, 10))


def test_rotated_file_is_finished_and_the_new_one_read_from_its_head(migration):
    sent, waiting, new = migration.lines(0, 100), migration.lines(100, 50), migration.lines(150, 30)
    migration.append(sent)
    offset = os.path.getsize(migration.log)
    migration.append(waiting)
    migration.fluentd_stopped(offset)
    os.rename(migration.log, migration.log + ".1")
    migration.append(new)
    # `start: tail` comes out of the configuration, and must not skip the new file.
    migration.run_import("--pos-file", migration.positions)
    assert "start: tail" in open(migration.job).read()
    migration.ship()
    assert migration.messages() == expected(waiting + new)


def test_truncated_file_is_read_from_its_head_after_the_copy(migration):
    """copytruncate while Fluentd was stopped: what it had not read is in the copy, of which nothing tells its place."""
    migration.append(migration.lines(0, 100))
    migration.fluentd_stopped(os.path.getsize(migration.log))
    os.utime(migration.positions, (1_700_000_000, 1_700_000_000))
    migration.append(migration.lines(100, 7))
    shutil.copy(migration.log, migration.log + ".1")
    shutil.copy(migration.log, migration.log + ".2")
    os.utime(migration.log + ".2", (1_600_000_000, 1_600_000_000))
    os.truncate(migration.log, 0)
    new = migration.lines(200, 5)
    migration.append(new)
    result = migration.run_import("--pos-file", migration.positions)
    assert "was truncated" in result.stdout
    migration.ship()
    assert migration.messages() == expected(migration.lines(0, 107) + new)


def test_file_that_is_gone_leaves_nothing_that_came_after_it_behind(migration):
    """Fluentd's file was compressed while it was stopped, and the log rotated once more."""
    first, second, third = migration.lines(0, 40), migration.lines(40, 30), migration.lines(70, 20)
    migration.append(first)
    migration.fluentd_stopped(os.path.getsize(migration.log), inode=os.stat(migration.log).st_ino)
    os.utime(migration.positions, (1_700_000_000, 1_700_000_000))
    with gzip.open(migration.log + ".2.gz", "wb") as file:
        file.write(open(migration.log, "rb").read())
    os.utime(migration.log + ".2.gz", (1_600_000_000, 1_600_000_000))
    os.remove(migration.log)
    migration.write(migration.log + ".1", "".join(line + "\n" for line in second))
    migration.append(third)
    result = migration.run_import("--pos-file", migration.positions)
    assert "is not there any more" in result.stdout
    migration.ship()
    assert migration.messages() == expected(second + third)


def test_position_inside_a_line_goes_back_to_its_start(migration):
    lines = migration.lines(0, 3)
    migration.append(lines)
    migration.fluentd_stopped(len(lines[0]) + 10)
    result = migration.run_import("--pos-file", migration.positions)
    assert "9 bytes before Fluentd's position" in result.stdout
    migration.ship()
    assert migration.messages() == expected(lines[1:])


def test_damaged_lines_are_told_and_the_rest_is_taken(migration):
    migration.append(migration.lines(0, 2))
    migration.fluentd_stopped(0)
    with open(migration.positions, "a") as file:
        file.write("/else/where.log\t0000000000000001\t0000000000000002\nbroken line\n")
    result = migration.run_import("--pos-file", migration.positions)
    assert f"{migration.positions}:2: no job ships /else/where.log" in result.stdout
    assert f"{migration.positions}:3: is damaged" in result.stdout
    migration.ship()
    assert len(migration.messages()) == 2


def test_nothing_is_overwritten(migration):
    migration.append(migration.lines(0, 2))
    migration.fluentd_stopped(0)
    migration.run_import("--pos-file", migration.positions)
    before = open(migration.job).read()
    result = migration.run_import(expect=73)
    assert "is there already" in result.stderr and open(migration.job).read() == before
    os.remove(migration.job)
    result = migration.run_import("--pos-file", migration.positions, expect=74)
    assert "there are positions already" in result.stderr and not os.path.exists(migration.job)


def test_without_output_the_printed_job_file_is_good(migration):
    result = migration.scenario.program.run("ship", "import-fluentd", migration.configuration, expect=0)
    migration.write(migration.job, result.stdout)
    assert all(secret not in result.stdout for secret in ("AKIA", "wJalr"))
    migration.scenario.program.run("check", migration.job, expect=0)


@pytest.mark.parametrize("text, place, message", [
    ("# x\n<source>\n", ":2", "<source> begins here and is not closed"),
    ("<match **>\n@type null\n</match>\n", "", "no lines of a @type tail source reach a Kinesis output"),
    ("<source>\n@type tail\ntag t\npath /x\nformat nginx\n</source>\n<match **>\n@type kinesis_streams\n"
     "stream_name s\n</match>\n", ":7", "no job file can be made of this output: lines are parsed with nginx"),
])
def test_configuration_without_a_job_is_refused(migration, text, place, message):
    migration.write(migration.configuration, text)
    result = migration.run_import(expect=78)
    assert f"read Fluentd configuration {migration.configuration}{place}: {message}" in result.stderr
    assert not os.path.exists(migration.job)


def test_file_that_cannot_be_read_is_temporary(migration):
    os.remove(migration.configuration)
    assert "cannot be read" in migration.run_import(expect=75).stderr


def test_several_jobs_need_a_directory(migration):
    with open(migration.configuration, "a") as file:
        source = CONFIGURATION.split("<match")[0].format(directory=migration.directory)
        file.write(source.replace("drupal.log", "b.log"))
    program = migration.scenario.program
    result = program.run("ship", "import-fluentd", migration.configuration, "--output", migration.job, expect=64)
    assert "give a directory" in result.stderr
    assert "need one each" in migration.run_import(expect=64).stderr
    program.run("ship", "import-fluentd", migration.configuration, "--output", migration.directory, expect=0)
    jobs = [os.path.join(migration.directory, name) for name in ("drupal.yaml", "drupal-2.yaml")]
    program.run("check", *jobs, expect=0)
