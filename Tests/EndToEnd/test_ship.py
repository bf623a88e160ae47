"""`sluice ship --once`: every line on the stream, whatever the service and the host do meanwhile."""

import os
import random
import signal
import time

import pytest

from support import jobs
from support.shipping import Shipping

SEED = int(os.environ.get("SLUICE_SEED", random.SystemRandom().randrange(1 << 31)))


@pytest.fixture
def shipping(scenario):
    return Shipping(scenario)


def test_whole_lines_arrive_once_with_their_source(shipping):
    lines = shipping.scenario.lines(1_200)
    shipping.append(lines)
    with open(shipping.log, "a") as file:
        file.write("unfinished")
    report = shipping.run().report
    stored = shipping.assert_complete(lines)
    assert report["records"] == 1_200
    offset = 0
    for line, (key, text) in zip(lines, sorted(stored, key=lambda r: int(r[0].rsplit("/", 1)[1]))):
        host, name, generation, at = key.split("/")
        assert (name, len(generation), int(at), text) == ("drupal.log", 8, offset, line)
        offset += len(line) + 1
    with open(shipping.log, "a") as file:
        file.write(" line\n")
    shipping.run()
    shipping.assert_complete(lines + ["unfinished line"])
    assert shipping.run().report["records"] == 0


@pytest.mark.slow
def test_stream_at_its_write_limit_takes_everything_once(scenario):
    shipping = Shipping(scenario, limits=True)
    lines = scenario.lines(4_000, bytes_each=900)
    shipping.append(lines)
    shipping.run()
    shipping.assert_complete(lines)


def test_refused_entries_alone_are_sent_again(shipping):
    lines = shipping.scenario.lines(3_000)
    shipping.append(lines)
    shipping.scenario.fault({"kind": "put_partial", "share": 0.3, "seed": SEED}, {"operation": "PutRecords"},
                            probability=0.7, seed=SEED)
    shipping.run()
    shipping.assert_complete(lines)


def test_lost_answers_and_errors_lose_nothing(shipping):
    lines = shipping.scenario.lines(3_000)
    shipping.append(lines)
    shipping.scenario.fault("lose_answer", {"operation": "PutRecords"}, nth=2)
    shipping.scenario.fault({"kind": "error", "status": 500, "code": "InternalFailure"},
                            {"operation": "PutRecords"}, every=4)
    shipping.run()
    shipping.assert_complete(lines, doubles=2_000)


@pytest.mark.slow
def test_kills_at_any_moment_lose_nothing(scenario):
    shipping = Shipping(scenario, limits=True)
    print("SLUICE_SEED=%d" % SEED)
    chance = random.Random(SEED)
    lines = scenario.lines(6_000, bytes_each=200)
    shipping.append(lines)
    kills = 0
    for _ in range(40):
        process = shipping.start()
        time.sleep(chance.uniform(0.05, 1.0))
        if process.poll() is None:
            process.kill()
            kills += 1
        process.communicate()
    shipping.run()
    assert kills > 0
    # Each kill can repeat what one run sent since its last save, at most a second's worth and one request.
    shipping.assert_complete(lines, doubles=kills * 2_500)


def test_sigterm_ends_in_order_and_the_next_run_goes_on(shipping):
    lines = shipping.scenario.lines(1_000)
    shipping.append(lines)
    shipping.write_job(grace="1s", max_in_flight=1)    # in order: what is stored is stored without a hole
    fault = shipping.scenario.fault({"kind": "put_partial", "share": 1.0}, {"operation": "PutRecords"}, after=1)
    process = shipping.start()
    shipping.scenario.wait_for(lambda: len(shipping.scenario.requests(operation="PutRecords")) >= 3)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode in (128 + signal.SIGTERM, -signal.SIGTERM)
    assert len(shipping.stored()) == 500
    assert fault
    shipping.scenario.control.clear_faults()
    shipping.run()
    shipping.assert_complete(lines)


def test_refused_permission_keeps_the_position(shipping):
    lines = shipping.scenario.lines(1_000)
    shipping.append(lines)
    shipping.write_job(max_in_flight=1)     # in order: what is stored is stored without a hole
    shipping.scenario.fault({"kind": "error", "status": 400, "code": "AccessDeniedException"},
                            {"operation": "PutRecords"}, after=1)
    result = shipping.run(expect=77)
    assert "AccessDeniedException" in result.stderr and "hint:" in result.stderr
    shipping.scenario.control.clear_faults()
    shipping.run()
    shipping.assert_complete(lines)


def test_missing_stream_ends_with_exit_74_and_nothing_is_lost(scenario):
    shipping = Shipping(scenario)
    lines = scenario.lines(10)
    shipping.append(lines)
    real = shipping.job
    shipping.job = jobs.ship(scenario.directory, scenario.stream + "-not-there", [shipping.log], "missing.yaml",
                             state={"directory": os.path.join(scenario.directory, "missing-state")})
    result = shipping.run(expect=74)
    assert "ResourceNotFoundException" in result.stderr
    shipping.job = real
    shipping.run()
    shipping.assert_complete(lines)


def test_rotation_between_runs_loses_nothing(shipping):
    first, second, third = (shipping.scenario.lines(100, start=start) for start in (0, 100, 200))
    shipping.append(first)
    shipping.run()
    shipping.append(second)
    os.rename(shipping.log, shipping.log + ".1")
    shipping.append(third)
    shipping.run()
    shipping.assert_complete(first + second + third)


def test_line_longer_than_a_record_arrives_in_pieces(shipping):
    long = "é" * 1_500_000
    shipping.append(["before", long, "after"])
    result = shipping.run()
    stored = sorted(shipping.stored(), key=lambda r: int(r[0].rsplit("/", 1)[1]))
    assert [stored[0][1], stored[-1][1]] == ["before", "after"]
    assert "".join(text for _, text in stored[1:-1]) == long
    assert len(stored) == 5 and result.exit == 0
