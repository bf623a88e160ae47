"""Log files, a ship job for them, the shipper at work, and the stream as the oracle of what it sent."""

import base64
import collections
import contextlib
import os
import signal
import socket
import tempfile
import time

from torture.auditor import Audit
from torture.records import user_records
from torture.truth import Incarnation

from . import jobs

READY_SECONDS = 30
STOP_SECONDS = 40


class Shipping:
    """`files` are names in the test's own folder `logs`, or patterns; `log` is the first of them."""

    def __init__(self, scenario, files=("drupal.log",), shards=1, settings=None, limits=False, **job):
        self.scenario = scenario.set_up(shards=shards, settings=settings, limits=limits)
        self.directory = os.path.join(scenario.directory, "logs")
        os.makedirs(self.directory, exist_ok=True)
        self.state = os.path.join(scenario.directory, "ship-state")
        self.files = [self.path(name) for name in files]
        self.log = self.files[0]
        self.write_job(**job)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write_job(self, **changes):
        self.job = jobs.ship(self.scenario.directory, self.scenario.stream, self.files, **changes)
        return self.job

    def append(self, lines, path=None):
        """Lines (text) with a line feed each, or bytes as they are; in one write."""
        with open(path or self.log, "ab", buffering=0) as file:
            file.write(lines if isinstance(lines, bytes) else text(lines))

    # The program.

    def run(self, *arguments, expect=0, **options):
        """`--once`, to its end."""
        return self.scenario.program.run("ship", self.job, "--once", "--json", *arguments, expect=expect, **options)

    def start(self, **options):
        """`--once`, for tests that look in on it."""
        return self.scenario.program.start("ship", self.job, "--once", "--json", **options)

    def follow(self, **options):
        """A following shipper that has looked at the files once."""
        return Follower(self, **options)

    # The stream.

    def records(self):
        """User records in order of arrival, aggregates unpacked."""
        return user_records(self.scenario.oracle())

    def stored(self):
        """(partition key, text) of every Kinesis record ever put."""
        return [(r["partition_key"], base64.b64decode(r["data"]).decode()) for r in self.scenario.oracle()]

    def count(self):
        return sum(record.data.count(b"\n") + 1 for record in self.records())

    def wait_for_lines(self, count, seconds=30):
        """Waits until so many lines are on the stream; more than that is for the test to find."""
        self.scenario.wait_for(lambda: self.count() >= count, seconds, "%d lines on the stream" % count)

    def assert_complete(self, lines, doubles=0):
        """Every line is there; at most `doubles` records are repeats, each under the key of the first."""
        stored = self.stored()
        assert collections.Counter(line for _, line in set(stored)) == collections.Counter(lines)
        assert len(stored) - len(set(stored)) <= doubles
        return stored

    def lines(self):
        """Every line on the stream, in order of arrival."""
        return [line for record in self.records()
                for line in record.data.decode("utf-8", "surrogateescape").split("\n")]

    def assert_once(self, lines):
        """Exactly these lines, each as often as it is in the list."""
        found, wanted = collections.Counter(self.lines()), collections.Counter(lines)
        assert found == wanted, "missing %r, too many %r" % (shown(wanted - found), shown(found - wanted))

    def assert_bytes(self, *contents, file="drupal.log", others=(), **options):
        """The stream holds exactly the lines of these contents of one file, once, and each record's key says the byte
        at which it begins. `others`: Incarnations of further files; the last content is still written to."""
        last = len(contents) - 1
        names = {file + suffix for suffix in ("", ".1", ".2", ".1.gz", ".2.gz")}
        world = [Incarnation(number, file, content, names, is_active=number == last)
                 for number, content in enumerate(contents)]
        return Audit(world + list(others), self.records(), **options).assert_clean(self.scenario.name)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def numbered(word, count, start=0):
    """Distinct lines with a syslog header."""
    return ["Nov 22 22:16:%02d web1 drupal: %s line %04d" % (n % 60, word, n) for n in range(start, start + count)]


def text(lines):
    """The bytes of lines in a file."""
    return "".join(line + "\n" for line in lines).encode()


def shown(counter):
    return [(line[:100], n) for line, n in list(counter.items())[:10]]


