"""What a request asks for: service, operation and the names in it, told from the raw bytes."""

import base64
import json
from urllib.parse import parse_qs, unquote

from .errors import Refusal
from .keys import OBSERVER_KEY
from .signing import AUTHORIZATION

TARGETS = {"Kinesis_20131202": "kinesis", "DynamoDB_20120810": "dynamodb", "RedshiftData": "redshift-data"}
S3_SUBRESOURCES = {
    ("PUT", "tagging"): "PutObjectTagging", ("GET", "tagging"): "GetObjectTagging",
    ("POST", "uploads"): "CreateMultipartUpload", ("POST", "uploadId"): "CompleteMultipartUpload",
    ("PUT", "uploadId"): "UploadPart", ("DELETE", "uploadId"): "AbortMultipartUpload",
}
S3_OBJECT = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject",
             "POST": "PostObject"}
S3_BUCKET_SUBRESOURCES = {("GET", "location"): "GetBucketLocation", ("GET", "versioning"): "GetBucketVersioning",
                          ("PUT", "versioning"): "PutBucketVersioning", ("POST", "delete"): "DeleteObjects",
                          ("GET", "versions"): "ListObjectVersions"}
S3_BUCKET = {"PUT": "CreateBucket", "GET": "ListObjects", "HEAD": "HeadBucket", "DELETE": "DeleteBucket"}


