"""`sluice policy`: what IAM takes, no more and no less than a job needs. The local endpoint enforces the very document."""

import json
import os
import re

import pytest
from moto.iam.policy_validation import IAMPolicyDocumentValidator
from parliament import analyze_policy_string

from support import jobs
from support.day import Day
from support.program import REPOSITORY

ACCOUNT = "123456789012"
KEY = "arn:aws:kms:us-east-1:%s:key/1234abcd-12ab-34cd-56ef-1234567890ab" % ACCOUNT
EVERYTHING = {"tags": {"team": "web"}, "sse": "aws:kms", "kms_key_id": KEY, "expected_bucket_owner": ACCOUNT}


def policy(scenario, *arguments, account=ACCOUNT, **options):
    options_of_account = ("--account", account) if account else ()
    return json.loads(scenario.program.run("policy", *arguments, *options_of_account, **options).stdout)


def actions(document):
    return {action for statement in document["Statement"] for action in statement["Action"]}


def without(document, action):
    statements = [dict(s, Action=[a for a in s["Action"] if a != action]) for s in document["Statement"]]
    return dict(document, Statement=[s for s in statements if s["Action"]])


def keys_with(scenario, document):
    key = scenario.control.issue_key(policy=document)
    return {"AWS_ACCESS_KEY_ID": key["access_key_id"], "AWS_SECRET_ACCESS_KEY": key["secret_access_key"],
            "AWS_SESSION_TOKEN": key["session_token"]}


def check_document(document):
    """What IAM itself would find, by two readers that are not ours."""
    text = json.dumps(document)
    IAMPolicyDocumentValidator(text).validate()
    findings = [(f.issue, f.detail) for f in analyze_policy_string(text).findings]
    # parliament leaves out the condition keys that belong to a resource type, and this one belongs to `key`:
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
    findings = [f for f in findings if "Unknown condition kms:ResourceAliases for action kms:" not in f[1]]
    assert not findings, findings


@pytest.fixture
def everything(scenario):
    """An archive job that uses all that a job can use, with records that wait."""
    scenario.set_up(destination=EVERYTHING)
    scenario.load(scenario.lines(20))
    return scenario


def test_archive_runs_with_exactly_its_policy(everything):
    document = policy(everything, everything.job)
    check_document(document)
    keys = keys_with(everything, document)
    assert everything.archive(environment=keys).report["totals"]["records"] == 20
    everything.load(everything.lines(5, start=20))
    everything.archive(environment=keys)
    everything.program.run("state", "rebuild", everything.job, "--force", environment=keys)
    everything.program.run("check", "--live", everything.job, environment=keys)
    everything.program.run("status", everything.job, environment=keys)
    everything.program.run("verify", everything.job, "--read-data", environment=keys)
    everything.audit()


def test_one_command_runs_with_the_policy_for_it_alone(everything):
    everything.archive(environment=keys_with(everything, policy(everything, everything.job, "--for", "archive")))
    rebuild = policy(everything, everything.job, "--for", "rebuild")
    everything.program.run("state", "rebuild", everything.job, "--force", environment=keys_with(everything, rebuild))
    assert "kinesis:GetRecords" not in actions(rebuild)
    for command in ("status", "verify"):
        document = policy(everything, everything.job, "--for", command)
        assert not actions(document) & {"s3:PutObject", "kms:GenerateDataKey"}
        everything.program.run(command, everything.job, *(["--read-data"] if command == "verify" else []),
                               environment=keys_with(everything, document))


@pytest.mark.parametrize("command, action", [
    ("status", "kinesis:DescribeStreamSummary"), ("status", "kinesis:ListShards"), ("status", "kinesis:GetRecords"),
    ("status", "kinesis:GetShardIterator"), ("verify", "kinesis:DescribeStreamSummary"),
    ("verify", "kinesis:ListShards"), ("verify", "s3:GetObject"), ("verify", "s3:ListBucket")])
def test_a_look_without_one_action_ends_with_77_and_names_it(everything, command, action):
    everything.archive()
    document = without(policy(everything, everything.job, "--for", command, "--stream-key", KEY), action)
    result = everything.program.run(command, everything.job, environment=keys_with(everything, document), expect=77)
    assert action in result.stdout + result.stderr, result


