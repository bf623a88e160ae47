"""Compares what is on the stream with what the writer wrote, byte for byte, and finds every difference.

Every line that was written whole is there; every record is whole lines of one file and stands where its partition key
says; a line is there twice only when there was cause for it, and then under the same key. It shares no code with
Sluice and trusts nothing but the writer's truth, the stream's content and the times of kills and lost answers.
"""

import bisect
import collections
from typing import NamedTuple

from .records import source_key

PROBLEMS_SHOWN = 25
# So many records without a place are searched for in all files; then it is clear enough that something is wrong.
SEARCHES_MAX = 200
# Lines are numbered: so many bytes tell one place from another.
TELLING_BYTES = 16
# So many records of a generation tell which file it is.
SAMPLE = 40
# A record's data and key together stay below `record_bytes`; a line that leaves less room than this may be split.
KEY_ROOM = 512
# `long_lines: cut`: what may follow the part of the line that was kept, and how much of it a record must hold.
MARKER_BYTES_MAX = 256
# Clocks of one machine, and a request's way from the socket to its arrival time.
SLACK_MS = 150
# A kill repeats what was sent since the last time the positions were saved, which a record in trouble can hold up.
KILL_REACH_MS = 15_000
# A request that was on its way when the shipper was killed is done all the same, after the endpoint's delay.
LATE_MS = 2_000

LOST, FOREIGN, CUT, WRONG_KEY, DOUBLE, OTHER_KEY = "lost", "foreign", "cut", "wrong key", "double", "other key"


class Kill(NamedTuple):
    """The shipper was killed: what it had sent shortly before, or was just sending, may come again."""
    at_ms: float

    def excuses(self, first_ms, again_ms):
        return self.at_ms - KILL_REACH_MS <= first_ms <= self.at_ms + LATE_MS and self.at_ms <= again_ms + SLACK_MS


class Doubt(NamedTuple):
    """The shipper could not know whether a request was done: what arrived in its time may come again."""
    from_ms: float
    to_ms: float

    def excuses(self, first_ms, again_ms):
        return self.from_ms - SLACK_MS <= first_ms <= self.to_ms + SLACK_MS


class Problem(NamedTuple):
    kind: str
    text: str


