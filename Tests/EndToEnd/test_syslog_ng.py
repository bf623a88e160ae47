"""Real syslog-ng with the project's example configuration, fed by `logger` and over its sockets: every line arrives once,
whatever is in it, over rotations by hand and by logrotate."""

import os
import subprocess

import pytest

from support import syslogng
from support.program import REPOSITORY
from support.shipping import Shipping, read
from torture.records import source_key
from torture.truth import Incarnation

LOGROTATE = os.path.join(REPOSITORY, "jobs", "logrotate", "sluice-drupal")
FILES = ("drupal.log", "drupal-pri.log")
HOSTILE = [
    b"pipes http://a.example|1795385468|page not found|203.0.113.9|http://a.example/x?a=b|c|||0||x|y",
    b"utf8 \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \xe2\x80\xa8 \xc2\x85 \xef\xbf\xbd",
    b"invalid utf8 \xff\xfe\x80 \xc3( \xed\xa0\x80",
    b"control \x01\x1b[31m\x07\x7f tab\tend",
    b"formats %s %n %d $HOST ${PROGRAM} $(grep x) \\n \\x41 `id`",
    b"forged <0>1 2026-11-22T22:16:10Z evil drupal - - - x",
    b"percent %00 null-like \\0 quotes \" ' brackets ] [",
    b"carriage\rreturn",
    b"   leading and trailing blanks   ",
    b"",
    b"long " + b"0123456789abcdef" * 3_800,     # just below syslog-ng's own limit of 64 KiB
]


@pytest.fixture
def shipping(scenario):
    return Shipping(scenario, FILES)


@pytest.fixture
def daemon(shipping, tmp_path_factory):
    with syslogng.SyslogNG(tmp_path_factory.mktemp("ng"), shipping.directory) as daemon:
        yield daemon


def test_the_example_configuration_is_valid(tmp_path):
    daemon = syslogng.SyslogNG(tmp_path, tmp_path)
    for paths in ("as it is", "with paths of the test"):
        if paths == "as it is":
            with open(syslogng.EXAMPLE) as file:
                daemon.write_configuration(file.read())
        else:
            daemon = syslogng.SyslogNG(tmp_path, tmp_path)
        result = daemon.check_syntax()
        assert result.returncode == 0 and not result.stderr.strip(), result.stderr
    daemon.write_configuration("filter f_broken { no-such-thing(1); };")
    assert daemon.check_syntax().returncode != 0


def contents(shipping, name):
    """What is in the file and in its rotated predecessors, oldest first."""
    names = sorted((n for n in os.listdir(shipping.directory) if n == name or n.startswith(name + ".")), reverse=True)
    return [read(shipping.path(n)) for n in names]


def assert_every_byte_once(shipping):
    """The stream holds each line of both files once, under the byte at which it stands there."""
    first, second = (contents(shipping, name) for name in FILES)
    others = [Incarnation(100 + number, FILES[1], content, {FILES[1] + ".1", FILES[1] + ".2"})
              for number, content in enumerate(second)]
    shipping.assert_bytes(*first, file=FILES[0], others=others)


def assert_marked_once(shipping, marks):
    """Each mark stands once in each of the two files, so syslog-ng lost nothing either."""
    for name in FILES:
        text = b"".join(contents(shipping, name))
        assert [text.count(mark) for mark in marks] == [1] * len(marks), name


def feed(daemon, word, count=150):
    """Ordinary lines by every way in; their marks."""
    marks = ["%s-%s-%04d." % (word, way, n) for way in ("logger", "datagram", "stream") for n in range(count)]
    daemon.logger(["http://www.example.org|%d|user|203.0.113.7|||1||%s" % (1795385468 + n, mark)
                   for n, mark in enumerate(marks[:count])])
    for mark in marks[count:2 * count]:
        daemon.send(b"over the datagram socket " + mark.encode(), priority=131)
    daemon.send_stream(b"over the stream socket " + mark.encode() for mark in marks[2 * count:])
    daemon.logger(["must not pass " + word], program="cron")
    return [mark.encode() for mark in marks]


def wait_for_files(shipping, marks):
    """Until syslog-ng has written them all: it gives no answer to a datagram."""
    for name in FILES:
        shipping.scenario.wait_for(lambda: all(mark in b"".join(contents(shipping, name)) for mark in marks),
                                   what="every mark in " + name)


