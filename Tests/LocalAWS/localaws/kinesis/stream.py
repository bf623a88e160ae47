"""One stream: its shards and their lineage, retention, and what a filter on ListShards selects."""

import hashlib
import threading

from ..keys import ACCOUNT
from . import settings
from .shard import Shard

HASH_KEYS = 1 << 128


class Stream:
    def __init__(self, name, region, shard_count, created_ms, chosen=None):
        self.name = name
        self.region = region
        self.arn = "arn:aws:kinesis:%s:%s:stream/%s" % (region, ACCOUNT, name)
        self.created_ms = created_ms
        self.retention_hours = 24
        self.status = "ACTIVE"
        self.settings = settings.merged(dict(settings.DEFAULTS), chosen or {})
        self.lock = threading.RLock()
        self.shards = []
        for index in range(shard_count):
            low = HASH_KEYS * index // shard_count
            high = HASH_KEYS * (index + 1) // shard_count - 1
            self.shards.append(Shard(index, low, high, created_ms, created_ms // 1000))

    def horizon_ms(self, now_ms):
        return now_ms - int(self.retention_hours * 3_600_000)

    def kept_shards(self, now_ms):
        """Shards that the API still knows: closed ones vanish once all they held has expired."""
        horizon = self.horizon_ms(now_ms)
        return [s for s in self.shards if s.is_open or s.closed_ms >= horizon]

    def shard(self, shard_id, now_ms):
        for shard in self.kept_shards(now_ms):
            if shard.id == shard_id:
                return shard
        return None

    def open_shards(self):
        return [s for s in self.shards if s.is_open]

    def route(self, partition_key, explicit_hash_key=None):
        """The open shard that a record goes to."""
        if explicit_hash_key is not None:
            number = int(explicit_hash_key)
        else:
            number = int.from_bytes(hashlib.md5(partition_key.encode()).digest(), "big")
        for shard in self.shards:
            if shard.is_open and shard.low <= number <= shard.high:
                return shard
        raise ValueError("hash key outside [0, 2^128-1]")

    def reshard(self, parents, ranges, now_ms):
        """Closes `parents` and opens one child for each hash range; the children's numbers lie above all parents'."""
        second = max([now_ms // 1000] + [p.created_second for p in parents]) + 1
        for parent in parents:
            parent.close(now_ms)
        children = []
        for low, high in ranges:
            child = Shard(len(self.shards), low, high, now_ms, second, [p.id for p in parents])
            self.shards.append(child)
            children.append(child)
        for parent in parents:
            parent.children = children
        return children

    def filtered(self, filter_type, timestamp_ms, after_shard_id, now_ms):
        """What ListShards lists under a ShardFilter."""
        kept = self.kept_shards(now_ms)
        # A time before the trim horizon means the horizon; no horizon lies before the stream's creation.
        floor = max(self.horizon_ms(now_ms), self.created_ms)
        if filter_type == "AFTER_SHARD_ID":
            return [s for s in kept if s.id > after_shard_id]
        if filter_type == "AT_LATEST":
            return [s for s in kept if s.is_open]
        if filter_type in (None, "FROM_TRIM_HORIZON"):
            return kept
        at = floor if filter_type == "AT_TRIM_HORIZON" else max(floor, min(timestamp_ms, now_ms))
        ending_later = [s for s in kept if s.is_open or s.closed_ms >= at]
        if filter_type == "FROM_TIMESTAMP":
            return ending_later
        return [s for s in ending_later if s.created_ms <= at]

    def summary(self):
        key = self.settings["kms_key"]
        encryption = {"EncryptionType": "KMS", "KeyId": key} if key else {"EncryptionType": "NONE"}
        return {"StreamName": self.name, "StreamARN": self.arn, "StreamStatus": self.status,
                "StreamModeDetails": {"StreamMode": "PROVISIONED"}, "RetentionPeriodHours": self.retention_hours,
                "EnhancedMonitoring": [{"ShardLevelMetrics": []}], **encryption}
