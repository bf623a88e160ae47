"""`sluice policy` and `sluice check --live` for a job with `redshift:`. The local endpoint enforces the very document."""

import json
import re

import pytest

from support.warehouse import LINES, Warehouse, make_archive
from test_ops_check_live import check, results
from test_ops_policy import ACCOUNT, EVERYTHING, KEY, actions, check_document, keys_with, policy, without

ROLE = "arn:aws:iam::%s:role/copy" % ACCOUNT
SECRET = "arn:aws:secretsmanager:us-east-1:%s:secret:redshift-AbCdEf" % ACCOUNT
LOGINS = {
    "cluster and user": ({"cluster": "local-cluster", "user": "loader"}, "redshift:GetClusterCredentials", [
        "arn:aws:redshift:us-east-1:%s:dbuser:local-cluster/loader" % ACCOUNT,
        "arn:aws:redshift:us-east-1:%s:dbname:local-cluster/dev" % ACCOUNT]),
    "cluster and secret": ({"cluster": "local-cluster", "secret_arn": SECRET}, "secretsmanager:GetSecretValue", [SECRET]),
    "workgroup": ({"workgroup": "local-workgroup"}, "redshift-serverless:GetCredentials", [
        "arn:aws:redshift-serverless:us-east-1:%s:workgroup/*" % ACCOUNT]),
    "workgroup and secret": ({"workgroup": "local-workgroup", "secret_arn": SECRET}, "secretsmanager:GetSecretValue",
                             [SECRET]),
}
DATA_API = {"redshift-data:" + name for name in (
    "ExecuteStatement", "BatchExecuteStatement", "DescribeStatement", "GetStatementResult")}


@pytest.fixture
def warehouse(scenario):
    """An archive with every setting, and its table."""
    house = Warehouse(make_archive(scenario))
    house.use(dict(LOGINS["cluster and user"][0], role_arn=ROLE), destination=EVERYTHING)
    yield house
    scenario.control.clear_redshift_faults()


@pytest.mark.parametrize("login", sorted(LOGINS))
def test_load_runs_with_exactly_the_policy_for_it_alone(warehouse, login):
    place, permission, resources = LOGINS[login]
    warehouse.use(dict(place, role_arn=ROLE), destination=EVERYTHING)
    job = warehouse.scenario.job
    document = policy(warehouse.scenario, job, "--for", "load")
    check_document(document)
    assert {a for a in actions(document) if a.partition(":")[0] not in ("s3", "kms")} == DATA_API | {permission}
    login_statement = next(s for s in document["Statement"] if permission in s["Action"])
    assert login_statement["Resource"] == resources
    for action in sorted(DATA_API | {permission, "s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:PutObjectTagging"}):
        result = warehouse.load(environment=keys_with(warehouse.scenario, without(document, action)), expect=77)
        assert action in result.stderr, result
    report = warehouse.load(environment=keys_with(warehouse.scenario, document)).report
    assert report["rows_loaded"] == LINES == warehouse.audit()
    assert actions(document) <= actions(policy(warehouse.scenario, job))


def test_a_job_without_the_group_asks_for_nothing_of_redshift(scenario):
    scenario.set_up()
    assert "redshift" not in json.dumps(policy(scenario, scenario.job))
    assert not policy(scenario, scenario.job, "--for", "load")["Statement"][-1]["Sid"].startswith("LogInto")


def test_the_policy_of_redshifts_own_role_reads_the_bucket_and_nothing_else(warehouse):
    warehouse.use(dict(LOGINS["workgroup"][0], role_arn=ROLE, jsonpaths="mine/paths.json"), destination=EVERYTHING)
    document = policy(warehouse.scenario, warehouse.scenario.job, "--for", "redshift-role")
    check_document(document)
    assert actions(document) == {"s3:GetObject", "s3:ListBucket", "kms:Decrypt"}
    bucket = "arn:aws:s3:::%s" % warehouse.scenario.bucket
    read = next(s for s in document["Statement"] if s["Action"] == ["s3:GetObject"])
    assert read["Resource"] == [bucket + "/data/dt=*", bucket + "/_sluice/test/*", bucket + "/mine/paths.json"]
    # What COPY reads lies there: the objects, its manifest, the JSONPaths file.
    keys = keys_with(warehouse.scenario, document)
    warehouse.load()
    client = warehouse.scenario.endpoint.client(
        "s3", aws_access_key_id=keys["AWS_ACCESS_KEY_ID"], aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys["AWS_SESSION_TOKEN"])
    needed = [k for k in warehouse.scenario.keys() if k.startswith(("data/", "mine/")) or "redshift/load" in k]
    assert len(needed) > 5
    for key in needed:
        client.get_object(Bucket=warehouse.scenario.bucket, Key=key)


@pytest.mark.parametrize("login", sorted(LOGINS))
def test_check_tries_every_action_of_the_database_and_changes_nothing(warehouse, login):
    place, permission, _ = LOGINS[login]
    warehouse.use(dict(place, role_arn=ROLE), destination=EVERYTHING)
    before = warehouse.scenario.keys()
    live = check(warehouse.scenario)
    found = results(live)
    assert {action: found[action] for action in DATA_API | {permission}} == {
        action: {"ok"} for action in DATA_API | {permission}}
    assert live["exit_code"] == 0 and not live["problems"]
    assert any(ROLE in note for note in live["notes"])
    assert warehouse.scenario.keys() == before and warehouse.audit(complete=False) == 0 and not warehouse.has_ledger()
    granted = actions(policy(warehouse.scenario, warehouse.scenario.job, "--for", "check", "--stream-key", KEY))
    assert set(found) <= granted
    for action in sorted(DATA_API | {permission}):
        document = without(policy(warehouse.scenario, warehouse.scenario.job, "--stream-key", KEY), action)
        live = check(warehouse.scenario, environment=keys_with(warehouse.scenario, document), expect=77)
        missing = [a for a in live["actions"] if a["result"] == "missing"]
        assert missing and all(action in a["note"] + a["hint"] for a in missing), live


@pytest.mark.parametrize("change, says, expect", [
    ("DROP TABLE {t}", "there is no such table", 78),
    ('ALTER TABLE {t} DROP COLUMN "site", DROP COLUMN "drupal_uid"', "columns are missing: site, drupal_uid", 78)])
def test_check_looks_at_the_table(warehouse, change, says, expect):
    warehouse.sql(change)
    live = check(warehouse.scenario, expect=expect)
    assert says in live["problems"][0]["cause"] and "sluice redshift" in live["problems"][0]["hint"]
    text = warehouse.scenario.program.run("check", "--live", warehouse.scenario.job, expect=expect).stdout
    assert re.search(r"problem: look at .*%s" % says, text)


def test_check_names_a_database_and_a_cluster_that_do_not_exist(warehouse):
    warehouse.use(dict(LOGINS["cluster and user"][0], role_arn=ROLE, database="nowhere"), destination=EVERYTHING)
    live = check(warehouse.scenario, expect=78)
    assert "nowhere" in live["problems"][0]["cause"] and live["problems"][0]["hint"]
    warehouse.use({"cluster": "elsewhere", "user": "loader", "role_arn": ROLE}, destination=EVERYTHING)
    live = check(warehouse.scenario, expect=78)
    assert "elsewhere" in live["problems"][0]["subject"]