def test_every_line_of_both_files_arrives_once(shipping, daemon):
    marks = feed(daemon, "first")
    for number, text in enumerate(HOSTILE):
        marks.append(b"hostile-%02d:" % number)
        daemon.send(marks[-1] + text, program="drupal" if number % 2 else "drupal-www")
    wait_for_files(shipping, marks)
    shipping.run()
    assert_marked_once(shipping, marks)
    assert_every_byte_once(shipping)
    lines = {name: [r.data for r in shipping.records() if source_key(r.key).file == name] for name in FILES}
    for name in FILES:
        assert not any(b"must not pass" in line for line in lines[name])
        for text in HOSTILE[:8]:
            assert sum(text in line for line in lines[name]) == 1, text
    assert not any(line.startswith(b"<") for line in lines["drupal.log"])
    assert all(line.startswith((b"<132>2", b"<131>2")) for line in lines["drupal-pri.log"])
    assert sum(line.startswith(b"<131>") for line in lines["drupal-pri.log"]) == 150


def test_a_message_with_line_feeds_is_one_record(shipping, daemon):
    daemon.send(b"before")
    daemon.send(b"SQLSTATE[42000]: Array\n(\n    [:p] => 1\n\n)\n    #1 last")
    daemon.send(b"after")
    wait_for_files(shipping, [b"#1 last", b"after"])
    shipping.run()
    assert_every_byte_once(shipping)
    records = [r.data for r in shipping.records()]
    assert len(records) == 6
    assert sum(b"Array\n(\n    [:p] => 1\n\n)\n    #1 last" in data for data in records) == 2


def test_rename_and_hup_while_the_shipper_follows(shipping, daemon):
    shipping.write_job(rescan="1s")
    marks = feed(daemon, "start")
    with shipping.follow() as follower:
        for number in range(2):     # a third would remove what the comparison reads
            for name in FILES:
                for old, new in ((".1", ".2"), ("", ".1")):
                    if os.path.exists(shipping.path(name + old)):
                        os.rename(shipping.path(name + old), shipping.path(name + new))
            marks += feed(daemon, "late%d" % number, 20)     # still into the renamed files
            wait_for_files(shipping, marks)
            daemon.hang_up()
            marks += feed(daemon, "new%d" % number, 40)
            wait_for_files(shipping, marks)
            follower.wait_for_lines(2 * len(marks))
    assert_marked_once(shipping, marks)
    assert_every_byte_once(shipping)


def write_logrotate(directory, logs, daemon):
    """The project's example with the test's paths; and the same signal from the test's own hand."""
    with open(LOGROTATE) as file:
        text = file.read()
    for old, new in (("/var/log/", str(logs) + "/"),
                     ("invoke-rc.d syslog-ng reload >/dev/null", "kill -HUP %d" % daemon.process.pid)):
        assert old in text
        text = text.replace(old, new)
    if os.geteuid() != 0:
        text = text.replace("create 0640 root adm", "create 0640")
    path = os.path.join(str(directory), "sluice-drupal")
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o644)
    return path


def test_logrotate_with_the_example_loses_nothing(shipping, daemon, tmp_path):
    configuration = write_logrotate(tmp_path, shipping.directory, daemon)
    os.chmod(shipping.directory, 0o755)

    def rotate():
        subprocess.run(["logrotate", "--force", "--state", str(tmp_path / "logrotate.state"), configuration],
                       check=True, timeout=60, env=dict(os.environ, PATH="/usr/sbin:/usr/bin:/sbin:/bin"))

    marks = feed(daemon, "day0", 30)
    wait_for_files(shipping, marks)
    shipping.run()
    for day in range(1, 5):     # two of them go by without a run
        rotate()
        marks += feed(daemon, "day%d" % day, 30)
        wait_for_rotated(shipping, marks)
        if day != 2:
            shipping.run()
    with shipping.follow() as follower:
        rotate()
        marks += feed(daemon, "day5", 30)
        wait_for_rotated(shipping, marks)
        follower.wait_for_lines(2 * len(marks))
    assert sorted(n for n in os.listdir(shipping.directory) if n.startswith("drupal.log")) == [
        "drupal.log", "drupal.log.1", "drupal.log.2.gz", "drupal.log.3.gz", "drupal.log.4.gz", "drupal.log.5.gz"]
    found = b"\n".join(record.data for record in shipping.records())
    assert [found.count(mark) for mark in marks] == [2] * len(marks)
    assert shipping.count() == 2 * len(marks)


def wait_for_rotated(shipping, marks):
    """Until the last mark is in one of the two newest files, wherever the HUP found it."""
    def newest(name):
        return b"".join(read(shipping.path(n)) for n in (name, name + ".1") if os.path.exists(shipping.path(n)))

    for name in FILES:
        shipping.scenario.wait_for(lambda: all(mark in newest(name) for mark in marks[-90:]),
                                   what="the day's marks in " + name)