class Audit:
    """`problems` is empty when all is well; `missing` counts lost lines; `counts` says what was looked at."""

    def __init__(self, incarnations, records, causes=(), record_bytes=1 << 20, long_lines="split"):
        self.problems = []
        self.missing = 0
        self.counts = collections.Counter(records=len(records))
        self._incarnations = incarnations
        self._causes = causes
        self._line_bytes_max = record_bytes - KEY_ROOM
        self._cuts_lines = long_lines == "cut"
        self._explained = 0
        self._owner = {}     # (host, file, generation) -> incarnation, as the records tell
        self._spans = collections.defaultdict(list)      # incarnation number -> [(start, end)] that records hold
        self._copies = collections.defaultdict(list)     # (incarnation number, offset of a line) -> [(record, prefix)]
        self._place(records)
        self._check_host()
        for incarnation in incarnations:
            self._check_lines(incarnation)
        self._renamed = collections.defaultdict(list)   # (incarnation, first prefix, other prefix) -> [offset]
        self._doubles = collections.defaultdict(list)   # (first key's prefix, both arrivals) -> [(first, again)]
        for (number, offset), copies in self._copies.items():
            if len(copies) > 1:
                self._check_copies(number, offset, copies)
        for (number, prefix, other), offsets in self._renamed.items():
            self._say(OTHER_KEY, "incarnation %d, %d lines from offset %d to %d: first as %s, again as %s", number,
                      len(offsets), min(offsets), max(offsets), "/".join(prefix), "/".join(other))
        for (_, first_ms, again_ms), pairs in self._doubles.items():
            self._say(DOUBLE, "%d lines from %s at %d ms, again from %s %d ms later, without a kill or a lost answer",
                      len(pairs), pairs[0][0].key, first_ms, pairs[0][1].key, again_ms - first_ms)

    def assert_clean(self, context=""):
        if self.problems:
            kinds = collections.Counter(p.kind for p in self.problems)
            raise AssertionError("%s: %s\n  %s" % (context or "audit", ", ".join(
                "%d %s" % (n, kind) for kind, n in sorted(kinds.items())), "\n  ".join(
                    "%s: %s" % p for p in self.problems[:PROBLEMS_SHOWN])))
        return self

    def _say(self, kind, text, *values):
        self.problems.append(Problem(kind, text % values))

    # Where each record stands.

    def _place(self, records):
        groups = collections.defaultdict(list)
        for record in records:
            key = source_key(record.key)
            if key is None:
                self._say(WRONG_KEY, "%r is not host/file/generation/offset", record.key)
            else:
                groups[key.prefix].append((record, key))
        for prefix, group in groups.items():
            owner = self._owner_of(group)
            if owner is not None:
                self._owner[prefix] = owner
            for record, key in group:
                end = None if owner is None else self._end_in(owner, key.offset, record.data)
                if end is None:
                    self._explain(record, key)
                else:
                    self._check_edges(owner, key.offset, end, record)
                    self._note(owner, key, end, record)

    def _owner_of(self, group):
        """The incarnation in which most of the records of one generation stand, as whole lines where several hold the
        bytes: a file that was cut short may be the beginning of another. None when none stands in any."""
        sample = group[::len(group) // SAMPLE + 1]
        best, best_fit = None, (0, 0)
        for incarnation in self._incarnations:
            if group[0][1].file not in incarnation.names:
                continue
            ends = [(record, self._end_in(incarnation, key.offset, record.data)) for record, key in sample]
            fit = (sum(end is not None for _, end in ends),
                   sum(end is not None and self._is_whole(incarnation, end, record) for record, end in ends))
            if fit > best_fit:
                best, best_fit = incarnation, fit
        return best

    def _end_in(self, incarnation, offset, data):
        """Where the record ends in the file, or None when these bytes do not stand at `offset`."""
        if incarnation.content.startswith(data, offset) and offset <= len(incarnation.content):
            return offset + len(data)
        if not self._cuts_lines or offset >= len(incarnation.content):
            return None
        start, end = incarnation.line_at(offset)
        kept = common_prefix(incarnation.content[offset:end], data)
        is_cut = offset == start and end - start > self._line_bytes_max \
            and kept > self._line_bytes_max - MARKER_BYTES_MAX and 0 < len(data) - kept <= MARKER_BYTES_MAX
        return end if is_cut else None

    def _check_edges(self, incarnation, offset, end, record):
        content = incarnation.content
        start_of_line, end_of_line = incarnation.line_at(offset)
        if offset != start_of_line and not self._is_long(incarnation, offset):
            self._say(CUT, "%s begins inside the line %r, which starts at %d", record.key,
                      shown(content[start_of_line:end_of_line]), start_of_line)
        if not self._is_whole(incarnation, end, record) and not self._is_long(incarnation, end):
            self._say(CUT, "%s ends at %d, inside the line %r", record.key, end,
                      shown(content[slice(*incarnation.line_at(end))]))

    @staticmethod
    def _is_whole(incarnation, end, record):
        return incarnation.content[end:end + 1] == b"\n" or record.data.endswith(b"\n") or incarnation.may_end_at(end)

    def _is_long(self, incarnation, offset):
        """True when a record cannot hold the whole line at `offset`."""
        start, end = incarnation.line_at(offset)
        return end - start > self._line_bytes_max

    def _note(self, incarnation, key, end, record):
        self._spans[incarnation.number].append((key.offset, end))
        copies, content, start = self._copies, incarnation.content, key.offset
        while True:
            copies[incarnation.number, start].append((record, key.prefix))
            start = content.find(b"\n", start, end) + 1
            if start <= 0 or start >= end:
                return

    def _explain(self, record, key):
        self._explained += 1
        for incarnation in self._incarnations if self._explained < SEARCHES_MAX else ():
            at = incarnation.content.find(record.data)
            if at >= 0 and len(record.data) >= TELLING_BYTES:
                return self._say(WRONG_KEY, "%s: these bytes stand at offset %d of %s, incarnation %d%s: %r", record.key,
                                 at, incarnation.file, incarnation.number,
                                 ", and that generation is another one" if key.prefix in self._owner else "",
                                 shown(record.data))
        self._say(FOREIGN, "%s: %d bytes that were never written so: %r", record.key, len(record.data),
                  shown(record.data))

    def _check_host(self):
        hosts = {host for host, _, _ in self._owner}
        if len(hosts) > 1:
            self._say(WRONG_KEY, "records of one machine name the hosts %s", sorted(hosts))
        owners = collections.Counter(i.number for i in self._owner.values())
        self.counts["incarnations"] = len(owners)
        self.counts["incarnations with several generations"] = sum(n > 1 for n in owners.values())

    # What is there, and how often.

    def _check_lines(self, incarnation):
        covered = union(self._spans[incarnation.number], incarnation.content)
        starts = [start for start, _ in covered]
        lost = []
        for start, end in incarnation.lines():
            self.counts["lines"] += 1
            index = bisect.bisect_right(starts, start) - 1
            if index >= 0 and covered[index][1] >= end:
                self._say_lost(incarnation, lost)
                lost = []
            elif incarnation.may_be_lost(end):
                self.counts["lost by design"] += 1
            else:
                lost.append((start, end))
        self._say_lost(incarnation, lost)

    def _say_lost(self, incarnation, lines):
        if lines:
            self.missing += len(lines)
            self._say(LOST, "%s (%s), incarnation %d, bytes %d to %d of %d, %d lines from %r", incarnation.file,
                      ", ".join(sorted(incarnation.names)), incarnation.number, lines[0][0], lines[-1][1],
                      len(incarnation.content), len(lines), shown(incarnation.content[slice(*lines[0])]))

    def _check_copies(self, number, offset, copies):
        copies = sorted(copies, key=lambda c: (c[0].arrival_ms, c[0].place))
        self.counts["doubles"] += len(copies) - 1
        (first, prefix), earlier = copies[0], []
        for record, other in copies:
            if other != prefix:
                self._renamed[number, prefix, other].append(offset)
            if earlier and not any(cause.excuses(before.arrival_ms, record.arrival_ms)
                                   for cause in self._causes for before in earlier):
                self._doubles[prefix, first.arrival_ms, record.arrival_ms].append((first, record))
            earlier.append(record)


def union(spans, content):
    """The spans, sorted, and joined where they touch or where nothing but the LF between them is left out."""
    result = []
    for start, end in sorted(spans):
        last = result[-1][1] if result else -2
        if start <= last or start == last + 1 and content[last:start] == b"\n":
            result[-1][1] = max(last, end)
        else:
            result.append([start, end])
    return result


def common_prefix(one, other):
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def shown(data):
    return data if len(data) <= 120 else data[:80] + b"..." + data[-30:]
