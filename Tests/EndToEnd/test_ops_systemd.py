"""The units of the package under a real systemd: sandbox, credentials, state directory, exit codes, timer, failure.

The package is installed in an empty Debian that is booted in namespaces of its own; needs root (or sudo), like its
neighbour test_ops_package.py.
"""

import base64
import time

import pytest

from support import jobs
from support.debian_root import Booted

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def machine(package, debian, tmp_path_factory):
    root = debian.copy(tmp_path_factory.mktemp("systemd") / "root")
    root.install(package)
    booted = Booted(root)
    yield booted
    booted.stop()
    root.remove()


class Unit:
    """One job of the test's own on the machine: its file, credentials and variables below /etc/sluice."""

    def __init__(self, machine, scenario, name, job):
        self.machine, self.root, self.name = machine, machine.root, name
        self.environment = scenario.endpoint.environment
        with open(job) as file:
            self.root.write("/etc/sluice/%s.yaml" % name, file.read())
        self.allow(self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"])
        self.root.write("/etc/sluice/%s.env" % name, "AWS_ENDPOINT_URL=%s\n" % scenario.endpoint.url, mode=0o600)

    def allow(self, key, secret, token=None):
        """Keys in a file that only root may read."""
        text = "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n" % (key, secret)
        text += "aws_session_token = %s\n" % token if token else ""
        self.root.write("/etc/sluice/%s.credentials" % self.name, text, mode=0o600)

    def start(self, kind, succeeds=True):
        """Runs the unit to its end, or to its start if it stays. What it said goes to the journal alone."""
        unit = "sluice-%s@%s.service" % (kind, self.name)
        started = self.machine.run("systemctl", "start", unit, check=False)
        journal = self.machine.journal("--unit=" + unit)
        assert (started.returncode == 0) == succeeds, started.stdout + journal
        assert succeeds == (self.machine.show(unit, "ActiveState")["ActiveState"] != "failed")
        assert "Failed to set thread priority" not in journal
        return unit, journal


def archive_unit(machine, scenario, **job):
    scenario.set_up(shards=2)
    name = scenario.name[:40].strip("-")
    path = jobs.archive(scenario.directory, scenario.stream, scenario.bucket, name=name,
                        state={"directory": "/var/lib/sluice/" + name},
                        destination={"control_prefix": scenario.control_prefix}, **job)
    return Unit(machine, scenario, name, path)


def test_archive_runs_in_its_sandbox_with_credentials_from_systemd(machine, scenario):
    unit = archive_unit(machine, scenario)
    scenario.load(scenario.lines(40))
    _, journal = unit.start("archive")
    assert "caught up" in journal and unit.environment["AWS_SECRET_ACCESS_KEY"] not in journal
    scenario.audit()
    state = "/var/lib/sluice/" + unit.name
    assert machine.run("stat", "-c", "%U %a", state, state + "/lock").stdout == "sluice 700\nsluice 600\n"
    assert {e["access_key"] for e in scenario.requests()} == {unit.environment["AWS_ACCESS_KEY_ID"]}


def test_without_a_credentials_file_the_other_sources_work(machine, scenario):
    unit = archive_unit(machine, scenario)
    machine.root.delete("/etc/sluice/%s.credentials" % unit.name)
    keys = ["%s=%s\n" % (name, unit.environment[name]) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    machine.root.write("/etc/sluice/%s.env" % unit.name,
                       "AWS_ENDPOINT_URL=%s\n" % scenario.endpoint.url + "".join(keys), mode=0o600)
    assert "caught up" in unit.start("archive")[1]


def test_79_is_no_failure(machine, scenario):
    unit = archive_unit(machine, scenario)
    unit.start("archive")
    lock = "/var/lib/sluice/%s/lock" % unit.name
    machine.run("systemd-run", "--unit=holder", "flock", lock, "sleep", "infinity")
    try:
        scenario.wait_for(lambda: machine.run("flock", "--nonblock", lock, "true", check=False).returncode == 1,
                          what="the lock of the other run")
        assert "(exit 79)" in unit.start("archive")[1]
    finally:
        machine.run("systemctl", "stop", "holder.service")


def test_75_is_no_failure(machine, scenario):
    unit = archive_unit(machine, scenario)
    machine.root.write("/etc/sluice/%s.env" % unit.name, "AWS_ENDPOINT_URL=http://127.0.0.1:9\nAWS_MAX_ATTEMPTS=1\n")
    assert "(exit 75)" in unit.start("archive")[1]


def test_a_failure_is_told_in_the_journal(machine, scenario):
    unit = archive_unit(machine, scenario)
    key = scenario.control.issue_key(denied=["kinesis:*"])
    unit.allow(key["access_key_id"], key["secret_access_key"], key["session_token"])
    failed, journal = unit.start("archive", succeeds=False)
    assert "kinesis:DescribeStreamSummary" in journal
    assert machine.show(failed, "ExecMainStatus") == {"ExecMainStatus": "77"}
    scenario.wait_for(lambda: "%s failed: journalctl" % failed in machine.journal("--priority=crit"),
                      what="the line of sluice-failure@")


def test_verify_tells_damage_as_a_failure(machine, scenario):
    unit = archive_unit(machine, scenario)
    scenario.load(scenario.lines(5))
    unit.start("archive")
    unit.start("verify")
    scenario.s3.delete_object(Bucket=scenario.bucket, Key=scenario.keys("data/")[0])
    failed, _ = unit.start("verify", succeeds=False)
    assert machine.show(failed, "ExecMainStatus") == {"ExecMainStatus": "65"}


def test_a_job_file_that_is_not_there_is_told_as_any_failure(machine, scenario):
    unit = archive_unit(machine, scenario)
    machine.root.delete("/etc/sluice/%s.yaml" % unit.name)
    failed, journal = unit.start("archive", succeeds=False)
    assert "/etc/sluice/%s.yaml" % unit.name in journal
    assert machine.show(failed, "ExecMainStatus") == {"ExecMainStatus": "78"}
    scenario.wait_for(lambda: "%s failed: journalctl" % failed in machine.journal("--priority=crit"),
                      what="the line of sluice-failure@")


def test_the_timer_starts_runs(machine, scenario):
    unit = archive_unit(machine, scenario)
    scenario.load(scenario.lines(5))
    timer = "sluice-archive@%s.timer" % unit.name
    machine.root.write("/etc/systemd/system/%s.d/often.conf" % timer,
                       "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/2\nRandomizedDelaySec=0\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "enable", "--now", timer)
    try:
        scenario.wait_for(lambda: scenario.keys("data/"), seconds=30, what="the run that the timer starts")
        assert unit.name in machine.run("systemctl", "list-timers", "--all", "--no-pager").stdout
        runs = len(scenario.requests(operation="DescribeStreamSummary"))
        scenario.wait_for(lambda: len(scenario.requests(operation="DescribeStreamSummary")) > runs, seconds=30,
                          what="the run after it")
        assert "failed" not in machine.show("sluice-archive@%s.service" % unit.name, "ActiveState").values()
    finally:
        machine.run("systemctl", "disable", "--now", timer)
    time.sleep(3)
    scenario.audit()


@pytest.fixture
def shipper(machine, scenario):
    """The service, on a log that only root and the group adm may read."""
    scenario.set_up()
    name = scenario.name[:40].strip("-")
    scenario.log = "/var/log/%s.log" % name
    machine.root.write(scenario.log, "one\ntwo\nthree\n", mode=0o640)
    machine.run("chown", "root:adm", scenario.log)
    path = jobs.ship(scenario.directory, scenario.stream, [scenario.log], name=name,
                     state={"directory": "/var/lib/sluice/" + name})
    unit = Unit(machine, scenario, name, path)
    machine.root.write("/etc/systemd/system/sluice-ship@%s.service.d/soon.conf" % name, "[Service]\nRestartSec=1s\n")
    machine.run("systemctl", "daemon-reload")
    yield unit
    machine.run("systemctl", "stop", "sluice-ship@%s.service" % name, check=False)


def test_ship_follows_as_a_service_and_stops_in_order(machine, scenario, shipper):
    unit, _ = shipper.start("ship")
    assert machine.show(unit, "ActiveState", "Type", "WatchdogUSec") == {
        "ActiveState": "active", "Type": "notify", "WatchdogUSec": "1min"}
    scenario.wait_for(lambda: len(scenario.oracle()) == 3, what="the lines that were there")
    machine.root.append(scenario.log, "four\n")
    scenario.wait_for(lambda: len(scenario.oracle()) == 4, what="the line that came")
    scenario.wait_for(lambda: machine.show(unit, "StatusText")["StatusText"], what="a status for systemctl")
    machine.run("systemctl", "stop", unit)
    assert "failed" not in machine.show(unit, "ActiveState").values()
    machine.root.append(scenario.log, "five\n")
    shipper.start("ship")
    scenario.wait_for(lambda: len(scenario.oracle()) == 5, what="the line that came meanwhile")


def test_ship_comes_back_after_a_kill_and_loses_nothing(machine, scenario, shipper):
    unit, _ = shipper.start("ship")
    scenario.wait_for(lambda: len(scenario.oracle()) == 3, what="the lines that were there")
    first = machine.show(unit, "MainPID")["MainPID"]
    machine.run("systemctl", "kill", "--signal=KILL", unit)
    machine.root.append(scenario.log, "four\n")
    scenario.wait_for(lambda: machine.show(unit, "MainPID", "ActiveState")["MainPID"] not in ("0", first),
                      what="the service after the kill")
    scenario.wait_for(lambda: {base64.b64decode(r["data"]) for r in scenario.oracle()} >= {b"one", b"two", b"three", b"four"},
                      what="the line that came")


def test_a_ship_job_that_is_wrong_is_not_tried_again(machine, scenario, shipper):
    machine.root.write("/etc/sluice/%s.yaml" % shipper.name, "job: ship\nname: x\n")
    unit, journal = shipper.start("ship", succeeds=False)
    assert machine.show(unit, "ExecMainStatus", "NRestarts") == {"ExecMainStatus": "78", "NRestarts": "0"}
    assert "destination: is missing" in journal


@pytest.mark.parametrize("kind", ["archive", "ship", "verify", "failure"])
def test_systemd_rates_the_installed_unit_under_2(machine, kind):
    rating = machine.run("systemd-analyze", "security", "--no-pager", "sluice-%s@x.service" % kind).stdout
    assert float(rating.rsplit(": ", 1)[1].split()[0]) < 2.0, rating[-200:]


def test_an_upgrade_starts_shippers_anew_and_removal_ends_all(machine, scenario, shipper):
    """The last of this file: it takes the package away."""
    unit, _ = shipper.start("ship")
    timer = "sluice-verify@%s.timer" % shipper.name
    machine.run("systemctl", "enable", "--now", timer)
    scenario.wait_for(lambda: len(scenario.oracle()) == 3, what="the lines that were there")
    first = machine.show(unit, "MainPID")["MainPID"]
    machine.run("dpkg", "--install", "/root/sluice.deb")
    after = machine.show(unit, "MainPID", "ActiveState")
    assert after["ActiveState"] == "active" and after["MainPID"] != first
    assert machine.show(timer, "ActiveState") == {"ActiveState": "active"}
    machine.root.append(scenario.log, "four\n")
    scenario.wait_for(lambda: len(scenario.oracle()) == 4, what="the line that came")
    machine.run("dpkg", "--remove", "sluice")
    for name in (unit, timer):
        assert machine.show(name, "ActiveState", "LoadState") == {"ActiveState": "inactive", "LoadState": "not-found"}
    machine.run("dpkg", "--purge", "sluice")
    assert machine.run("find", "/etc/systemd", "-name", "*sluice-verify*").stdout == ""
    assert machine.run("test", "-e", "/var/lib/sluice", check=False).returncode == 1
