"""The program finds and renews its keys from each source, and the gateway checks what it signs with them."""

import json
import os
import shlex
import signal
import sys

import pytest

ROLE = "arn:aws:iam::123456789012:role/archiver"


@pytest.fixture
def world(scenario):
    """A small stream, and a program that is given no keys."""
    scenario.set_up(seal={"records": 10})
    scenario.load(scenario.lines(35))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        del scenario.program.environment[name]
    yield scenario
    scenario.control.metadata(imds="ok", container="ok", lifetime=21600, denied=[], rotate=True)


def write(scenario, name, text):
    path = os.path.join(scenario.directory, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o600)
    return path


def root_keys(scenario):
    environment = scenario.endpoint.environment
    return environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]


def keys_used(scenario, first_request=0):
    return {e["access_key"] for e in scenario.requests() if e["number"] > first_request}


def archive(scenario, **environment):
    scenario.program.environment.update(environment)
    result = scenario.archive()
    assert result.report["totals"]["records"] == 35
    scenario.audit()
    return result


def test_keys_of_a_profile(world):
    key, secret = root_keys(world)
    write(world, ".aws/credentials", "[default]\naws_access_key_id = AKIAWRONG\naws_secret_access_key = x\n"
          "[logs]\naws_access_key_id = %s\naws_secret_access_key = %s\n" % (key, secret))
    archive(world, AWS_PROFILE="logs")
    assert keys_used(world) == {key}


@pytest.mark.parametrize("source", ["profile", "web identity"])
def test_an_assumed_role(world, source):
    key, secret = root_keys(world)
    if source == "profile":
        write(world, ".aws/config", "[profile base]\naws_access_key_id = %s\naws_secret_access_key = %s\n"
              "[profile role]\nrole_arn = %s\nsource_profile = base\nregion = us-east-1\n" % (key, secret, ROLE))
        archive(world, AWS_PROFILE="role")
    else:
        archive(world, AWS_ROLE_ARN=ROLE, AWS_WEB_IDENTITY_TOKEN_FILE=write(world, "token", "web-identity-token"))
    used = keys_used(world)
    assert len(used) == 1 and used.pop().startswith("ASIA")


def test_a_credential_process(world):
    keys = world.control.issue_key()
    document = {"Version": 1, "AccessKeyId": keys["access_key_id"], "SecretAccessKey": keys["secret_access_key"],
                "SessionToken": keys["session_token"], "Expiration": "2099-01-01T00:00:00Z"}
    script = write(world, "process.py", "print(%r)\n" % json.dumps(document))
    write(world, ".aws/config", "[default]\ncredential_process = %s %s\n" % (
        shlex.quote(sys.executable), shlex.quote(script)))
    archive(world)
    assert keys_used(world) == {keys["access_key_id"]}


def test_instance_metadata(world):
    archive(world, AWS_EC2_METADATA_DISABLED="false", **world.endpoint.description["imds"])
    used = keys_used(world)
    assert len(used) == 1 and used.pop().startswith("ASIALOCAL")


def test_version_one_of_instance_metadata_is_not_used(world):
    world.control.metadata(imds="v1_only")
    world.program.environment.update(world.endpoint.description["imds"], AWS_EC2_METADATA_DISABLED="false")
    before = len(world.control.call("GET", "metadata/log"))
    result = world.archive(expect=77)
    asked = world.control.call("GET", "metadata/log")[before:]
    assert asked and all(r["path"] == "/latest/api/token" for r in asked), asked
    assert world.requests() == [] and "hint" in result.stderr


def test_container_credentials(world):
    container = world.endpoint.description["container"]
    archive(world, **container)
    assert len(keys_used(world)) == 1
    token = write(world, "container-token", container["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
    world.program.environment.pop("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    world.archive(environment={"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": token})
    result = world.archive(expect=77, environment={"AWS_CONTAINER_AUTHORIZATION_TOKEN": "not-the-token-at-all"})
    assert "not-the-token-at-all" not in result.stderr + result.stdout


@pytest.mark.parametrize("source", ["imds", "container"])
def test_keys_that_run_out_while_it_runs_are_renewed(world, source):
    """The keys end after the first calls, long before their own expiry says so: each refusal renews them once."""
    settings = dict(world.endpoint.description[source], AWS_EC2_METADATA_DISABLED="false")
    world.fault({"kind": "delay", "seconds": 0.5}, {"service": "s3", "operation": "PutObject"})
    world.program.environment.update(settings)
    process = world.start_archive()
    world.wait_for(lambda: any(e["operation"] == "PutObject" and e["status"] == 200 for e in world.requests()))
    # On a busy machine the run would be over before its keys are.
    os.kill(process.pid, signal.SIGSTOP)
    first = keys_used(world)
    world.control.metadata(rotate=True)
    world.control.change_key(first.pop(), expires_in=0)
    os.kill(process.pid, signal.SIGCONT)
    result = world.program.finish(process)
    assert result.report["totals"]["records"] == 35
    world.audit()
    refused = [e["code"] for e in world.requests() if e["code"] in ("ExpiredToken", "ExpiredTokenException")]
    assert refused and len(keys_used(world)) == 2


def test_no_secret_is_ever_printed(world):
    keys = world.control.issue_key(denied=["s3:*"])
    result = world.archive("--log-level", "debug", expect=77, environment={
        "AWS_ACCESS_KEY_ID": keys["access_key_id"], "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"],
        "AWS_SESSION_TOKEN": keys["session_token"]})
    said = result.stdout + result.stderr
    assert keys["secret_access_key"] not in said and keys["session_token"] not in said
    assert "Signature=" not in said and keys["session_token"][:40] not in said
