"""Proves from the bucket alone, against the emulator's oracle, that an archive is whole.

Every record that was put is in exactly one committed batch and its rows stand in that batch's objects once; ranges
link up without a break on each shard; hashes, counts and sizes are what the manifest says; every object is one good
gzip member; and nothing lies in the bucket that no manifest or allowed intent names. It shares no code with Sluice.
"""

import base64
import collections
import hashlib
import itertools
import json
import re

from .gzipcheck import GzipProblem, rows_of

ROW_BYTES_MAX = 4_000_000
PROBLEMS_SHOWN = 40
MANIFEST_NAME = re.compile(r"commits/(\d+)/([^/]+)/(\d{64})\.json$")
MANIFEST_REQUIRED = {
    "format_version", "job", "stream", "stream_creation", "shard", "parents", "first", "last", "records", "rows",
    "rows_by_status", "objects", "first_arrival", "last_arrival", "first_event", "last_event", "settings",
    "created_by"}
MANIFEST_OPTIONAL = {"previous", "gap", "horizon", "trim_horizon", "backfill", "record_bytes"}
OBJECT_KEYS = {"key", "partition", "rows", "bytes", "rows_bytes", "sha256", "rows_sha256", "first_event",
               "last_event"}


class Audit:
    """`problems` is empty when all is well; `rows` holds every committed row, in order of shard and record."""

    def __init__(self, s3, bucket, oracle, stream, control_prefix, allowed_objects=(), expected=None,
                 gaps_allowed=False, created_ms=None, holes=False, claims_allowed=False):
        """
        oracle: the dump of one stream (one creation time). expected: a predicate on its records; by default all of
        them must be archived, trimmed ones included. allowed_objects: keys of an open intent. gaps_allowed: manifests
        may record that records expired; `expected` says which. created_ms: the stream creation that all manifests must
        name. holes: manifests may be missing or come from backfills, so that ranges need not link up; a link that is
        stated must still be true. claims_allowed: batches may be claimed and not committed.
        """
        self.problems = []
        self.rows = []
        self.manifests = {}
        self.objects = {}
        self._s3 = s3
        self._bucket = bucket
        self._stream = stream
        self._control_prefix = control_prefix
        self._gaps_allowed = gaps_allowed
        self._created_ms = created_ms
        self._holes = holes
        self._claims_allowed = claims_allowed
        self.unproven = []
        self._oracle = collections.defaultdict(list)
        for record in oracle:
            self._oracle[record["shard"]].append(record)
        for records in self._oracle.values():
            records.sort(key=lambda r: int(r["sequence"]))
        self._expected = expected or (lambda record: True)
        self._keys = self._list()
        self._read_manifests()
        self.ledgers = self._read_ledgers()
        self._check_bucket(set(allowed_objects))
        for shard in sorted(set(self.manifests) | set(self._oracle)):
            self._check_shard(shard)

    def assert_clean(self, context=""):
        if self.problems:
            shown = "\n  ".join(self.problems[:PROBLEMS_SHOWN])
            more = len(self.problems) - PROBLEMS_SHOWN
            raise AssertionError("%sthe audit found %d problems:\n  %s%s" % (
                context and context + ": ", len(self.problems), shown, "\n  and %d more" % more if more > 0 else ""))
        return self

    def _say(self, where, text):
        self.problems.append("%s: %s" % (where, text))

    def _list(self):
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        return {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", [])}

    def _read_manifests(self):
        for key in sorted(self._keys):
            if not key.startswith(self._control_prefix + "commits/"):
                continue
            match = MANIFEST_NAME.search(key)
            if not match:
                self._say(key, "is no manifest's name")
                continue
            body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            try:
                manifest = json.loads(body)
            except ValueError as problem:
                self._say(key, "is not JSON: %s" % problem)
                continue
            self._check_manifest_form(key, match, manifest, body)
            self.manifests.setdefault(match.group(2), []).append((key, manifest))
        for found in self.manifests.values():
            found.sort(key=lambda pair: int(pair[1]["first"]))

    def _read_ledgers(self):
        """What backfills have agreed on, by shard."""
        ledgers = {}
        for key in sorted(self._keys):
            match = re.fullmatch(re.escape(self._control_prefix) + r"backfill/(\d+)/([^/]+)\.json", key)
            if not match:
                continue
            ledger = json.loads(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())
            ledgers[match.group(2)] = ledger
            if ledger["shard"] != match.group(2) or instant_ms(ledger["stream_creation"]) != int(match.group(1)):
                self._say(key, "belongs to another shard or stream")
            if ledger["claims"] and not self._claims_allowed:
                self._say(key, "%d batches are claimed and not committed" % len(ledger["claims"]))
        return ledgers

    def _check_manifest_form(self, key, match, manifest, body):
        missing, unknown = MANIFEST_REQUIRED - set(manifest), set(manifest) - MANIFEST_REQUIRED - MANIFEST_OPTIONAL
        if missing or unknown:
            self._say(key, "members missing %s, unknown %s" % (sorted(missing), sorted(unknown)))
        if manifest.get("shard") != match.group(2) or str(manifest.get("first")).zfill(64) != match.group(3):
            self._say(key, "names another range than it holds")
        epoch = int(match.group(1))
        if instant_ms(manifest["stream_creation"]) != epoch or self._created_ms not in (None, epoch):
            self._say(key, "stream_creation is %s; it should be %s" % (manifest["stream_creation"], self._created_ms))
        if manifest.get("stream") != self._stream:
            self._say(key, "stream %r" % manifest.get("stream"))
        if list(manifest) != sorted(manifest) or not body.endswith(b"\n"):
            self._say(key, "is not in canonical form (sorted members, LF at the end)")
        for entry in manifest.get("objects", []):
            if set(entry) != OBJECT_KEYS:
                self._say(key, "object members %s" % sorted(entry))

    def _check_bucket(self, allowed):
        owner = collections.Counter(e["key"] for found in self.manifests.values() for _, m in found
                                    for e in m["objects"])
        for key, count in owner.items():
            if count > 1:
                self._say(key, "stands in %d manifests" % count)
            if key not in self._keys:
                self._say(key, "is in a manifest and not in the bucket")
        manifests = {key for found in self.manifests.values() for key, _ in found}
        for key in self._keys:
            if key not in owner and key not in manifests and key not in allowed \
                    and key != self._control_prefix + "owner.json" \
                    and not key.startswith(self._control_prefix + "backfill/") \
                    and not self._is_for_redshift(key):
                self._say(key, "is in the bucket and in no manifest")

    def _is_for_redshift(self, key):
        """COPY manifests, each entry of which some manifest has, and the JSONPaths file."""
        if not key.startswith(self._control_prefix + "redshift/"):
            return False
        if key.endswith(".manifest"):
            lengths = {"s3://%s/%s" % (self._bucket, e["key"]): e["bytes"] for found in self.manifests.values()
                       for _, m in found for e in m["objects"]}
            body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            for entry in json.loads(body)["entries"]:
                if entry["meta"]["content_length"] != lengths.get(entry["url"]):
                    self._say(key, "%s is in no manifest, or has another length there" % entry["url"])
            return True
        return re.fullmatch(r"jsonpaths-[0-9a-f]{12}\.json", key[len(self._control_prefix + "redshift/"):]) is not None

    def _check_shard(self, shard):
        records = self._oracle.get(shard, [])
        position = {int(r["sequence"]): i for i, r in enumerate(records)}
        covered = [0] * len(records)
        joined = {(int(j["after"]), int(j["before"])) for j in self.ledgers.get(shard, {}).get("joined", [])}
        for after, before in joined:
            if position.get(before) != position.get(after, -2) + 1:
                self._say(shard, "is said to have nothing between %d and %d" % (after, before))
        previous_key, previous_last = None, -1
        previous = None
        for key, manifest in self.manifests.get(shard, []):
            first, last = int(manifest["first"]), int(manifest["last"])
            if not self._holes and manifest.get("previous") != previous_key:
                self._say(key, "previous is %s and should be %s" % (manifest.get("previous"), previous_key))
            if previous is not None:
                self._check_link(previous, key, manifest, position, joined)
            previous = (key, manifest)
            if not previous_last < first <= last:
                self._say(key, "range %d..%d does not follow %d" % (first, last, previous_last))
            if first not in position or last not in position:
                self._say(key, "first or last is no record that was ever put on %s" % shard)
                previous_key, previous_last = key, last
                continue
            inside = records[position[first]:position[last] + 1]
            for index in range(position[first], position[last] + 1):
                covered[index] += 1
            if manifest.get("gap") and not self._gaps_allowed:
                self._say(key, "records a gap: %s" % manifest["gap"])
            self._check_batch(key, manifest, inside)
            previous_key, previous_last = key, last
        wrong = [times if times != (1 if self._expected(record) else 0) else None
                 for record, times in zip(records, covered)]
        for times, run in itertools.groupby(range(len(records)), key=wrong.__getitem__):
            if times is not None:
                run = list(run)
                self._say(shard, "%d records, %s to %s, are in %d batches" % (
                    len(run), records[run[0]]["sequence"], records[run[-1]]["sequence"], times))

    def _check_link(self, previous, key, manifest, position, joined):
        """A stated link between neighbours must be true; neighbours that no link joins are in `unproven`."""
        earlier_key, earlier = previous
        pair = (int(earlier["last"]), int(manifest["first"]))
        if "backfill" in manifest:
            linked = manifest["backfill"].get("after") == earlier["last"]
            if linked and manifest.get("previous") != earlier_key:
                self._say(key, "follows a record of %s and names %s" % (earlier_key, manifest.get("previous")))
        else:
            linked = "backfill" not in earlier and manifest.get("previous") == earlier_key
        linked = pair in joined or (linked and not manifest.get("gap"))
        if linked and position.get(pair[1]) != position.get(pair[0], -2) + 1:
            self._say(key, "is linked to %s and does not follow it" % earlier_key)
        if not linked:
            self.unproven.append((earlier_key, key))

    def _check_batch(self, key, manifest, records):
        data = sum(len(base64.b64decode(record["data"])) for record in records)
        if manifest.get("record_bytes", data) != data:
            self._say(key, "says %d bytes of data; its records have %d" % (manifest["record_bytes"], data))
        if manifest["records"] != len(records):
            self._say(key, "says %d records; %d were put in its range" % (manifest["records"], len(records)))
        arrivals = [r["arrival_ms"] for r in records]
        for name, value in (("first_arrival", min(arrivals)), ("last_arrival", max(arrivals))):
            if instant_ms(manifest[name]) != value:
                self._say(key, "%s is %s and should be %d ms" % (name, manifest[name], value))
        keys = [entry["key"] for entry in manifest["objects"]]
        if keys != sorted(keys):
            self._say(key, "its objects are not sorted")
        rows, statuses = collections.defaultdict(list), collections.Counter()
        for entry in manifest["objects"]:
            for row in self._check_object(entry, manifest):
                rows[row.get("sequence_number")].append(row)
                statuses[row.get("parse_status")] += 1
        counted = sum(statuses.values())
        if manifest["rows"] != counted:
            self._say(key, "says %d rows; its objects have %d" % (manifest["rows"], counted))
        if {k: v for k, v in manifest["rows_by_status"].items() if v} != dict(statuses):
            self._say(key, "rows_by_status %s, counted %s" % (manifest["rows_by_status"], dict(statuses)))
        for record in records:
            self._check_record(key, record, rows.pop(record["sequence"], []))
        for sequence in rows:
            self._say(key, "has rows of %s, which is not in its range" % sequence)

    def _check_record(self, key, record, rows):
        where = "%s record %s" % (key, record["sequence"])
        subsequences = sorted(row["subsequence"] for row in rows if "subsequence" in row)
        if not rows:
            self._say(where, "has no row")
        elif len(rows) > 1 and (len(subsequences) != len(rows) or subsequences != list(range(len(rows)))):
            self._say(where, "has %d rows with subsequences %s" % (len(rows), subsequences))
        elif len(rows) == 1 and subsequences not in ([], [0]):
            self._say(where, "has one row with subsequence %s" % subsequences)
        for row in rows:
            if row["shard_id"] != record["shard"]:
                self._say(where, "row says shard %s" % row["shard_id"])
            if instant_ms(row["arrival_time"]) != record["arrival_ms"]:
                self._say(where, "row says arrival %s; it was %d ms" % (row["arrival_time"], record["arrival_ms"]))
        self.rows += sorted(rows, key=lambda row: row.get("subsequence", 0))

    def _check_object(self, entry, manifest):
        """The object's rows; what is wrong with it is said."""
        key = entry["key"]
        if key not in self._keys:
            return []
        answer = self._s3.get_object(Bucket=self._bucket, Key=key)
        body = answer["Body"].read()
        if len(body) != entry["bytes"] or hashlib.sha256(body).hexdigest() != entry["sha256"]:
            self._say(key, "length or SHA-256 differ from the manifest's")
        self._check_metadata(key, answer["Metadata"], entry, manifest)
        name = "%s-%s-%s.ndjson.gz" % (self._stream, manifest["shard"], manifest["first"].zfill(64))
        if key != entry["partition"] + name:
            self._say(key, "is not partition + name (%s)" % name)
        try:
            text = rows_of(body)
        except GzipProblem as problem:
            self._say(key, str(problem))
            return []
        self.objects[key] = body
        if len(text) != entry["rows_bytes"] or hashlib.sha256(text).hexdigest() != entry["rows_sha256"]:
            self._say(key, "rows_bytes or rows_sha256 differ from the manifest's")
        if not text.endswith(b"\n"):
            self._say(key, "does not end with LF")
        lines = text.split(b"\n")[:-1]
        if len(lines) != entry["rows"]:
            self._say(key, "has %d rows; the manifest says %d" % (len(lines), entry["rows"]))
        rows = [row for row in (self._check_row(key, number, line) for number, line in enumerate(lines, 1)) if row]
        for row in rows:
            belongs = partition_of(row, manifest)
            if belongs not in (None, entry["partition"]):
                self._say("%s record %s" % (key, row["sequence_number"]), "belongs under " + belongs)
        if rows:
            events = [instant_ms(row["event_time"]) for row in rows]
            said = (instant_ms(entry["first_event"]), instant_ms(entry["last_event"]))
            if said != (min(events), max(events)):
                self._say(key, "first and last event are %s and should be %s" % (said, (min(events), max(events))))
        return rows

    def _check_metadata(self, key, metadata, entry, manifest):
        right = {"sluice-shard": manifest["shard"], "sluice-first": manifest["first"], "sluice-last": manifest["last"],
                 "sluice-rows": str(entry["rows"]), "sluice-sha256": entry["sha256"],
                 "sluice-rows-sha256": entry["rows_sha256"]}
        for name, value in right.items():
            if metadata.get(name) != value:
                self._say(key, "metadata %s is %r and should be %r" % (name, metadata.get(name), value))

    def _check_row(self, key, number, line):
        where = "%s row %d" % (key, number)
        if len(line) + 1 > ROW_BYTES_MAX:
            self._say(where, "has %d bytes" % len(line))
        try:
            row = json.loads(line.decode("utf-8"), object_pairs_hook=distinct)
        except ValueError as problem:
            self._say(where, "%s: %r" % (problem, line[:200]))
            return None
        for name, value in row.items():
            if value is None or (isinstance(value, str) and "\0" in value):
                self._say(where, "%s is null or holds U+0000" % name)
        return row


def partition_of(row, manifest):
    """The prefix that a row belongs under by the settings in the manifest; None unless time and stream decide."""
    settings = manifest["settings"]
    if not set(re.findall("{([a-z]+)}", settings["prefix"])) <= {"stream", "date", "year", "month", "day", "hour"}:
        return None
    time = row["event_time" if settings["partition_time"] == "event" else "arrival_time"]
    values = {"stream": manifest["stream"], "date": time[:10], "year": time[:4], "month": time[5:7], "day": time[8:10],
              "hour": time[11:13]}
    return re.sub("{([a-z]+)}", lambda found: values[found.group(1)], settings["prefix"])


def distinct(pairs):
    """For json.loads: refuses an object with a repeated name."""
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("repeated name in %s" % [name for name, _ in pairs])
    return result


def instant_ms(text):
    """Milliseconds since 1970 of `2026-11-22T20:31:00[.fff[fff]]Z`, rounded down."""
    match = re.fullmatch(r"(\d{4,})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?Z", text)
    if not match:
        raise ValueError("not an instant: %r" % text)
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    # Days from civil: works for any year.
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    days = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
    return ((days * 24 + hour) * 60 + minute) * 60_000 + second * 1000 + int((match.group(7) or "0").ljust(6, "0")) // 1000
