"""`sluice check --live`: tells which action is missing, tries them all, and leaves nothing behind."""

import json
import os

import pytest

from support import jobs
from support.strict import StrictS3
from test_ops_policy import ACCOUNT, EVERYTHING, KEY, keys_with, policy, without


def check(scenario, *arguments, job=None, expect=0, **options):
    """The live part of the JSON answer."""
    result = scenario.program.run("check", "--live", "--json", job or scenario.job, *arguments, expect=expect, **options)
    return json.loads(result.stdout)["files"][0]["live"]


def results(live):
    """Action to the set of its results."""
    found = {}
    for action in live["actions"]:
        found.setdefault(action["action"], set()).add(action["result"])
    return found


def everything_in(scenario):
    """What is there before and after: every key, every record."""
    return scenario.keys(), scenario.oracle()


@pytest.fixture
def full(scenario):
    scenario.set_up(shards=2, destination=EVERYTHING)
    scenario.load(scenario.lines(5))
    return scenario


def test_all_is_well_and_nothing_is_left(full):
    before = everything_in(full)
    live = check(full)
    assert results(live) == {
        "kinesis:DescribeStreamSummary": {"ok"}, "kinesis:ListShards": {"ok"}, "kinesis:GetShardIterator": {"ok"},
        "kinesis:GetRecords": {"ok"}, "s3:ListBucket": {"ok"}, "s3:GetObject": {"ok"}, "s3:PutObject": {"ok"},
        "s3:PutObjectTagging": {"ok"}, "kms:GenerateDataKey": {"untried"}, "kms:Decrypt": {"untried"}}
    assert live["exit_code"] == 0 and not live["problems"] and not live["notes"]
    assert all(action.get("note") for action in live["actions"] if action["result"] == "untried")
    assert everything_in(full) == before and before[0] == []
    # The archive that follows finds a world in which nothing happened.
    full.archive()
    before = everything_in(full)
    assert results(check(full))["kms:Decrypt"] == {"ok"}
    assert everything_in(full) == before
    full.audit()


@pytest.mark.parametrize("action", [
    "kinesis:DescribeStreamSummary", "kinesis:ListShards", "kinesis:GetShardIterator", "kinesis:GetRecords",
    "s3:PutObject", "s3:PutObjectTagging", "s3:ListBucket"])
def test_the_missing_action_is_named_and_no_other(full, action):
    full.archive()
    before = everything_in(full)
    keys = keys_with(full, without(policy(full, full.job), action))
    live = check(full, environment=keys, expect=77)
    assert [a for a, found in results(live).items() if "missing" in found] == [action], live
    for entry in live["actions"]:
        if entry["result"] == "missing":
            assert action in entry["hint"] and "Denied" in entry["note"] and "sluice-check" not in entry["hint"]
    text = full.program.run("check", "--live", full.job, environment=keys, expect=77).stdout
    assert "missing  %s on " % action in text
    assert everything_in(full) == before


def test_without_GetObject_the_marker_cannot_be_compared_either(full):
    live = check(full, environment=keys_with(full, without(policy(full, full.job), "s3:GetObject")), expect=77)
    found = results(live)
    assert found["s3:GetObject"] == {"missing"}
    # Replacing the marker compares its ETag, which takes s3:GetObject; the hint of that line says so.
    assert found["s3:PutObject"] == {"ok", "missing"}
    hint = next(a["hint"] for a in live["actions"] if a["action"] == "s3:PutObject" and a["result"] == "missing")
    assert "s3:GetObject" in hint


def test_without_ListBucket_a_403_of_a_missing_key_is_not_taken_for_GetObject(full):
    live = check(full, environment=keys_with(full, without(policy(full, full.job), "s3:ListBucket")), expect=77)
    found = results(live)
    assert found["s3:ListBucket"] == {"missing"} and found["s3:GetObject"] == {"untried"}


def test_one_prefix_alone_may_be_missing(full):
    document = policy(full, full.job)
    for statement in document["Statement"]:
        statement["Resource"] = [r for r in statement["Resource"] if not r.endswith("/_sluice/test/*")]
    document["Statement"] = [s for s in document["Statement"] if s["Resource"]]
    live = check(full, environment=keys_with(full, document), expect=77)
    wrong = {(a["action"], a["resource"]) for a in live["actions"] if a["result"] == "missing"}
    control = "arn:aws:s3:::%s/_sluice/test/*" % full.bucket
    assert {("s3:PutObject", control), ("s3:GetObject", control)} <= wrong
    assert not {resource for _, resource in wrong} & {"arn:aws:s3:::%s/data/dt=*" % full.bucket}


def test_ship_is_tried_without_a_record(scenario):
    scenario.set_up()
    job = jobs.ship(scenario.directory, scenario.stream, [os.path.join(scenario.directory, "x.log")])
    live = check(scenario, job=job)
    assert results(live) == {"kinesis:DescribeStreamSummary": {"ok"}, "kinesis:PutRecords": {"ok"}}
    assert "AWS documents no order" in next(a["note"] for a in live["actions"] if a["action"] == "kinesis:PutRecords")
    for action in ("kinesis:DescribeStreamSummary", "kinesis:PutRecords"):
        live = check(scenario, job=job, expect=77,
                     environment=keys_with(scenario, without(policy(scenario, job), action)))
        assert [a for a, found in results(live).items() if "missing" in found] == [action]
    assert scenario.oracle() == []


