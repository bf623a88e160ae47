"""Log files, a ship job for them, the shipper at work, and the stream as the oracle of what it sent."""

import base64
import collections
import contextlib
import gzip
import hashlib
import json
import os
import shutil
import time

from torture.auditor import Audit
from torture.records import user_records
from torture.truth import Incarnation

from . import jobs
from .follower import Follower

REFUSED = {"kind": "error", "status": 400, "code": "ValidationException", "message": "1 validation error detected"}


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


def shift(log):
    """The next rotation with numbered names."""
    place = 1
    while os.path.exists("%s.%d" % (log, place)):
        place += 1
    for number in reversed(range(place)):
        os.rename("%s.%d" % (log, number) if number else log, "%s.%d" % (log, number + 1))


def pack(path, target=None):
    """As `gzip` does it."""
    target = target or path + ".gz"
    status = os.stat(path)
    with open(path, "rb") as source, gzip.open(target, "wb") as packed:
        shutil.copyfileobj(source, packed)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.unlink(path)
    return target


def poison(shipping, pattern="POISON"):
    """The endpoint refuses every request that holds such a record."""
    shipping.scenario.fault(REFUSED, {"operation": "PutRecords", "data": pattern})


def dead_letters(shipping):
    path = os.path.join(shipping.state, "dead-letter.ndjson")
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file]


def folder(path, apart=("lock",)):
    """Hashes of the files in a folder."""
    return {name: hashlib.sha256(read(os.path.join(path, name))).hexdigest()
            for name in os.listdir(path) if name not in apart}


def shown(counter):
    return [(line[:100], n) for line, n in list(counter.items())[:10]]


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
