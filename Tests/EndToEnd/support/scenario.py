"""One test's world: a stream and a bucket of its own, a directory, the program, and the audit at the end."""

import itertools
import json
import os
import re
import time

from . import jobs
from .auditor import Audit
from .program import Program

_numbers = itertools.count(1)
NO_LIMITS = {"read_limits": False, "write_limits": False, "iterator_limits": False}


def time_text(time_or_ms):
    """A time as the command line takes it."""
    if isinstance(time_or_ms, str):
        return time_or_ms
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time_or_ms // 1000)) + ".%03dZ" % (time_or_ms % 1000)


class Scenario:
    """Names are unique over the session, so tests share one endpoint and see nothing of each other.

    `s3` and `kinesis` are the test's own hands: clock, fault rules, log and counters take no notice of them.
    """

    def __init__(self, endpoint, directory, test_name):
        word = re.sub("[^a-z0-9]+", "-", test_name.lower()).strip("-")[:30].strip("-")
        self.name = "%s-%d" % (word, next(_numbers))
        self.endpoint = endpoint
        self.control = endpoint.control
        self.directory = str(directory)
        self.stream = self.name
        self.bucket = self.name
        self.control_prefix = "_sluice/test/"
        self.state_directory = os.path.join(self.directory, "state")
        self.program = Program(endpoint.environment, directory)
        self.s3 = endpoint.observer("s3")
        self.kinesis = endpoint.observer("kinesis")
        self.created_ms = None
        self.job = None

    def set_up(self, shards=1, settings=None, limits=False, created_ms=None, retention_hours=24, **job):
        """Makes stream, bucket and job file. Pacing is off unless `limits`."""
        chosen = dict({} if limits else NO_LIMITS, **(settings or {}))
        fields = {} if created_ms is None else {"created_ms": created_ms}
        self.created_ms = self.control.create_stream(
            self.stream, shards, chosen, retention_hours=retention_hours, **fields)["created_ms"]
        self.s3.create_bucket(Bucket=self.bucket)
        self.write_job(**job)
        return self

    def write_job(self, **changes):
        """(Re)writes the job file; `changes` are its sections."""
        self.job = jobs.archive(self.directory, self.stream, self.bucket, **changes)
        return self.job

    def lines(self, count, start=0, bytes_each=0):
        """Distinct syslog lines."""
        pad = "x" * bytes_each
        return ["2026-11-22T22:%02d:%02d.%06d+00:00 host%d app[7]: line %06d %s" % (
            n // 60 % 60, n % 60, n % 1_000_000, n % 3, n, pad) for n in range(start, start + count)]

    def load(self, lines, arrivals=None, **fields):
        """Puts lines on the stream past all limits; the partition key is `host/file/0/number`.

        arrivals: milliseconds, one for each line.
        """
        base = self.loaded = getattr(self, "loaded", 0)
        self.loaded += len(lines)
        return self.control.load(self.stream, [
            dict({"text": line, "partition_key": "host/file/0/%d" % (base + n)}, **fields,
                 **({"arrival_ms": arrivals[n]} if arrivals else {}))
            for n, line in enumerate(lines)])

    def archive(self, *arguments, expect=0, **options):
        """Runs `sluice archive` with --json."""
        return self.program.run("archive", self.job, "--json", *arguments, expect=expect, **options)

    def start_archive(self, *arguments, **options):
        return self.program.start("archive", self.job, "--json", *arguments, **options)

    def backfill(self, start, end, *arguments, expect=0, job=None, **options):
        """Runs `sluice backfill` with --json; times are text or milliseconds."""
        return self.program.run(*self.backfill_arguments(start, end, *arguments, job=job), expect=expect, **options)

    def start_backfill(self, start, end, *arguments, job=None, **options):
        return self.program.start(*self.backfill_arguments(start, end, *arguments, job=job), **options)

    def backfill_arguments(self, start, end, *arguments, job=None):
        return ["backfill", job or self.job, "--from", time_text(start), "--to", time_text(end), "--json", *arguments]

    def oracle(self):
        return self.control.dump(self.stream, created_ms=self.created_ms)

    def audit(self, context="", **options):
        """The checked archive; raises with every difference found."""
        options.setdefault("control_prefix", self.control_prefix)
        options.setdefault("created_ms", self.created_ms)
        return Audit(self.s3, self.bucket, self.oracle(), self.stream, **options).assert_clean(
            context or self.name)

    def keys(self, prefix=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def json_object(self, key):
        return json.loads(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def requests(self, **wanted):
        """Log entries of this test's stream or bucket."""
        return [e for e in self.control.log(**wanted) if self.name in (e["stream"], e["bucket"])]

    def fault(self, action, match=None, **firing):
        """A fault rule for this test's stream or bucket only."""
        match = dict(match or {})
        exact = "^%s$" % re.escape(self.name)
        match["bucket" if match.get("service") == "s3" else "stream"] = exact
        return self.control.fault(action, match, **firing)

    def wait_for(self, condition, seconds=20, what="the condition"):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "%s did not come true in %s s" % (what, seconds)
            time.sleep(0.02)
