"""The stream's records as the auditor takes them: user records with their keys, whatever container they came in."""

import base64
import re
from typing import NamedTuple

import aws_kinesis_agg.deaggregator

KEY = re.compile(r"([A-Za-z0-9._-]{1,100})/([A-Za-z0-9._-]{1,100})/([0-9a-f]{8})/(0|[1-9][0-9]*)")


class StreamRecord(NamedTuple):
    key: str
    data: bytes
    arrival_ms: int
    place: tuple    # shard, sequence number, index inside an aggregate: orders records of one arrival


class SourceKey(NamedTuple):
    """What `partition_key: source` says: where in which file the record begins."""
    host: str
    file: str
    generation: str
    offset: int

    @property
    def prefix(self):
        return self[:3]


def source_key(text):
    """The parts of a key, or None when it has another form."""
    match = KEY.fullmatch(text)
    return match and SourceKey(match[1], match[2], match[3], int(match[4]))


def user_records(dump):
    """The records of a control dump (the oracle), aggregates unpacked, in order of arrival."""
    found = []
    for record in dump:
        data, arrival = base64.b64decode(record["data"]), record["arrival_ms"]
        place = (record["shard"], int(record["sequence"]))
        for index, (key, user_data) in enumerate(unpacked(record, data)):
            found.append(StreamRecord(key, user_data, arrival, place + (index,)))
    found.sort(key=lambda r: (r.arrival_ms, r.place))
    return found


def unpacked(record, data):
    """(key, data) of each user record. Read by Amazon's own Python package, which raises nothing on plain data."""
    if data[:4] != aws_kinesis_agg.MAGIC:
        return [(record["partition_key"], data)]
    wrapped = {"kinesis": {"data": record["data"], "partitionKey": record["partition_key"], "kinesisSchemaVersion": "1.0",
                           "sequenceNumber": record["sequence"], "approximateArrivalTimestamp": 0},
               "eventSource": "aws:kinesis", "eventVersion": "1.0", "eventID": "", "eventName": "",
               "invokeIdentityArn": "", "awsRegion": "", "eventSourceARN": ""}
    return [(user["kinesis"]["partitionKey"], base64.b64decode(user["kinesis"]["data"]))
            for user in aws_kinesis_agg.deaggregator.deaggregate_records([wrapped])]
