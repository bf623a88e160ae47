"""What a ship job tells Prometheus: what the stream has stored, over runs, services and kills."""

import os

import pytest

from support.metrics import Metrics
from support.shipping import REFUSED, Shipping, numbered


@pytest.fixture
def shipping(scenario):
    path = os.path.join(scenario.directory, "ship.prom")
    shipping = Shipping(scenario, metrics={"textfile": path}, rescan="1s")
    shipping.prom = path
    return shipping


def read(shipping):
    return Metrics(shipping.prom).check()


def test_counters_grow_with_every_run_and_runs_are_counted_by_their_end(shipping):
    shipping.append(numbered("a", 20))
    shipping.run()
    metrics = read(shipping)
    assert metrics.one("sluice_ship_records_total") == shipping.count() == 20
    assert metrics.one("sluice_ship_bytes_total") == os.path.getsize(shipping.log)
    assert metrics.one("sluice_ship_last_success_timestamp_seconds") == metrics.one("sluice_run_end_timestamp_seconds")
    shipping.append(numbered("a", 5, start=20))
    shipping.scenario.fault({"kind": "error", "status": 400, "code": "AccessDeniedException", "message": "x"},
                            {"operation": "PutRecords"})
    shipping.run(expect=77)
    assert read(shipping).one("sluice_ship_records_total") == 20 and read(shipping).one("sluice_run_exit_code") == 77
    shipping.scenario.control.clear_faults()
    shipping.run()
    metrics = read(shipping)
    assert metrics.one("sluice_ship_records_total") == 25
    assert metrics.one("sluice_runs_total", exit_code="0") == 2 and metrics.one("sluice_runs_total", exit_code="77") == 1
    assert all({("job", "test-ship"), ("stream", shipping.scenario.stream)} <= set(labels)
               for _, labels in metrics.series)


def test_records_that_were_refused_show(shipping):
    shipping.append(numbered("a", 3))
    shipping.run()
    shipping.append(numbered("a", 1, start=3))
    shipping.scenario.fault(REFUSED, {"operation": "PutRecords"})
    shipping.run(expect=65)
    assert read(shipping).one("sluice_ship_dead_letters_total") == 1
    assert read(shipping).one("sluice_ship_records_total") == 3


def test_a_service_shows_while_it_works_and_what_it_counted_stays(shipping):
    shipping.append(numbered("a", 10))
    with shipping.follow() as follower:
        follower.wait_for_lines(10)
        metrics = read(shipping)
        assert "sluice_run_exit_code" not in metrics.text and metrics.one("sluice_run_start_timestamp_seconds") > 0
        shipping.append(numbered("a", 10, start=10))
        # The file is written anew every ten seconds.
        follower.wait_for(lambda: read(shipping).one("sluice_ship_records_total") == 20, 60, "the second half")
        assert read(shipping).one("sluice_ship_unread_bytes") == 0
        follower.stop(expect=0)
    assert read(shipping).one("sluice_run_exit_code") == 0
    assert shipping.run().report["lines"] == 0
    assert read(shipping).one("sluice_ship_records_total") == 20


def test_a_service_that_was_killed_shows(shipping):
    shipping.append(numbered("a", 10))
    shipping.run()
    with shipping.follow() as follower:
        follower.kill()
    shipping.run()
    metrics = read(shipping)
    assert metrics.one("sluice_runs_total", exit_code="killed") == 1
    assert metrics.one("sluice_ship_records_total") == 10


def test_a_job_without_metrics_writes_none(scenario):
    shipping = Shipping(scenario)
    shipping.append(numbered("a", 3))
    shipping.run()
    assert "ledger.json" not in os.listdir(shipping.state)
