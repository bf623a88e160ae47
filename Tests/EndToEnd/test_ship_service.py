"""`sluice ship` as a service: how it starts, reports, is stopped, fails and goes on."""

import signal
import time

import pytest

from support.shipping import Shipping, numbered, text

EVERYTHING_FAILS = {"kind": "error", "status": 500, "code": "InternalFailure"}
PUT = {"operation": "PutRecords"}


@pytest.fixture
def shipping(scenario):
    return Shipping(scenario, rescan="1s")


# How it ends.

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("linger", ["0s", pytest.param("1s", marks=pytest.mark.slow), "60s"])
def test_an_orderly_end_sends_what_was_read_and_leaves_the_rest(scenario, number, linger):
    shipping = Shipping(scenario, linger=linger)
    shipping.append(numbered("a", 3))
    with shipping.follow() as follower:
        shipping.append(numbered("a", 1_000, start=3))
        if linger != "60s":
            follower.wait_for_lines(1)
        started = time.monotonic()
        result = follower.stop(number, expect=0)
        assert time.monotonic() - started < 5
    assert result.report["mode"] == "follow" and result.report["lines"] == shipping.count()
    rest = shipping.run().report
    assert result.report["lines"] + rest["lines"] == 1_003
    shipping.assert_bytes(text(numbered("a", 1_003)))
    assert shipping.run().report["lines"] == 0


def test_requests_under_way_are_waited_for(shipping):
    shipping.append(numbered("a", 5))
    shipping.scenario.fault({"kind": "delay", "seconds": 1}, PUT)
    with shipping.follow() as follower:
        shipping.append(numbered("a", 2_000, start=5))
        follower.wait_for(lambda: shipping.count() > 5, what="the first answers")
        follower.stop(expect=0)
    shipping.assert_bytes(text(numbered("a", 2_005)))
    assert shipping.run().report["lines"] == 0


def test_the_grace_is_kept_and_what_is_left_is_for_the_next_run(scenario):
    shipping = Shipping(scenario, grace="1s")
    shipping.append(numbered("a", 600))
    with shipping.follow() as follower:
        follower.wait_for_lines(600)
        fault = scenario.fault(EVERYTHING_FAILS, PUT)
        shipping.append(numbered("a", 600, start=600))
        follower.wait_for(lambda: fired(scenario, fault), what="a refused request")
        started = time.monotonic()
        result = follower.stop(expect=75)
        assert time.monotonic() - started < 5
    assert result.report["more_waiting"]
    scenario.control.clear_faults()
    assert shipping.run().report["lines"] == 600
    shipping.assert_bytes(text(numbered("a", 1_200)))


def fired(scenario, fault):
    return next(rule["fired"] for rule in scenario.control.faults() if rule["id"] == fault)


@pytest.mark.slow
def test_an_outage_is_sat_out(shipping):
    shipping.append(numbered("a", 10))
    with shipping.follow() as follower:
        follower.wait_for_lines(10)
        for action in (EVERYTHING_FAILS, {"kind": "cut", "reset": True},
                       {"kind": "error", "status": 400, "code": "ThrottlingException", "message": "Rate exceeded"},
                       {"kind": "put_partial", "share": 1.0}):
            before = shipping.count()
            fault = shipping.scenario.fault(action, PUT)
            shipping.append(numbered("a", 20, start=before))
            follower.wait_for(lambda: fired(shipping.scenario, fault) >= 3, 30, what="three refusals")
            assert shipping.count() == before
            shipping.scenario.control.clear_faults()
            follower.wait_for_lines(before + 20)
    shipping.assert_bytes(text(numbered("a", 90)))
    assert follower.result.report["records_resent"] >= 4 * 3


def test_a_second_one_ends_at_once_and_disturbs_nothing(shipping):
    shipping.append(numbered("a", 10))
    with shipping.follow() as follower:
        for arguments in (("--once",), ()):
            result = shipping.scenario.program.run("ship", shipping.job, "--json", *arguments, expect=79)
            assert result.seconds < 5 and str(follower.process.pid) in result.stderr
        shipping.append(numbered("a", 10, start=10))
        follower.wait_for_lines(20)
    shipping.assert_bytes(text(numbered("a", 20)))


def test_a_run_with_once_ends_although_the_file_keeps_growing(shipping):
    shipping.append(numbered("a", 2_000))
    shipping.scenario.fault({"kind": "delay", "seconds": 0.2}, PUT)
    process = shipping.start()
    count = 2_000
    while process.poll() is None:
        shipping.append(numbered("a", 20, start=count))
        count += 20
        time.sleep(0.005)
        assert count < 100_000, "it did not end"
    shipping.scenario.program.finish(process)
    assert 2_000 <= shipping.count() <= count
    shipping.run()
    shipping.assert_bytes(text(numbered("a", count)))


# What it tells the service manager.