def test_a_missing_bucket_ends_with_74_and_the_stream_is_still_tried(scenario):
    scenario.set_up()
    scenario.write_job(destination={"bucket": "no-such-bucket-" + scenario.name})
    live = check(scenario, expect=74)
    found = results(live)
    assert found["kinesis:GetRecords"] == {"ok"} and found["s3:PutObject"] == {"untried"}
    assert "NoSuchBucket" in live["problems"][0]["cause"]


def test_a_missing_stream_ends_with_74_and_the_bucket_is_still_tried(scenario):
    scenario.set_up()
    scenario.write_job(source={"stream": "no-such-stream"})
    live = check(scenario, expect=74)
    found = results(live)
    assert found["kinesis:ListShards"] == {"untried"} and found["s3:PutObject"] == {"ok"}
    assert len(live["problems"]) == 1


@pytest.mark.parametrize("environment, words", [
    ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "credentials"),
    ({"AWS_SECRET_ACCESS_KEY": "wrongwrongwrong"}, "InvalidSignatureException"),
])
def test_bad_credentials_are_said_once_and_nothing_is_called_missing(scenario, environment, words):
    scenario.set_up()
    live = check(scenario, environment=environment, expect=77)
    assert len(live["problems"]) == 1 and words in json.dumps(live["problems"])
    assert {r for found in results(live).values() for r in found} == {"untried"}


def test_no_way_to_AWS_ends_with_75(scenario):
    scenario.set_up()
    live = check(scenario, expect=75, environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"})
    assert {r for found in results(live).values() for r in found} == {"untried"}


def test_a_bucket_in_another_region_is_noted(scenario):
    scenario.set_up()
    bucket = scenario.bucket + "-eu"
    scenario.endpoint.observer("s3", region_name="eu-west-1").create_bucket(
        Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    scenario.write_job(destination={"bucket": bucket})
    assert "eu-west-1" in check(scenario)["notes"][0]


def test_a_store_that_takes_a_body_with_wrong_digests_is_damage(scenario):
    scenario.set_up()
    scenario.fault({"kind": "replace_body", "status": 200, "body": ""}, {"service": "s3", "operation": "PutObject"})
    live = check(scenario, expect=65)
    assert live["problems"] and all("ProbeStored" in p["cause"] for p in live["problems"])


def test_nothing_is_left_in_an_S3_that_nobody_here_wrote(scenario):
    scenario.set_up(destination={"tags": {"team": "web"}})
    strict = StrictS3()
    try:
        strict.client().create_bucket(Bucket=scenario.bucket)
        scenario.control.put_key(strict.access_key_id, strict.secret_access_key)
        del scenario.program.environment["AWS_ENDPOINT_URL"]
        live = check(scenario, environment={
            "AWS_ENDPOINT_URL_S3": strict.url, "AWS_ENDPOINT_URL_KINESIS": scenario.endpoint.url,
            "AWS_ACCESS_KEY_ID": strict.access_key_id, "AWS_SECRET_ACCESS_KEY": strict.secret_access_key})
        puts = {a["resource"].rpartition(scenario.bucket + "/")[2]: a
                for a in live["actions"] if a["action"] == "s3:PutObject"}
        assert puts["data/dt=*"]["result"] == puts["_sluice/test/*"]["result"] == "ok"
        # It has no If-Match: that is told, and not taken for a permission.
        for name in ("owner.json", "backfill/*"):
            replaced = puts["_sluice/test/" + name]
            assert replaced["result"] == "untried" and "NotImplemented" in replaced["note"]
        assert "Contents" not in strict.client().list_objects_v2(Bucket=scenario.bucket)
    finally:
        strict.stop()


def test_an_invalid_file_is_not_tried_and_does_not_stop_the_others(scenario):
    scenario.set_up()
    bad = jobs.write(scenario.directory, {"job": "archive"}, "bad.yaml")
    result = scenario.program.run("check", "--live", "--json", bad, scenario.job, expect=78)
    first, second = json.loads(result.stdout)["files"]
    assert not first["valid"] and "live" not in first and second["live"]["exit_code"] == 0


def test_an_encrypted_stream_is_told_with_its_key(scenario):
    scenario.set_up(settings={"kms_key": KEY})
    scenario.load(scenario.lines(1))
    live = check(scenario)
    assert results(live)["kms:Decrypt"] == {"ok"} and KEY in live["notes"][0]
    document = policy(scenario, scenario.job, "--stream-key", KEY)
    statement = next(s for s in document["Statement"] if s["Sid"] == "DecryptRecords")
    assert statement["Resource"] == [KEY] and ACCOUNT in KEY
    # The service lets the caller through and KMS does not.
    scenario.fault({"kind": "error", "status": 400, "code": "KMSAccessDeniedException", "message": "no kms:Decrypt"},
                   {"service": "kinesis", "operation": "GetRecords"})
    live = check(scenario, expect=77)
    assert results(live)["kinesis:GetRecords"] == {"ok"} and results(live)["kms:Decrypt"] == {"missing"}
