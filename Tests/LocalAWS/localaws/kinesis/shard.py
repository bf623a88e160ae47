"""One shard: its records in order, what is still there of them, and its place in the lineage.

Records are kept as finished JSON members, so that a page is one join. Nothing is ever removed: trimming hides records
from readers, while the dump still lists them.
"""

import base64
import bisect
import json

from . import sequence
from .limits import ITERATOR_CALLS, CallRate, ReadPace, Window, WritePace


def timestamp(ms):
    """Milliseconds since 1970 as Kinesis prints seconds: 1795385468741 is 1.795385468741E9."""
    sign, digits = ("-", str(-ms)) if ms < 0 else ("", str(ms))
    if ms == 0:
        return "0.0"
    exponent = len(digits) - 1 - 3
    fraction = digits[1:].rstrip("0") or "0"
    return "%s%s.%sE%d" % (sign, digits[0], fraction, exponent)


class Shard:
    def __init__(self, index, low, high, created_ms, created_second, parents=()):
        self.index = index
        self.id = "shardId-%012d" % index
        self.low = low
        self.high = high
        self.created_ms = created_ms
        self.created_second = created_second
        self.parents = list(parents)
        self.children = []
        self.closed_ms = None
        self.starting = sequence.build(created_second, index, 0, created_second)
        self.ending = None
        self.members = []
        self.sequences = []
        self.arrivals = []
        self.latest_arrivals = []  # running maximum: arrival times may be out of order
        self.sizes = []
        self._counter = 0
        self.read_pace = ReadPace()
        self.write_pace = WritePace()
        self.iterator_pace = Window(ITERATOR_CALLS)
        self.rate = CallRate()
        self.empty_pages_left = None
        self.ends_without_children = 0

    @property
    def is_open(self):
        return self.closed_ms is None

    def append(self, data_base64, data_bytes, partition_key, arrival_ms):
        """Stores one record; its sequence number."""
        # Steps of one to seven: the numbers rise but are not contiguous.
        self._counter += 1 + (self._counter * 2654435761 >> 7) % 7
        number = sequence.build(self.created_second, self.index, self._counter, max(0, arrival_ms // 1000))
        self.members.append(
            b'{"ApproximateArrivalTimestamp":%s,"Data":"%s","PartitionKey":%s,"SequenceNumber":"%d"}'
            % (timestamp(arrival_ms).encode(), data_base64, json.dumps(partition_key).encode(), number))
        self.sequences.append(number)
        self.arrivals.append(arrival_ms)
        latest = self.latest_arrivals[-1] if self.latest_arrivals else arrival_ms
        self.latest_arrivals.append(max(latest, arrival_ms))
        self.sizes.append(data_bytes + len(partition_key.encode()))
        return number

    def close(self, now_ms):
        self.closed_ms = now_ms
        self.ending = sequence.build(self.created_second, self.index, sequence.COUNTER_MAX, max(0, now_ms // 1000))

    def first_kept(self, horizon_ms):
        """Index of the oldest record that is not trimmed."""
        return bisect.bisect_left(self.latest_arrivals, horizon_ms)

    def index_of(self, number):
        """Index of the first record numbered `number` or above."""
        return bisect.bisect_left(self.sequences, number)

    def index_at_time(self, ms):
        """Index of the first record that arrived at `ms` or later."""
        return bisect.bisect_left(self.latest_arrivals, ms)

    def holds(self, number):
        """True when `number` is this shard's first number or that of a record it ever stored."""
        index = self.index_of(number)
        return number == self.starting or (index < len(self.sequences) and self.sequences[index] == number)

    def page_end(self, start, records_max, bytes_max):
        """One past the last record of a page from `start`: at least one record, within both caps."""
        end, total = start, 0
        limit = min(len(self.sizes), start + records_max)
        while end < limit:
            total += self.sizes[end]
            if total > bytes_max and end > start:
                break
            end += 1
        return end

    def describe(self):
        shard = {"ShardId": self.id,
                 "HashKeyRange": {"StartingHashKey": str(self.low), "EndingHashKey": str(self.high)},
                 "SequenceNumberRange": {"StartingSequenceNumber": str(self.starting)}}
        if self.parents:
            shard["ParentShardId"] = self.parents[0]
        if len(self.parents) > 1:
            shard["AdjacentParentShardId"] = self.parents[1]
        if self.ending is not None:
            shard["SequenceNumberRange"]["EndingSequenceNumber"] = str(self.ending)
        return shard

    def dump(self, horizon_ms):
        """Every record ever stored, as plain values."""
        first = self.first_kept(horizon_ms)
        for index, member in enumerate(self.members):
            record = json.loads(member)
            yield {"shard": self.id, "sequence": record["SequenceNumber"], "arrival_ms": self.arrivals[index],
                   "partition_key": record["PartitionKey"], "data": record["Data"], "trimmed": index < first}


def varied(member, number):
    """The same record with its members in another order and with white space, as other encoders write it."""
    record = json.loads(member)
    stamp = member[len(b'{"ApproximateArrivalTimestamp":'):].partition(b",")[0].decode()
    pieces = ['"ApproximateArrivalTimestamp" : ' + stamp] + [
        "%s: %s" % (json.dumps(k), json.dumps(record[k])) for k in ("Data", "PartitionKey", "SequenceNumber")]
    if number % 3 == 1:
        pieces.append('"EncryptionType":"KMS"')
    turn = number % len(pieces)
    return ("{ " + " ,\n".join(pieces[turn:] + pieces[:turn]) + " }").encode()


def decoded_length(text):
    """Bytes that a base64 text stands for; ValueError when it is none."""
    return len(base64.b64decode(text, validate=True))