class Call:
    """One request, classified. Names are None where the request has none."""

    def __init__(self, request, kinesis):
        self.request = request
        self.method = request.method
        self.operation = None
        self.bucket = self.key = self.stream = self.shard = None
        self.body = None
        self.verified = False
        self.signature_refused = False
        match = AUTHORIZATION.match(request.header("Authorization") or "")
        self.access_key, self.region = (match.group(1), match.group(3)) if match else (None, None)
        self.is_observer = self.access_key == OBSERVER_KEY
        target = request.header("X-Amz-Target")
        if target is not None:
            prefix, _, self.operation = target.partition(".")
            self.service = TARGETS.get(prefix, "unknown")
            self._read_json(kinesis)
        elif match is not None and match.group(4) == "sts" or is_form(request):
            self.service = "sts"
            self.operation = form_field(request, "Action")
        else:
            self.service = "s3"
            self._read_s3_target()

    def _read_json(self, kinesis):
        try:
            self.body = json.loads(self.request.body or b"{}")
        except ValueError:
            return
        if self.service == "kinesis" and isinstance(self.body, dict):
            self.stream, self.shard = kinesis.locate(self.operation, self.body)

    def _read_s3_target(self):
        bucket, _, key = self.request.path.lstrip("/").partition("/") if not self.request.path.startswith("//") \
            else ("", "", "")
        self.bucket = unquote(bucket) or None
        self.key = unquote(key, errors="replace") or None
        parameters = parse_qs(self.request.query, keep_blank_values=True)
        if self.bucket is None:
            self.operation = "ListBuckets"
            return
        table, plain = (S3_SUBRESOURCES, S3_OBJECT) if self.key else (S3_BUCKET_SUBRESOURCES, S3_BUCKET)
        self.operation = plain.get(self.method, "Unknown")
        if self.key is None and parameters.get("list-type") == ["2"]:
            self.operation = "ListObjectsV2"
        for name in parameters:
            self.operation = table.get((self.method, name), self.operation)
        if self.operation == "PutObject" and self.request.header("x-amz-copy-source"):
            self.operation = "CopyObject"

    @property
    def action(self):
        """The IAM action that allows the call."""
        names = {"HeadObject": "GetObject", "HeadBucket": "ListBucket", "ListObjects": "ListBucket",
                 "ListObjectsV2": "ListBucket"}
        return "%s:%s" % (self.service, names.get(self.operation, self.operation) if self.service == "s3"
                          else self.operation)

    @property
    def resource(self):
        if self.service == "s3":
            return "arn:aws:s3:::" + "/".join(part for part in (self.bucket, self.key) if part)
        if self.service == "kinesis":
            return "arn:aws:kinesis:%s:123456789012:stream/%s" % (self.region, self.stream)
        if self.service == "redshift-data":
            return self._redshift_place() or "*"
        return "*"

    def _redshift_place(self):
        """ARN of the cluster or workgroup that statements are for; a workgroup's id is not its name."""
        body = self.body if isinstance(self.body, dict) else {}
        if body.get("ClusterIdentifier"):
            return "arn:aws:redshift:%s:123456789012:cluster:%s" % (self.region, body["ClusterIdentifier"])
        if body.get("WorkgroupName"):
            return "arn:aws:redshift-serverless:%s:123456789012:workgroup/00000000-0000-0000-0000-000000000000" % self.region
        return None

    def _redshift_login(self):
        """What the Data API asks of its caller to get into the database: (action, resource, condition keys).
        https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-access.html"""
        body, place = self.body if isinstance(self.body, dict) else {}, self._redshift_place()
        if place is None:
            return []
        if body.get("SecretArn"):
            return [("secretsmanager:GetSecretValue", body["SecretArn"], {})]
        if body.get("WorkgroupName"):
            return [("redshift-serverless:GetCredentials", place, {})]
        names = (self.region, body["ClusterIdentifier"])
        return [("redshift:GetClusterCredentials",
                 "arn:aws:redshift:%s:123456789012:dbuser:%s/%s" % (names + (body.get("DbUser"),)), {}),
                ("redshift:GetClusterCredentials",
                 "arn:aws:redshift:%s:123456789012:dbname:%s/%s" % (names + (body.get("Database"),)), {})]

    def record_data(self):
        """The data of every record that the call puts on a stream; what is not base64 is left out."""
        body = self.body if self.service == "kinesis" and isinstance(self.body, dict) else {}
        entries = body.get("Records") if self.operation == "PutRecords" else [body]
        found = []
        for entry in entries if isinstance(entries, list) else []:
            try:
                found.append(base64.b64decode(entry["Data"], validate=True))
            except (ValueError, KeyError, TypeError):
                continue
        return found

    def needed(self, owner):
        """What the caller must be allowed: (action, resource, condition keys) of each. `owner`: the bucket's account."""
        context = {"s3:ResourceAccount": owner} if self.service == "s3" else {}
        header, wanted = self.request.header, []
        if self.service == "redshift-data":
            wanted += self._redshift_login()
        if self.operation in ("ListObjects", "ListObjectsV2"):
            prefix = parse_qs(self.request.query, keep_blank_values=True).get("prefix")
            context.update({"s3:prefix": prefix[0]} if prefix else {})
        if self.operation == "PutObject":
            for name in ("if-match", "if-none-match"):
                context.update({"s3:" + name: header(name)} if header(name) else {})
            if header("x-amz-tagging"):
                wanted.append(("s3:PutObjectTagging", self.resource, context))
            if header("if-match"):  # conditional-writes.html of the S3 user guide
                wanted.append(("s3:GetObject", self.resource, context))
            key = header("x-amz-server-side-encryption-aws-kms-key-id") or ""
            if key.startswith("arn:"):
                wanted.append(("kms:GenerateDataKey", key, {"kms:ViaService": "s3.%s.amazonaws.com" % self.region}))
        return [(self.action, self.resource, context)] + wanted

    def json_body(self):
        """The decoded body of a JSON call; a Refusal when it is none."""
        if not isinstance(self.body, dict):
            raise Refusal(400, "SerializationException", "The request body is not a JSON object")
        return self.body


def is_form(request):
    return (request.header("Content-Type") or "").startswith("application/x-www-form-urlencoded")


def form_field(request, name):
    source = request.body.decode("latin-1") if request.method == "POST" else request.query
    values = parse_qs(source).get(name)
    return values[0] if values else None
