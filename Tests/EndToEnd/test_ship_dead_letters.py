"""Records that the service refuses, among records that it takes; and runs that are dry."""

import base64
import json
import os
import re

import pytest

from support.shipping import Shipping, dead_letters, folder, numbered, poison, text
from torture.records import unpacked


# Dead letters.

def test_a_record_that_is_refused_goes_to_the_dead_letters_and_all_others_arrive(world):
    shipping, shipper = world()
    poison(shipping)
    lines = numbered("a", 700) + ["Nov 22 22:16:10 web1 drupal: POISON é"] + numbered("b", 700)
    shipping.append(lines)
    if shipper.follows:
        with shipping.follow(expect=(0, 65)) as follower:
            follower.wait_for_lines(1_400)
            follower.wait_for(lambda: dead_letters(shipping), what="the dead letter")
        report = follower.result.report
    else:
        report = shipping.run(expect=(0, 65)).report
    [letter] = dead_letters(shipping)
    assert base64.b64decode(letter["data"]).decode() == lines[700]
    assert letter["stream"] == shipping.scenario.stream and letter["code"] == "ValidationException"
    assert letter["message"] and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", letter["time"])
    offset = len(text(lines[:700]))
    assert letter["partition_key"].endswith("/%d" % offset)
    assert report["dead_letters"] == 1 and sum(f["dead_letters"] for f in report["files"]) == 1
    assert os.stat(os.path.join(shipping.state, "dead-letter.ndjson")).st_mode & 0o077 == 0
    shipping.assert_once(numbered("a", 700) + numbered("b", 700))
    shipping.append(numbered("c", 5))
    assert shipping.run(expect=(0, 65)).report["lines"] == 5
    assert len(dead_letters(shipping)) == 1, "it is not tried again"


@pytest.mark.parametrize("aggregate", ["none", "lines", "kpl"])
def test_many_refused_records_among_many_good_ones(scenario, aggregate):
    shipping = Shipping(scenario, destination={"aggregate": aggregate})
    poison(shipping)
    lines = ["Nov 22 22:16:10 web1 drupal: %s %04d" % ("POISON" if n % 97 == 0 else "good", n) for n in range(2_000)]
    shipping.append(lines)
    shipping.run(expect=(0, 65))
    dead = [line for letter in dead_letters(shipping) for _, data in unpacked_letter(letter)
            for line in data.decode().split("\n")]
    assert sorted(dead + shipping.lines()) == sorted(lines)
    assert {line for line in lines if "POISON" in line} <= set(dead)
    assert not any("POISON" in line for line in shipping.lines())
    if aggregate == "none":
        assert len(dead) == 21


def unpacked_letter(letter):
    record = {"partition_key": letter["partition_key"], "data": letter["data"], "sequence": "0"}
    return unpacked(record, base64.b64decode(letter["data"]))


def test_a_record_that_is_too_large_for_the_stream_is_a_dead_letter(scenario):
    """The job says 1 MiB a record; this stream takes less."""
    shipping = Shipping(scenario, settings={"record_bytes": 200_000})
    large = "Nov 22 22:16:10 web1 drupal: " + "x" * 300_000
    shipping.append(numbered("a", 10) + [large] + numbered("b", 10))
    shipping.run(expect=(0, 65))
    shipping.assert_once(numbered("a", 10) + numbered("b", 10))
    [letter] = dead_letters(shipping)
    assert base64.b64decode(letter["data"]).decode() == large


# Dry run.

def test_a_dry_run_writes_nothing_and_sends_nothing(scenario):
    shipping = Shipping(scenario)
    shipping.append(numbered("a", 2_000))
    nothing = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    result = scenario.program.run("ship", shipping.job, "--dry-run", environment=nothing)
    assert re.search(r"2,?000", result.stdout) and "shard" in result.stdout
    assert not os.path.exists(shipping.state)
    assert not scenario.requests(operation="PutRecords") and shipping.count() == 0
    shipping.run()
    shipping.append(numbered("a", 10, start=2_000))
    before = folder(shipping.state, apart=())
    for arguments in ((), ("--once",), ("--json",)):
        result = scenario.program.run("ship", shipping.job, "--dry-run", *arguments, environment=nothing)
        assert "10" in result.stdout
    assert isinstance(json.loads(result.stdout), dict)
    assert folder(shipping.state, apart=()) == before and shipping.count() == 2_000


@pytest.mark.parametrize("aggregate", ["none", "lines", "kpl"])
def test_a_dry_run_says_what_aggregation_saves(scenario, aggregate):
    shipping = Shipping(scenario, destination={"aggregate": aggregate})
    shipping.append(numbered("a", 5_000))
    text_of_it = scenario.program.run("ship", shipping.job, "--dry-run").stdout
    assert re.search("aggregat", text_of_it, re.I) and "record" in text_of_it
