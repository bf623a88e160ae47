"""Lists the demo's objects, prints three rows, and compares the number of rows with the number of lines shipped."""
import gzip
import json
import os
import sys

import boto3

s3 = boto3.client("s3")
bucket = os.environ["SLUICE_BUCKET"]
objects = [o for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket) for o in page.get("Contents", [])]
rows = []
for item in objects:
    print(f"{item['Size']:>9}  s3://{bucket}/{item['Key']}")
    if item["Key"].endswith(".ndjson.gz"):
        body = s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        rows += gzip.decompress(body).splitlines()

print("\nthree rows:")
parsed = [json.loads(row) for row in rows]
for wanted in ("ok", "ambiguous", "continuation"):
    row = next((r for r in parsed if r["parse_status"] == wanted), None)
    if row:
        print(json.dumps(row, indent=2, ensure_ascii=False))

with open(sys.argv[1], "rb") as file:
    lines = file.read().count(b"\n")
sources = {(r["source_file"], r["source_offset"]) for r in parsed}
print(f"\nlines shipped: {lines}   rows archived: {len(rows)}   distinct source offsets: {len(sources)}")
if not lines == len(rows) == len(sources):
    sys.exit("rows and lines differ")
print("every line is there once")
