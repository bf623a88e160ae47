"""What a run says of itself, how soon a line is there, how much memory it takes, and what comes twice at most."""

import os
import time

import pytest

from support.shipping import Shipping, numbered, read, text
from torture.auditor import Doubt, Kill

EVERYTHING_FAILS = {"kind": "error", "status": 500, "code": "InternalFailure"}
PUT = {"operation": "PutRecords"}


@pytest.fixture
def shipping(scenario):
    return Shipping(scenario, rescan="1s")


# What one run says of itself.

def test_the_report_adds_up(scenario):
    shipping = Shipping(scenario, ["*.log"], shards=2)
    for name, count in (("one.log", 700), ("two.log", 50)):
        shipping.append(numbered(name, count), shipping.path(name))
    scenario.fault({"kind": "put_partial", "share": 0.3, "seed": 3}, PUT, nth=1)
    scenario.fault(EVERYTHING_FAILS, PUT, nth=2)
    report = shipping.run().report
    assert report["mode"] == "once" and report["exit_code"] == 0 and not report["more_waiting"]
    assert (report["lines"], report["records"]) == (750, 750)
    assert report["dead_letters"] == 0 and report["records_resent"] > 100
    assert sum(s["records"] for s in report["shards"].values()) == 750
    assert sum(s["throttled"] for s in report["shards"].values()) > 50
    puts = scenario.requests(**PUT)
    assert report["requests"] == len(puts) and report["requests_failed"] == sum(e["status"] != 200 for e in puts)
    for file in report["files"]:
        size = os.path.getsize(file["path"])
        assert file["from"] == 0 and file["stored_offset"] == file["size"] == size
        assert file["bytes_read"] == file["bytes_acked"] == size
        assert len(file["generation"]) == 8 and file["suspected_lost_bytes"] == file["nul_bytes_skipped"] == 0
    assert sorted(f["lines"] for f in report["files"]) == [50, 700]
    again = shipping.run().report
    assert again["lines"] == again["requests"] == 0
    assert all(f["from"] == f["stored_offset"] for f in again["files"])


@pytest.mark.parametrize("aggregate", ["none", "lines", "kpl"])
def test_lines_are_told_from_records(scenario, aggregate):
    shipping = Shipping(scenario, destination={"aggregate": aggregate})
    shipping.append(numbered("a", 1_000))
    report = shipping.run().report
    assert report["lines"] == 1_000
    assert report["records"] == len(scenario.oracle()) and (report["records"] == 1_000) == (aggregate == "none")


def test_a_line_is_there_soon_after_it_was_written(scenario):
    """The linger and little more. A tenth of a second is the job's; the rest is for a busy machine."""
    shipping = Shipping(scenario, linger="100ms")
    shipping.append(numbered("a", 1))
    with shipping.follow() as follower:
        follower.wait_for_lines(1)
        waits = []
        for number in range(1, 11):
            started = time.time() * 1000
            shipping.append(numbered("a", 1, start=number))
            follower.wait_for_lines(number + 1)
            waits.append(shipping.records()[-1].arrival_ms - started)
    assert sorted(waits)[5] < 1_000, waits


# How much memory it takes.

@pytest.mark.slow
@pytest.mark.parametrize("aggregate", ["none", "lines", "kpl"])
def test_memory_is_bounded_whatever_the_backlog(scenario, aggregate):
    """A hundred megabytes wait and the service is slow; a long line is among them."""
    shipping = Shipping(scenario, ["*.log"], destination={"aggregate": aggregate}, max_in_flight=16, grace="1s")
    pad = "x" * 400
    for name in ("one.log", "two.log"):
        with open(shipping.path(name), "w") as file:
            for number in range(100_000):
                file.write("Nov 22 22:16:10 web1 drupal: %s %06d %s\n" % (name, number, pad))
            file.write("y" * (8 << 20) + "\n")
    scenario.fault({"kind": "delay", "seconds": 0.5}, PUT)
    peak = 0
    with shipping.follow(expect=(0, 75)) as follower:
        end = time.monotonic() + 12
        while time.monotonic() < end and follower.process.poll() is None:
            peak = max(peak, anonymous_kib(follower.process.pid))
            time.sleep(0.02)
        follower.stop()
    assert 0 < peak <= 64 << 10, "%d KiB" % peak


def anonymous_kib(pid):
    """Memory of the process's own: what it maps of its program file is not counted."""
    with open("/proc/%d/status" % pid) as status:
        return next((int(line.split()[1]) for line in status if line.startswith("RssAnon")), 0)


@pytest.mark.parametrize("action", ["lose_answer", {"kind": "truncate", "bytes": 50}, {"kind": "close"},
                                    {"kind": "replace_body", "body": "{}"}, {"kind": "replace_body", "body": "<html>"},
                                    {"kind": "replace_body", "body": '{"FailedRecordCount":0,"Records":[]}'}])
def test_an_answer_that_cannot_be_trusted_doubles_at_most(shipping, action):
    shipping.append(numbered("a", 1_200))
    shipping.scenario.fault(action, PUT, nth=2)
    shipping.run()
    doubts = [Doubt((e["time"] - e["seconds"]) * 1000, e["time"] * 1000)
              for e in shipping.scenario.requests(**PUT) if e["fault"]]
    assert len(doubts) == 1
    shipping.assert_bytes(text(numbered("a", 1_200)), causes=doubts)


@pytest.mark.slow
def test_a_kill_costs_a_second_at_most(scenario):
    """What was sent more than a few seconds before a kill is not sent again."""
    shipping = Shipping(scenario)
    shipping.append(numbered("a", 5))
    with shipping.follow() as follower:
        count = 5
        end = time.monotonic() + 4
        while time.monotonic() < end:
            shipping.append(numbered("a", 20, start=count))
            count += 20
            time.sleep(0.02)
        follower.kill()
        killed = time.time() * 1000
    shipping.run()
    shipping.assert_bytes(text(numbered("a", count)), causes=[Kill(killed)])
    first = {}
    for record in shipping.records():
        if record.key in first:
            assert killed - first[record.key] < 2_500
        first.setdefault(record.key, record.arrival_ms)
    assert read(shipping.log).count(b"\n") == count
