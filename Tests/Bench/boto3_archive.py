"""What a user would write: boto3, a regular expression, json.dumps, gzip, put_object. For comparison only."""
import datetime
import gzip
import json
import re
import sys

import boto3

PATTERN = re.compile(
    r"^(?:<(?P<pri>\d+)>)?(?:1 )?(?P<time>\w{3} [ \d]\d \d\d:\d\d:\d\d|\S+) (?P<host>\S+) "
    r"(?P<program>[^\s\[:]+)(?:\[(?P<pid>[^\]]*)\])?:? (?P<message>.*)$", re.S)


def main(endpoint):
    keys = dict(endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    kinesis = boto3.client("kinesis", **keys)
    s3 = boto3.client("s3", **keys)
    for shard in kinesis.list_shards(StreamName="bench")["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamName="bench", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
        groups = {}
        while True:
            page = kinesis.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                arrival = record["ApproximateArrivalTimestamp"].astimezone(datetime.timezone.utc)
                match = PATTERN.match(record["Data"].decode("utf-8", "replace"))
                row = {k: v for k, v in match.groupdict().items() if v} if match else {"raw": record["Data"].decode(
                    "utf-8", "replace")}
                fields = row.get("message", "").split("|", 8)
                if len(fields) == 9:
                    row.update(zip(("base_url", "epoch", "type", "ip", "uri", "referer", "uid", "link", "text"), fields))
                row.update(shard_id=shard["ShardId"], sequence_number=record["SequenceNumber"],
                           arrival_time=arrival.isoformat())
                groups.setdefault(arrival.strftime("dt=%Y-%m-%d/hour=%H"), []).append(json.dumps(row))
            iterator = page["NextShardIterator"]
            if page["MillisBehindLatest"] == 0:
                break
        for group, rows in groups.items():
            body = gzip.compress(("\n".join(rows) + "\n").encode(), 6)
            s3.put_object(Bucket="bench", Key=f"boto3/{group}/{shard['ShardId']}.ndjson.gz", Body=body)


main(sys.argv[1])
