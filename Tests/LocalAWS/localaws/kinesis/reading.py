"""GetShardIterator and GetRecords."""

import json
import time

from ..errors import Refusal
from ..keys import ACCOUNT
from . import sequence
from .shard import varied

STUCK = -1  # an iterator that only ever gives empty pages: one of the ways a trimmed checkpoint is answered
POSITIONS = ("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER")


def invalid(message):
    return Refusal(400, "InvalidArgumentException", message)


def exceeded(shard, stream):
    return Refusal(400, "ProvisionedThroughputExceededException",
                   "Rate exceeded for shard %s in stream %s under account %s." % (shard.id, stream.name, ACCOUNT))


class Reading:
    """Mixed into Kinesis; uses its clock, tokens and streams."""

    def get_shard_iterator(self, body, region):
        stream, now = self.stream_of(body, region), self.clock.now_ms()
        kind, given = body.get("ShardIteratorType"), body.get("StartingSequenceNumber")
        if kind not in POSITIONS:
            raise Refusal(400, "ValidationException",
                          "1 validation error detected: Value '%s' at 'shardIteratorType' failed to satisfy "
                          "constraint: Member must satisfy enum value set: [%s]" % (kind, ", ".join(sorted(POSITIONS))))
        if kind.endswith("SEQUENCE_NUMBER") != (given is not None) or (kind == "AT_TIMESTAMP") != ("Timestamp" in body):
            raise invalid("Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and "
                          "StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber or (3) "
                          "AT_TIMESTAMP and Timestamp. Request specified %s and %s StartingSequenceNumber."
                          % (kind, "no" if given is None else "also a"))
        with stream.lock:
            shard = stream.shard(body.get("ShardId", ""), now)
            if shard is None:
                raise Refusal(400, "ResourceNotFoundException", "Shard %s in stream %s under account %s does not exist"
                              % (body.get("ShardId"), stream.name, ACCOUNT))
            if stream.settings["iterator_limits"] and not shard.iterator_pace.allow():
                raise exceeded(shard, stream)
            at = self._starting_number(stream, shard, kind, given, body.get("Timestamp"), now)
        return {"ShardIterator": self._iterator(stream, shard, at, now)}

    def _starting_number(self, stream, shard, kind, given, timestamp, now):
        """The lowest sequence number that the iterator may return."""
        end = shard.sequences[-1] + 1 if shard.sequences else shard.starting
        if kind == "TRIM_HORIZON":
            return 0
        if kind == "LATEST":
            return end
        if kind == "AT_TIMESTAMP":
            index = shard.index_at_time(int(round(timestamp * 1000)))
            return shard.sequences[index] if index < len(shard.sequences) else end
        return self._number_in(stream, shard, given, kind, now)

    def _number_in(self, stream, shard, given, kind, now):
        place = "StartingSequenceNumber %s used in GetShardIterator on shard %s in stream %s under account %s" % (
            given, shard.id, stream.name, ACCOUNT)
        try:
            created_second, index = sequence.parse(given)
        except ValueError:
            raise invalid(place + " is invalid.")
        if index != shard.index:
            raise invalid("Invalid StartingSequenceNumber. It encodes shardId-%012d, while it was used in a call to a "
                          "shard with %s" % (index, shard.id))
        number = int(given)
        if number == shard.ending:
            raise invalid("SequenceNumber has reached max possible value for the shard: " + place)
        if created_second != shard.created_second or not shard.holds(number):
            raise invalid(place + " is invalid because it did not come from this stream.")
        first = shard.first_kept(stream.horizon_ms(now))
        is_trimmed = number != shard.starting and shard.index_of(number) < first
        if is_trimmed and stream.settings["trim_mode"] == "empty":
            return STUCK
        if is_trimmed and stream.settings["trim_mode"] == "refuse":
            raise invalid("StartingSequenceNumber is no longer available: " + place)
        return number + 1 if kind == "AFTER_SEQUENCE_NUMBER" else number

    def _iterator(self, stream, shard, at, now):
        return self.tokens.make("iterator", {
            "stream": stream.name, "region": stream.region, "serial": stream.serial, "shard": shard.id, "at": str(at),
            "issued": now, "generation": self.iterator_generation})

    def get_records(self, body, region):
        now, limit = self.clock.now_ms(), body.get("Limit", 10_000)
        if not 1 <= limit <= 10_000:
            raise Refusal(400, "ValidationException", "1 validation error detected: Value '%s' at 'limit' failed to "
                          "satisfy constraint: Member must have value less than or equal to 10000" % limit)
        try:
            position = self.tokens.read("iterator", body.get("ShardIterator", ""))
        except ValueError:
            raise invalid("Invalid ShardIterator.")
        with self.lock:
            stream = self.streams.get((region, position["stream"]))
        if stream is None:
            raise Refusal(400, "ResourceNotFoundException",
                          "Stream %s under account %s not found." % (position["stream"], ACCOUNT))
        if stream.serial != position["serial"]:
            raise invalid("The ShardIterator used in GetRecords on shard %s in stream %s under account %s is invalid "
                          "because it did not come from this stream." % (position["shard"], stream.name, ACCOUNT))
        self._check_age(stream, position, now)
        with stream.lock:
            shard = stream.shard(position["shard"], now)
            if shard is None:
                raise Refusal(400, "ResourceNotFoundException", "Shard %s in stream %s under account %s does not exist"
                              % (position["shard"], stream.name, ACCOUNT))
            shard.rate.note()
            if stream.settings["read_limits"] and not shard.read_pace.allow():
                raise exceeded(shard, stream)
            return self._page(stream, shard, int(position["at"]), limit, now)

    def _check_age(self, stream, position, now):
        tolerated = int(stream.settings["iterator_seconds"] * 1000)
        if now - position["issued"] > tolerated or position["generation"] != self.iterator_generation:
            raise Refusal(400, "ExpiredIteratorException",
                          "Iterator expired. The iterator was created at time %s while right now it is %s which is "
                          "further in the future than the tolerated delay of %d milliseconds."
                          % (utc(position["issued"]), utc(now), tolerated))

    def _page(self, stream, shard, at, limit, now):
        choice = stream.settings
        if at == STUCK:
            behind = int(stream.retention_hours * 3_600_000)
            return page([], behind, self._iterator(stream, shard, STUCK, now), None)
        kept = shard.first_kept(stream.horizon_ms(now))
        start = max(shard.index_of(at), kept)
        count = len(shard.members)
        if start < count and self._owes_empty_page(shard, choice):
            return page([], self._behind(shard, start, now), self._iterator(stream, shard, at, now), None)
        end = shard.page_end(start, min(limit, choice["page_records"]), choice["page_bytes"])
        members = shard.members[start:end]
        if choice["field_order"] == "varied":
            members = [varied(m, start + i) for i, m in enumerate(members)]
        if choice["read_limits"]:
            shard.read_pace.served(sum(shard.sizes[start:end]))
        if members:
            shard.empty_pages_left = None
        if end >= count and not shard.is_open and (not members or choice["end_page"] == "same"):
            return page(members, 0, None, self._children(shard, choice))
        following = shard.sequences[end - 1] + 1 if end > start else max(at, 0)
        behind = 0 if end >= count else self._behind(shard, end, now)
        return page(members, behind, self._iterator(stream, shard, following, now), None)

    def _owes_empty_page(self, shard, choice):
        if not choice["empty_pages"]:
            return False
        if shard.empty_pages_left is None:
            shard.empty_pages_left = choice["empty_pages"]
        shard.empty_pages_left -= 1
        return shard.empty_pages_left >= 0

    def _behind(self, shard, index, now):
        return max(1, now - shard.arrivals[index])

    def _children(self, shard, choice):
        shard.ends_without_children += 1
        if shard.ends_without_children <= choice["omit_child_shards"]:
            return None
        return [{"ShardId": c.id, "ParentShards": c.parents,
                 "HashKeyRange": {"StartingHashKey": str(c.low), "EndingHashKey": str(c.high)}}
                for c in shard.children]


def page(members, behind, iterator, children):
    tail = {"MillisBehindLatest": behind, "NextShardIterator": iterator}
    if children is not None:
        tail["ChildShards"] = children
    return b'{"Records":[%s],%s' % (b",".join(members), json.dumps(tail, separators=(",", ":")).encode()[1:])


def utc(ms):
    return time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(ms / 1000))
