"""What a user would write: read lines, put_records in batches of 500, send those again that failed, note the position.
For comparison only."""
import json
import os
import socket
import sys
import time

import boto3

BATCH_RECORDS = 500
BATCH_BYTES = 5_000_000


def main(endpoint, path, state):
    kinesis = boto3.client("kinesis", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="x",
                           aws_secret_access_key="x")
    host, offset, batch, size = socket.gethostname(), 0, [], 0

    def send():
        nonlocal batch, size
        while batch:
            answer = kinesis.put_records(StreamName="bench", Records=batch)
            if not answer["FailedRecordCount"]:
                break
            batch = [record for record, result in zip(batch, answer["Records"]) if "ErrorCode" in result]
            time.sleep(0.2)
        with open(state + ".new", "w") as file:
            json.dump({"path": path, "offset": offset}, file)
        os.replace(state + ".new", state)
        batch, size = [], 0

    with open(path, "rb") as log:
        for line in log:
            if not line.endswith(b"\n"):
                break
            if len(batch) == BATCH_RECORDS or size + len(line) + 64 > BATCH_BYTES:
                send()
            batch.append({"Data": line[:-1], "PartitionKey": f"{host}/{os.path.basename(path)}/0/{offset}"})
            size += len(line) + 64
            offset += len(line)
    send()


main(*sys.argv[1:])