@pytest.mark.slow
def test_the_service_manager_is_told_how_it_goes(shipping):
    shipping.append(numbered("a", 10))
    with shipping.follow(environment={"WATCHDOG_USEC": "6000000"}) as follower:
        notes = follower.notifications
        follower.wait_for_lines(10)
        follower.wait_for(lambda: len(notes.all("WATCHDOG")) >= 2, 30, what="two signs of life")
        fault = shipping.scenario.fault(EVERYTHING_FAILS, PUT)      # trouble with the service is no reason to be killed
        shipping.append(numbered("a", 10, start=10))
        follower.wait_for(lambda: fired(shipping.scenario, fault), what="a refused request")
        seen = len(notes.all("WATCHDOG"))
        follower.wait_for(lambda: len(notes.all("WATCHDOG")) >= seen + 2, 30, what="two more")
        shipping.scenario.control.clear_faults()
        follower.wait_for_lines(20)
        follower.wait_for(lambda: any("20" in status for status in notes.all("STATUS")), what="a status with a count")
        follower.stop()
        messages = notes.poll().messages
    names = [line.partition("=")[0] for _, line in messages]
    assert set(names) <= {"READY", "STATUS", "WATCHDOG", "STOPPING"}
    assert names.count("READY") == names.count("STOPPING") == 1
    assert names.index("READY") < names.index("STOPPING")
    assert {line for _, line in messages if not line.startswith("STATUS")} <= {"READY=1", "STOPPING=1", "WATCHDOG=1"}
    times = [at for at, line in messages if line == "WATCHDOG=1"]
    assert max(later - sooner for sooner, later in zip(times, times[1:])) < 6


def test_an_abstract_socket_will_do_and_no_watchdog_is_fed_that_is_not_its_own(shipping):
    shipping.append(numbered("a", 1))
    with shipping.follow(abstract=True, environment={"WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"}) as follower:
        follower.wait_for_lines(1)
        shipping.append(numbered("a", 1, start=1))
        follower.wait_for_lines(2)
    assert follower.result.exit == 0


def test_without_a_service_manager_it_just_runs(shipping):
    shipping.append(numbered("a", 1))
    process = shipping.scenario.program.start("ship", shipping.job, "--json", environment={
        "NOTIFY_SOCKET": "/nowhere/notify"})
    shipping.scenario.wait_for(lambda: shipping.count() == 1)
    process.terminate()
    shipping.scenario.program.finish(process)


# Refusals.

@pytest.mark.parametrize("code, status", [("AccessDeniedException", 77), ("ResourceNotFoundException", 74),
                                          ("KMSAccessDeniedException", 77)])
def test_a_refusal_ends_it_and_keeps_the_position(shipping, code, status):
    shipping.append(numbered("a", 600))
    with shipping.follow() as follower:
        follower.wait_for_lines(600)
        shipping.scenario.fault({"kind": "error", "status": 400, "code": code, "message": "no"}, PUT)
        shipping.append(numbered("a", 600, start=600))
        result = follower.finish(expect=status)
    assert code in result.stderr and "hint" in result.stderr
    assert result.report["exit_code"] == status and code in str(result.report["problem"])
    shipping.scenario.control.clear_faults()
    assert shipping.run().report["lines"] == 600
    shipping.assert_bytes(text(numbered("a", 1_200)))


def test_a_stream_that_is_missing_at_the_start_is_named(scenario):
    shipping = Shipping(scenario)
    shipping.append(numbered("a", 10))
    shipping.write_job(destination={"stream": "no-such-stream-here"})
    result = scenario.program.run("ship", shipping.job, "--json", expect=74)
    assert "no-such-stream-here" in result.stderr
    assert shipping.count() == 0


def test_no_credentials_at_all(shipping):
    shipping.append(numbered("a", 10))
    nothing = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    for arguments in (("--once",), ()):
        result = shipping.scenario.program.run("ship", shipping.job, *arguments, expect=77, environment=nothing)
        assert "credentials" in result.stderr


@pytest.mark.parametrize("source", ["container", "process"])
def test_keys_that_run_out_while_it_follows_are_renewed(shipping, source, tmp_path):
    scenario = shipping.scenario
    environment = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_EC2_METADATA_DISABLED": "true"}

    def renew():
        """New keys at the source; the old ones end now."""
        old = [e["access_key"] for e in scenario.requests(**PUT)][-1:]
        if source == "container":
            scenario.control.metadata(rotate=True)
        else:
            key = scenario.control.issue_key()
            (tmp_path / "keys.json").write_text(
                '{"Version": 1, "AccessKeyId": "%(access_key_id)s", "SecretAccessKey": "%(secret_access_key)s", '
                '"SessionToken": "%(session_token)s", "Expiration": "2099-01-01T00:00:00Z"}' % key)
        for key in old:
            scenario.control.change_key(key, expires_in=0)

    if source == "container":
        environment.update(scenario.endpoint.description["container"])
    else:
        (tmp_path / "config").write_text("[default]\nregion = us-east-1\ncredential_process = cat %s\n" % (
            tmp_path / "keys.json"))
        environment["AWS_CONFIG_FILE"] = str(tmp_path / "config")
    renew()
    shipping.append(numbered("a", 10))
    with shipping.follow(environment=environment) as follower:
        follower.wait_for_lines(10)
        for turn in (1, 2):
            renew()
            shipping.append(numbered("a", 10, start=10 * turn))
            follower.wait_for_lines(10 * turn + 10)
    shipping.assert_bytes(text(numbered("a", 30)))
    stored = [e["access_key"] for e in scenario.requests(**PUT) if e["status"] == 200]
    refused = [e["code"] for e in scenario.requests(**PUT) if e["code"]]
    assert len(set(stored)) == 3 and set(refused) == {"ExpiredTokenException"} and len(refused) <= 4


def test_a_wrong_clock_is_corrected(shipping):
    shipping.scenario.control.clock(offset=3_600)
    shipping.append(numbered("a", 10))
    shipping.run()
    shipping.scenario.control.clock(offset=0)
    shipping.assert_bytes(text(numbered("a", 10)))