class Notifications:
    """The socket of a service manager: what `sd_notify` says. `NOTIFY_SOCKET` is `address`."""

    def __init__(self, abstract=False):
        self._directory = tempfile.mkdtemp(prefix="notify-")    # short: a socket's path has 107 bytes at most
        self.address = "@sluice-test-%d-%d" % (os.getpid(), time.monotonic_ns()) if abstract else \
            os.path.join(self._directory, "socket")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + self.address[1:] if abstract else self.address)
        self._socket.setblocking(False)
        self.messages = []      # (monotonic time, text)

    def poll(self):
        """Takes what has come."""
        while True:
            try:
                data = self._socket.recv(65_536)
            except BlockingIOError:
                return self
            for line in data.decode().splitlines():
                self.messages.append((time.monotonic(), line))

    def all(self, name):
        """Values of every assignment to `name` so far."""
        return [text.partition("=")[2] for _, text in self.poll().messages if text.partition("=")[0] == name]

    def close(self):
        self._socket.close()
        if os.path.exists(os.path.join(self._directory, "socket")):
            os.unlink(os.path.join(self._directory, "socket"))
        os.rmdir(self._directory)


class Follower:
    """`sluice ship JOB` as a service; use it in a `with`. Leaving it in order stops it with SIGTERM."""

    def __init__(self, shipping, *arguments, expect=0, environment=None, abstract=False, **options):
        self._shipping = shipping
        self._expect = expect
        self._arguments = arguments
        self._options = options
        self._environment = environment or {}
        self._abstract = abstract
        self.result = None

    def __enter__(self):
        self.notifications = Notifications(self._abstract)
        self._errors = tempfile.TemporaryFile()     # a pipe that nobody reads would stop the shipper
        self.process = self._shipping.scenario.program.start(
            "ship", self._shipping.job, "--json", *self._arguments, stderr=self._errors,
            environment=dict(self._environment, NOTIFY_SOCKET=self.notifications.address), **self._options)
        try:
            self.wait_for(lambda: self.notifications.all("READY") == ["1"], READY_SECONDS, "READY=1")
        except AssertionError:
            self.kill()
            raise
        return self

    def __exit__(self, kind, *_):
        if self.result is None:
            if kind is None:
                self.stop()
            else:
                self.kill()
        self._errors.close()
        self.notifications.close()

    def wait_for(self, condition, seconds=20, what="the condition"):
        """Waits while the shipper runs."""
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, "the shipper ended with %s\n%s" % (
                self.process.returncode, self.errors())
            assert time.monotonic() < end, "%s did not come true in %s s\n%s" % (what, seconds, self.errors())
            time.sleep(0.02)

    def wait_for_lines(self, count, seconds=30):
        self.wait_for(lambda: self._shipping.count() >= count, seconds, "%d lines on the stream" % count)

    def errors(self):
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace")[-12_000:]

    def stop(self, number=signal.SIGTERM, expect=None):
        """Ends it in order; its Result."""
        self.process.send_signal(number)
        return self.finish(expect)

    def finish(self, expect=None):
        """Waits for it to end by itself; its Result."""
        self.result = self._shipping.scenario.program.finish(
            self.process, ("ship",), expect=None, timeout=STOP_SECONDS)
        self.result.stderr = self.errors()
        allowed = self._expect if expect is None else expect
        assert self.result.exit in ((allowed,) if isinstance(allowed, int) else allowed), str(self.result)
        return self.result

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.result = self.process.wait()
        self.process.stdout.close()


class Shipper:
    """The same story told to both modes: `--once` whenever the story says so, or one that follows all the time."""

    def __init__(self, shipping, mode):
        self._shipping = shipping
        self.follows = mode == "follow"
        self._follower = None
        self.report = None      # of the last run that ended

    def __enter__(self):
        if self.follows:
            self._follower = self._shipping.follow().__enter__()
        return self

    def __exit__(self, kind, *rest):
        if self._follower:
            self._follower.__exit__(kind, *rest)
            self.report = None if kind else self._follower.result.report
            self._follower = None

    @contextlib.contextmanager
    def away(self):
        """No shipper runs meanwhile."""
        self.__exit__(None, None, None)
        yield
        self.__enter__()

    def catch_up(self, total, seconds=30):
        """Ships what is there to ship: `total` lines are on the stream then, over all of the test."""
        if self._follower:
            return self._follower.wait_for_lines(total, seconds)
        end = time.monotonic() + seconds
        while True:
            self.report = self._shipping.run().report
            if self._shipping.count() >= total:
                return
            assert time.monotonic() < end, "%d of %d lines on the stream" % (self._shipping.count(), total)
            time.sleep(0.1)

    def file_report(self, name):
        """The report's entry of the file at that name, summed over its generations where a number."""
        return [f for f in self.report["files"] if os.path.basename(f["path"]) == name]
