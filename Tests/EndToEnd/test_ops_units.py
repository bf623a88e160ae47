"""The systemd units and the cron file: what systemd itself says of them, and that they fit the program."""

import json
import os
import re
import subprocess

import pytest

from support import jobs
from support.program import REPOSITORY, binary

UNITS = os.path.join(REPOSITORY, "jobs", "systemd")
CRON = os.path.join(REPOSITORY, "jobs", "cron", "sluice")
SERVICES = sorted(name for name in os.listdir(UNITS) if name.endswith(".service"))
TIMERS = sorted(name for name in os.listdir(UNITS) if name.endswith(".timer"))
INSTALLED = "/usr/local/bin/sluice"


def run(*arguments, **options):
    return subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, **options)


def lines(name):
    with open(os.path.join(UNITS, name)) as file:
        return [line.strip() for line in file if line.strip() and line[0] not in "#;"]


def settings(name, key):
    return [line.partition("=")[2] for line in lines(name) if line.startswith(key + "=")]


@pytest.fixture
def folder(tmp_path):
    """The units, with the program under test in the place of the installed one."""
    for name in SERVICES + TIMERS:
        with open(os.path.join(UNITS, name)) as file:
            (tmp_path / name).write_text(file.read().replace(INSTALLED, binary()))
    return tmp_path


def test_there_are_the_units_that_the_documents_name():
    assert SERVICES == ["sluice-%s@.service" % name for name in ("archive", "failure", "redshift-load", "ship", "verify")]
    assert TIMERS == ["sluice-%s@.timer" % name for name in ("archive", "redshift-load", "verify")]


def test_systemd_finds_no_fault(folder):
    result = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=yes",
                 *[str(folder / name) for name in SERVICES + TIMERS])
    assert result.returncode == 0 and result.stdout == "", result.stdout


def test_systemd_would_find_a_fault(folder):
    """What the test above is worth."""
    unit = folder / SERVICES[0]
    unit.write_text(unit.read_text().replace("Type=oneshot", "Type=nonsense"))
    assert "nonsense" in run("systemd-analyze", "verify", "--man=no", str(unit)).stdout


@pytest.mark.parametrize("name", SERVICES)
def test_exposure_is_under_2(folder, name):
    result = run("systemd-analyze", "security", "--offline=true", "--threshold=20", str(folder / name))
    assert result.returncode == 0, result.stdout[-300:]
    exposure = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", result.stdout).group(1))
    assert exposure < 2.0


@pytest.mark.parametrize("name", TIMERS)
def test_the_calendar_is_one_that_systemd_reads(name):
    for calendar in settings(name, "OnCalendar"):
        result = run("systemd-analyze", "calendar", "--iterations=3", calendar)
        assert result.returncode == 0 and "Next elapse" in result.stdout, result.stdout
    assert settings(name, "OnCalendar") and settings(name, "Persistent") == ["yes"]


def test_archive_runs_every_five_minutes():
    result = run("systemd-analyze", "calendar", "--iterations=3", *settings("sluice-archive@.timer", "OnCalendar"))
    minutes = [int(m) for m in re.findall(r":(\d\d):00 UTC", result.stdout)]
    assert len(minutes) >= 3 and all(minute % 5 == 0 for minute in minutes)


@pytest.mark.parametrize("name", [s for s in SERVICES if "failure" not in s])
def test_exit_codes_mean_in_systemd_what_they_mean_in_the_README(name):
    assert settings(name, "SuccessExitStatus") == ["75 79 143"]
    assert settings(name, "OnFailure") == ["sluice-failure@%n.service"]
    assert settings(name, "StateDirectory") == ["sluice/%i"]
    assert settings(name, "User") == ["sluice"]
    assert "-/var/lib/prometheus/node-exporter" in settings(name, "ReadWritePaths")
    assert settings(name, "LoadCredential") == [
        "aws-credentials:/etc/sluice/%i.credentials", "aws-config:/etc/sluice/%i.aws-config"]


def test_ship_is_a_service_that_comes_back():
    name = "sluice-ship@.service"
    assert settings(name, "Type") == ["notify"] and settings(name, "WatchdogSec") == ["60s"]
    assert settings(name, "Restart") == ["on-failure"] and settings(name, "RestartForceExitStatus") == ["75 79"]
    assert settings(name, "StartLimitBurst") == ["10"] and settings(name, "SupplementaryGroups") == ["adm"]