def test_backfill_runs_with_exactly_the_policy_for_it_alone(scenario):
    day = Day(scenario, shards=1, hours_ago=6, seal=5, destination=EVERYTHING)
    day.fill(minutes=60, records=30)
    scenario.archive()
    for key in sorted(day.manifests("shardId-000000000000"))[1:4]:
        day.lose(key)
    asked = day.ask(day.start, day.now)
    document = policy(scenario, scenario.job, "--for", "backfill")
    check_document(document)
    since = len(scenario.requests())
    missing = scenario.backfill(*asked, environment=keys_with(scenario, without(document, "s3:PutObject")), expect=77)
    assert "s3:PutObject" in missing.stdout + missing.stderr
    keys = keys_with(scenario, document)
    assert scenario.backfill(*asked, environment=keys).report["totals"]["records"] == 15
    day.audit()
    names = {"HeadObject": "GetObject", "ListObjectsV2": "ListBucket"}
    seen = {"%s:%s" % (e["service"], names.get(e["operation"], e["operation"])) for e in scenario.requests()[since:]}
    implied = {"s3:PutObjectTagging", "kms:Decrypt", "kms:GenerateDataKey"}
    assert actions(document) - implied <= seen <= actions(document) | {"sts:GetCallerIdentity"}
    s3 = scenario.endpoint.client("s3", aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
                                  aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
                                  aws_session_token=keys["AWS_SESSION_TOKEN"])
    ledger, = scenario.keys("_sluice/test/backfill/")
    for key, condition in [(ledger, {}), ("_sluice/test/owner.json", {"IfMatch": '"x"'})]:
        with pytest.raises(Exception) as error:
            s3.put_object(Bucket=scenario.bucket, Key=key, Body=b"", **condition)
        assert error.value.response["Error"]["Code"] == "AccessDenied"


def test_redshift_copy_runs_with_exactly_the_policy_for_it_alone(scenario):
    group = {"workgroup": "logs", "database": "logs", "role_arn": "arn:aws:iam::111122223333:role/copy",
             "jsonpaths": "mine/paths.json"}

    def run_copy(*arguments, **options):
        return scenario.program.run("redshift", "copy", scenario.job, *arguments, **options)

    scenario.set_up(destination=EVERYTHING, redshift=group)
    scenario.load(scenario.lines(20))
    scenario.archive(environment=keys_with(scenario, policy(scenario, scenario.job)))
    document = policy(scenario, scenario.job, "--for", "copy")
    check_document(document)
    assert not any(action.startswith("kinesis:") for action in actions(document))
    for action in ("s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:PutObjectTagging"):
        result = run_copy("--since-last", environment=keys_with(scenario, without(document, action)), expect=77)
        assert action in result.stderr, result
    keys = keys_with(scenario, document)
    text = run_copy("--since-last", environment=keys).stdout
    assert "mine/paths.json" in text
    everything = ["--from", "2000-01-01", "--to", "2100-01-01"]
    assert run_copy(*everything, environment=keys).stdout == text
    for part in (policy(scenario, scenario.job), document):
        assert any("arn:aws:s3:::%s/mine/paths.json" % scenario.bucket in s["Resource"] for s in part["Statement"])
    scenario.write_job(destination=EVERYTHING)
    assert not any("mine/" in str(s) for s in policy(scenario, scenario.job)["Statement"])


@pytest.mark.parametrize("action", [
    "kinesis:DescribeStreamSummary", "kinesis:ListShards", "kinesis:GetShardIterator", "kinesis:GetRecords",
    "s3:PutObject", "s3:PutObjectTagging", "s3:GetObject", "s3:ListBucket", "kms:GenerateDataKey"])
def test_archive_without_one_action_ends_with_77_and_names_it(everything, action):
    document = policy(everything, everything.job)
    result = everything.archive(environment=keys_with(everything, without(document, action)), expect=77)
    assert action in result.stdout + result.stderr, result
    everything.archive(environment=keys_with(everything, document))
    everything.audit()


