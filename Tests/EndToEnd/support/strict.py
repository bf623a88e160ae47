"""Starts the S3 that nobody here wrote (OpenStack Swift) as a child."""

import json
import os
import subprocess
import sys

import boto3
from botocore.config import Config

from .program import REPOSITORY


class StrictS3:
    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, os.path.join(REPOSITORY, "Tests", "LocalAWS", "strict_s3.py"), "--watch-stdin"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("strict_s3.py did not start: exit %s" % self._process.wait(20))
        description = json.loads(line)
        self.url = description["url"]
        self.region = description["region"]
        self.access_key_id = description["access_key_id"]
        self.secret_access_key = description["secret_access_key"]

    def client(self, **options):
        fields = {"endpoint_url": self.url, "region_name": self.region, "aws_access_key_id": self.access_key_id,
                  "aws_secret_access_key": self.secret_access_key}
        fields.update(options)
        return boto3.session.Session().client("s3", config=Config(
            s3={"addressing_style": "path"}, retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required"), **fields)

    def stop(self):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
