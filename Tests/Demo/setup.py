"""Makes the demo's stream and bucket at the endpoint that the environment names."""
import os

import boto3

boto3.client("kinesis").create_stream(StreamName=os.environ["SLUICE_STREAM"], ShardCount=4)
boto3.client("s3").create_bucket(Bucket=os.environ["SLUICE_BUCKET"])
print("done")