def megabytes(text):
    number, unit = re.fullmatch(r"([0-9]+)(M|MiB|G|GiB)", text).groups()
    return int(number) * (1024 if unit.startswith("G") else 1)


def seconds(text):
    number, unit = re.fullmatch(r"([0-9]+)(s|m|min|h)", text).groups()
    return int(number) * {"s": 1, "m": 60, "min": 60, "h": 3600}[unit]


def job_setting(job, key):
    """A value of an example job file, which shows each key with its default."""
    with open(os.path.join(REPOSITORY, "jobs", job)) as file:
        return re.search(r"\n *%s: (\S+)" % key, file.read()).group(1)


def test_limits_leave_room_for_those_of_the_job_files():
    for name, job in (("archive", "drupal-archive.yaml"), ("verify", "drupal-archive.yaml"), ("ship", "drupal-ship.yaml")):
        fence = megabytes(settings("sluice-%s@.service" % name, "MemoryMax")[0])
        assert fence >= 1.5 * megabytes(job_setting(job, "memory")), name
    run_time = seconds(job_setting("drupal-archive.yaml", "run_time"))
    assert seconds(settings("sluice-archive@.service", "TimeoutStartSec")[0]) > run_time
    grace = seconds(job_setting("drupal-ship.yaml", "grace"))
    assert seconds(settings("sluice-ship@.service", "TimeoutStopSec")[0]) > grace


def commands_of(text):
    """What a unit or a crontab runs, as arguments of sluice."""
    return [re.sub(r"^.*?sluice ", "", line).split() for line in text]


def options():
    """Command to the long options that it takes, from what the program says of itself."""
    top = json.loads(run(binary(), "--experimental-dump-help").stdout)["command"]
    found = {}
    for command in top["subcommands"]:
        default = [c for c in command.get("subcommands", []) if c["commandName"] == command.get("defaultSubcommand")]
        found[command["commandName"]] = {
            "--" + name["name"] for part in [command] + default for argument in part.get("arguments", [])
            for name in argument.get("names", []) if name["kind"] == "long"}
    return found


def test_units_and_cron_use_commands_and_options_that_exist():
    used = commands_of([settings(name, "ExecStart")[0] for name in SERVICES if "failure" not in name])
    used += commands_of(cron_lines())
    known = options()
    assert {command for command, *_ in used} >= {"archive", "ship", "verify"}
    for command, *words in used:
        assert {word for word in words if word.startswith("--")} <= known[command], (command, words)


def cron_lines():
    """The commands of the crontab in /etc/cron.d format: five fields, user, command."""
    found = []
    with open(CRON) as file:
        for line in file:
            if line.strip() and not line.startswith("#") and "=" not in line.split()[0]:
                fields = line.split(None, 6)
                assert all(re.fullmatch(r"[0-9*/,-]+", field) for field in fields[:5]) and fields[5] == "sluice", line
                found.append(fields[6].strip())
    return found


def test_cron_jobs_print_nothing_when_all_is_well_and_speak_up_otherwise(scenario):
    scenario.set_up()
    log = os.path.join(scenario.directory, "app.log")
    with open(log, "w") as file:
        file.write("one\ntwo\n")
    job = {"/etc/sluice/drupal.yaml": scenario.job,
           "/etc/sluice/drupal-web.yaml": jobs.ship(scenario.directory, scenario.stream, [log])}
    archive, ship = (next(line for line in cron_lines() if line.startswith("sluice " + word))
                     for word in ("archive", "ship"))
    environment = dict(scenario.program.environment)
    environment["PATH"] = os.path.dirname(binary()) + ":" + environment["PATH"]

    def cron(command, **changes):
        for place, path in job.items():
            command = command.replace(place, path)
        return run("sh", "-c", command, env=dict(environment, **changes))

    for command in (ship, archive, archive):
        result = cron(command)
        assert result.returncode == 0 and result.stdout == "", result.stdout
    scenario.audit()
    refused = scenario.control.issue_key(denied=["kinesis:*"])
    result = cron(archive, AWS_ACCESS_KEY_ID=refused["access_key_id"], AWS_SESSION_TOKEN=refused["session_token"],
                  AWS_SECRET_ACCESS_KEY=refused["secret_access_key"])
    assert result.returncode == 77 and "kinesis:DescribeStreamSummary" in result.stdout
