"""PutRecord and PutRecords, and the fast way in for tests."""

import base64
import binascii
import random

from ..errors import Refusal
from ..keys import ACCOUNT
from .shard import decoded_length

RECORDS_MAX = 500
REQUEST_BYTES_MAX = 10 * 1024 * 1024
HASH_KEY_MAX = (1 << 128) - 1


def validation(message):
    return Refusal(400, "ValidationException", "1 validation error detected: " + message)


class Writing:
    """Mixed into Kinesis; uses its clock and streams."""

    def put_record(self, body, region):
        stream = self.stream_of(body, region)
        size = self._check_entry(stream, body, "")
        with stream.lock:
            shard, number, problem = self._store(stream, body, size)
        if problem:
            raise Refusal(400, problem, rate_exceeded(shard, stream))
        return {"ShardId": shard.id, "SequenceNumber": str(number), "EncryptionType": "NONE"}

    def put_records(self, body, region, partial=None):
        """`partial`: a fault rule's action that lets a share of the records fail."""
        stream, entries = self.stream_of(body, region), body.get("Records") or []
        if not 1 <= len(entries) <= RECORDS_MAX:
            raise validation("Value '[%d records]' at 'records' failed to satisfy constraint: Member must have length "
                             "%s" % (len(entries), "less than or equal to 500" if entries else
                                     "greater than or equal to 1"))
        sizes = [self._check_entry(stream, entry, "records.%d.member." % (i + 1)) for i, entry in enumerate(entries)]
        total = sum(sizes) + sum(len(e["PartitionKey"].encode()) for e in entries)
        if total > REQUEST_BYTES_MAX:
            raise Refusal(400, "InvalidArgumentException", "Records size exceeds 10 MB limit")
        chance = random.Random(partial.get("seed")) if partial else None
        results, failed = [], 0
        with stream.lock:
            for entry, size in zip(entries, sizes):
                if partial and chance.random() < partial.get("share", 0.5):
                    shard = stream.route(entry["PartitionKey"], entry.get("ExplicitHashKey"))
                    if partial.get("store"):
                        self._append(stream, shard, entry, size)
                    results.append(partial_failure(partial, shard, stream))
                    failed += 1
                    continue
                shard, number, problem = self._store(stream, entry, size)
                if problem:
                    results.append({"ErrorCode": problem, "ErrorMessage": rate_exceeded(shard, stream)})
                    failed += 1
                else:
                    results.append({"SequenceNumber": str(number), "ShardId": shard.id})
        return {"FailedRecordCount": failed, "Records": results, "EncryptionType": "NONE"}

    def _check_entry(self, stream, entry, where):
        """Bytes of the record's data; refuses what Kinesis refuses for the whole request."""
        key, data, explicit = entry.get("PartitionKey"), entry.get("Data"), entry.get("ExplicitHashKey")
        if not isinstance(key, str) or not 1 <= len(key) <= 256:
            raise validation("Value '%s' at '%spartitionKey' failed to satisfy constraint: Member must have length "
                             "between 1 and 256" % (key, where))
        if not isinstance(data, str):
            raise validation("Value null at '%sdata' failed to satisfy constraint: Member must not be null" % where)
        try:
            size = decoded_length(data)
        except (ValueError, binascii.Error):
            raise Refusal(400, "SerializationException", "Data is not base64")
        if size > stream.settings["record_bytes"]:
            raise validation("Value 'java.nio.HeapByteBuffer[pos=0 lim=%d cap=%d]' at '%sdata' failed to satisfy "
                             "constraint: Member must have length less than or equal to %d"
                             % (size, size, where, stream.settings["record_bytes"]))
        if explicit is not None and not (explicit.isdigit() and int(explicit) <= HASH_KEY_MAX):
            raise Refusal(400, "InvalidArgumentException", "Invalid ExplicitHashKey. ExplicitHashKey must be in the "
                          "range: [0, 2^128-1]. Specified value was %s" % explicit)
        return size

    def _store(self, stream, entry, size):
        """(shard, sequence number, None), or (shard, None, error code) when the shard is at its limit."""
        shard = stream.route(entry["PartitionKey"], entry.get("ExplicitHashKey"))
        if stream.settings["write_limits"] and not shard.write_pace.allow(size):
            return shard, None, "ProvisionedThroughputExceededException"
        return shard, self._append(stream, shard, entry, size), None

    def _append(self, stream, shard, entry, size):
        return shard.append(entry["Data"].encode(), size, entry["PartitionKey"], self.clock.now_ms())

    def load(self, stream, records):
        """Stores records past all limits: dicts of data (bytes), partition_key, and optionally explicit_hash_key,
        shard (id, open or closed) and arrival_ms. Their number a shard."""
        counts = {}
        now = self.clock.now_ms()
        with stream.lock:
            by_id = {s.id: s for s in stream.shards}
            for record in records:
                key = record["partition_key"]
                shard = by_id[record["shard"]] if record.get("shard") else stream.route(
                    key, record.get("explicit_hash_key"))
                arrival = record.get("arrival_ms")
                shard.append(base64.b64encode(record["data"]), len(record["data"]), key,
                             now if arrival is None else arrival)
                counts[shard.id] = counts.get(shard.id, 0) + 1
        return counts


def rate_exceeded(shard, stream):
    return "Rate exceeded for shard %s in stream %s under account %s." % (shard.id, stream.name, ACCOUNT)


def partial_failure(partial, shard, stream):
    code = partial.get("code", "ProvisionedThroughputExceededException")
    usual = "Internal service failure." if code == "InternalFailure" else rate_exceeded(shard, stream)
    return {"ErrorCode": code, "ErrorMessage": partial.get("message", usual)}