def test_ship_runs_with_exactly_its_policy_and_not_without_PutRecords(scenario):
    scenario.set_up()
    log = os.path.join(scenario.directory, "app.log")
    with open(log, "w") as file:
        file.write("".join(line + "\n" for line in scenario.lines(10)))
    job = jobs.ship(scenario.directory, scenario.stream, [log])
    document = policy(scenario, job)
    check_document(document)
    refused = scenario.program.run("ship", "--once", job, expect=77,
                                   environment=keys_with(scenario, without(document, "kinesis:PutRecords")))
    assert "kinesis:PutRecords" in refused.stdout + refused.stderr
    scenario.program.run("ship", "--once", job, environment=keys_with(scenario, document))
    assert len(scenario.oracle()) == 10


def test_the_policy_does_not_reach_beyond_the_job(everything):
    """Other keys, other streams, deleting, replacing: none of it, tried with boto3."""
    keys = keys_with(everything, policy(everything, everything.job))
    everything.archive(environment=keys)
    names = {"aws_access_key_id": keys["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": keys["AWS_SECRET_ACCESS_KEY"],
             "aws_session_token": keys["AWS_SESSION_TOKEN"]}
    s3, kinesis = (everything.endpoint.client(name, **names) for name in ("s3", "kinesis"))
    row = next(k for k in everything.keys("data/"))
    manifest = next(k for k in everything.keys("_sluice/test/commits/"))
    everything.control.create_stream(everything.name + "-other")
    bucket = {"Bucket": everything.bucket}
    for call in [
            lambda: s3.put_object(Key="elsewhere/x", Body=b"", IfNoneMatch="*", **bucket),
            lambda: s3.put_object(Key=row, Body=b"", **bucket), lambda: s3.put_object(Key=manifest, Body=b"", **bucket),
            lambda: s3.put_object(Key=row, Body=b"", IfMatch='"x"', **bucket),
            lambda: s3.put_object(Key="_sluice/test/owner.json", Body=b"", **bucket),
            lambda: s3.delete_object(Key=row, **bucket), lambda: s3.get_object(Key="elsewhere/x", **bucket),
            lambda: s3.list_objects_v2(Prefix="elsewhere/", **bucket),
            lambda: kinesis.list_shards(StreamName=everything.name + "-other"),
            lambda: kinesis.put_record(StreamName=everything.stream, Data=b"x", PartitionKey="k")]:
        with pytest.raises(Exception) as error:
            call()
        assert error.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
    everything.audit()


def called_actions():
    """Every action that the AWS layer names for a call."""
    layer = os.path.join(REPOSITORY, "Sources", "AWS")
    with open(os.path.join(layer, "Client", "Permission.swift")) as file:
        names = dict(re.findall(r'case (\w+) = "([a-z0-9-]+:[A-Za-z]+)"', file.read()))
    found = set()
    for folder, _, files in os.walk(layer):
        for name in files:
            with open(os.path.join(folder, name)) as file:
                text = file.read()
            found.update(re.findall(r'permission: "([a-z0-9-]+:[A-Za-z]+)"', text))
            if os.path.basename(folder) == "Kinesis":
                found.update("kinesis:" + a for a in re.findall(r'\bcall\(\s*"([A-Z][A-Za-z]+)", operation:', text))
            found.update(names[a] for a in re.findall(r'[cC]all\(\s*\.(\w+), operation:', text))
    return found


def test_each_action_that_the_code_calls_is_in_some_policy_and_no_other(everything):
    ship = jobs.ship(everything.directory, everything.stream, ["/var/log/x"])
    granted = actions(policy(everything, ship, "--stream-key", KEY))
    group = {"database": "logs", "role_arn": "arn:aws:iam::%s:role/copy" % ACCOUNT}
    secret = "arn:aws:secretsmanager:us-east-1:%s:secret:logs-AbCdEf" % ACCOUNT
    for place in ({"workgroup": "logs"}, {"cluster": "logs", "user": "loader"}, {"cluster": "logs", "secret_arn": secret}):
        everything.write_job(destination=EVERYTHING, redshift=dict(group, **place))
        granted |= actions(policy(everything, everything.job, "--stream-key", KEY))
    # Asked for by headers and keys, and by the way into the database.
    implied = {"s3:PutObjectTagging", "kms:Decrypt", "kms:GenerateDataKey", "redshift:GetClusterCredentials",
               "redshift-serverless:GetCredentials", "secretsmanager:GetSecretValue"}
    assert granted == called_actions() | implied
    assert {"kinesis:GetRecords", "kinesis:PutRecords", "s3:PutObject", "s3:ListBucket",
            "redshift-data:BatchExecuteStatement"} <= called_actions()


def test_every_action_that_a_run_was_seen_to_use_is_granted(everything):
    everything.archive()
    everything.program.run("check", "--live", everything.job)
    names = {"HeadObject": "GetObject", "HeadBucket": "ListBucket", "ListObjectsV2": "ListBucket"}
    seen = {"%s:%s" % (e["service"], names.get(e["operation"], e["operation"])) for e in everything.requests()}
    assert seen <= actions(policy(everything, everything.job)) and len(seen) > 5


def test_the_text_is_the_same_each_time_and_pleases_IAM_in_every_partition(scenario):
    for region, partition in [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]:
        job = jobs.archive(scenario.directory, "s", "some-bucket", source={"region": region},
                           destination={"sse": "aws:kms", "kms_key_id": "alias/logs"})
        first, second = (scenario.program.run("policy", job, "--account", ACCOUNT).stdout for _ in range(2))
        assert first == second
        document = json.loads(first)
        check_document(document)
        arns = [r for s in document["Statement"] for r in s["Resource"]]
        assert arns and all(arn.startswith("arn:%s:" % partition) for arn in arns)
        stream = next(s for s in document["Statement"] if s["Sid"] == "ReadStream")
        assert stream["Resource"] == ["arn:%s:kinesis:%s:%s:stream/s" % (partition, region, ACCOUNT)]
        key = next(s for s in document["Statement"] if s["Sid"] == "UseBucketKey")
        assert key["Resource"] == ["arn:%s:kms:%s:%s:key/*" % (partition, region, ACCOUNT)]
        assert key["Condition"]["ForAnyValue:StringEquals"] == {"kms:ResourceAliases": "alias/logs"}


def test_two_jobs_share_one_document(scenario):
    archive = jobs.archive(scenario.directory, "s", "some-bucket", name="drupal")
    ship = jobs.ship(scenario.directory, "s", ["/var/log/x"], name="drupal-web")
    document = policy(scenario, archive, ship)
    check_document(document)
    sids = [s["Sid"] for s in document["Statement"]]
    assert len(set(sids)) == len(sids) and {"Job1DrupalReadStream", "Job2DrupalWebWriteStream"} <= set(sids)


def test_an_unknown_account_is_an_error_that_names_the_ways(scenario):
    job = jobs.archive(scenario.directory, "my-stream", "some-bucket")
    result = scenario.program.run("policy", job, expect=64)
    assert "my-stream" in result.stderr and "--account" in result.stderr and not result.stdout
    with_environment = policy(scenario, job, account=None, environment={"AWS_ACCOUNT_ID": ACCOUNT})
    arn = "arn:aws:kinesis:us-east-1:%s:stream/my-stream" % ACCOUNT
    with_arn = policy(scenario, jobs.archive(scenario.directory, arn, "some-bucket", "arn.yaml"), account=None)
    assert with_environment == with_arn and arn in json.dumps(with_arn)
    assert ":*:stream/my-stream" in json.dumps(policy(scenario, job, account="*"))
    assert "12 digits" in scenario.program.run("policy", job, "--account", "42", expect=64).stderr


def test_a_prefix_that_begins_with_a_placeholder_takes_the_whole_bucket_once(scenario):
    job = jobs.archive(scenario.directory, "s", "some-bucket", destination={"prefix": "{site}/{date}/"})
    document = policy(scenario, job)
    check_document(document)
    store = next(s for s in document["Statement"] if s["Sid"] == "StoreOnce")
    assert store["Resource"] == ["arn:aws:s3:::some-bucket/*"]
