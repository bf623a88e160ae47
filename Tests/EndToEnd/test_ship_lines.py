"""What becomes of a file's bytes: lines, unfinished lines, long lines, messages of several lines, odd bytes."""

import base64
import gzip
import os
import re

import pytest

from support.shipping import Shipping, numbered, read, text
from torture.records import source_key

LONG = 1_572_864


def test_an_unfinished_line_waits_and_is_shipped_whole(world):
    shipping, shipper = world()
    shipping.append(text(numbered("a", 2)) + b"Nov 22 22:16:10 web1 drupal: half")
    with shipper:
        shipper.catch_up(2)
        with shipper.away():
            shipping.append(b" of a")
        assert shipping.lines() == numbered("a", 2)
        shipping.append(b" line\n")
        shipper.catch_up(3)
    shipping.assert_bytes(read(shipping.log))
    assert "Nov 22 22:16:10 web1 drupal: half of a line" in shipping.lines()


@pytest.mark.parametrize("packed", [False, True])
def test_the_last_line_of_a_finished_file_is_shipped_without_its_line_feed(world, packed):
    shipping, shipper = world(rotate_wait="1s")
    content = text(numbered("a", 2)) + b"Nov 22 22:16:10 web1 drupal: the last words"
    shipping.append(content)
    with shipper:
        shipper.catch_up(2)
        with shipper.away():
            if packed:
                with gzip.open(shipping.log + ".1.gz", "wb") as file:
                    file.write(content)
                os.unlink(shipping.log)
            else:
                os.rename(shipping.log, shipping.log + ".1")
            shipping.append(numbered("b", 1))
        shipper.catch_up(4)
    shipping.assert_bytes(content, text(numbered("b", 1)))
    assert sum(line.endswith("the last words") for line in shipping.lines()) == 1


def test_the_unfinished_line_of_a_rotated_file_waits_for_its_writer(world):
    shipping, shipper = world(rotate_wait="60s")
    with open(shipping.log, "ab", buffering=0) as daemon, shipper:
        daemon.write(text(numbered("a", 2)) + b"Nov 22 22:16:10 web1 drupal: half")
        shipper.catch_up(2)
        os.rename(shipping.log, shipping.log + ".1")
        shipping.append(numbered("b", 2))
        daemon.write(b" and half\n")
        shipper.catch_up(5)
    shipping.assert_bytes(read(shipping.log + ".1"), read(shipping.log))


@pytest.mark.parametrize("size", [LONG, pytest.param(24 << 20, marks=pytest.mark.slow)])
def test_a_line_longer_than_a_record_is_split_and_stops_nothing(world, size):
    shipping, shipper = world()
    line = ("Nov 22 22:16:10 web1 drupal: " + "é€😀0123456789" * (size // 19 + 1)).encode()[:size]
    line = line.decode("utf-8", "ignore").encode()
    content = text(numbered("a", 3)) + line + b"\n" + text(numbered("b", 3))
    with shipper:
        shipping.append(content)
        shipper.catch_up(6 + len(line) // (1 << 20) + 1, 60)
    shipping.assert_bytes(content)
    pieces = sorted((source_key(r.key).offset, r.data) for r in shipping.records() if len(r.data) > 1_000)
    assert b"".join(data for _, data in pieces) == line
    for _, data in pieces:
        data.decode()   # no piece is cut inside a character
    assert sum(f["lines_split"] for f in shipper.report["files"]) == 1


def test_a_line_longer_than_a_record_is_cut_where_the_job_says_so(world):
    shipping, shipper = world(long_lines="cut")
    line = b"Nov 22 22:16:10 web1 drupal: " + b"0123456789" * 200_000
    content = text(numbered("a", 3)) + line + b"\n" + text(numbered("b", 3))
    with shipper:
        shipping.append(content)
        shipper.catch_up(7)
    shipping.assert_bytes(content, long_lines="cut")
    assert shipping.count() == 7
    cut = next(r for r in shipping.records() if len(r.data) > 1_000)
    assert len(cut.data) + len(cut.key) <= 1 << 20
    assert sum(f["lines_cut"] for f in shipper.report["files"]) == 1


@pytest.mark.parametrize("limit", ["64KiB", "2MiB"])
def test_the_limit_of_a_record_is_a_setting(scenario, limit):
    most = {"64KiB": 64 << 10, "2MiB": 2 << 20}[limit]
    shipping = Shipping(scenario, settings={"record_bytes": most},
                        destination={"record_bytes": limit, "aggregate": "none"})
    lines = ["Nov 22 22:16:10 web1 drupal: " + letter * 1_200_000 for letter in "xy"] + numbered("a", 3)
    shipping.append(lines)
    shipping.run()
    shipping.assert_bytes(read(shipping.log), record_bytes=most)
    sizes = [len(r.data) + len(r.key) for r in shipping.records()]
    assert max(sizes) <= most
    assert (len(sizes) == 5) == (limit == "2MiB")


MESSAGE = ["Nov 22 22:16:10 web1 drupal: PDOException: SQLSTATE[42S02]", "Array", "(", "    [:p] => 1", "", ")"]


def test_lines_without_a_header_belong_to_the_record_before(world):
    shipping, shipper = world(multiline="join")
    with shipper:
        shipping.append(numbered("a", 2) + MESSAGE + numbered("b", 1))
        shipper.catch_up(9)
        shipping.append(MESSAGE)     # nothing comes after it that would end it
        shipper.catch_up(15)
    shipping.assert_bytes(read(shipping.log))
    joined = "\n".join(MESSAGE).encode()
    assert sorted(r.data for r in shipping.records()) == sorted(
        [line.encode() for line in numbered("a", 2) + numbered("b", 1)] + [joined, joined])


def test_lines_without_a_header_are_records_of_their_own_where_the_job_says_so(world):
    shipping, shipper = world(multiline="off")
    with shipper:
        shipping.append(numbered("a", 2) + MESSAGE + numbered("b", 1))
        shipper.catch_up(9)
    shipping.assert_bytes(read(shipping.log))
    assert len(shipping.records()) == 9


@pytest.mark.slow
def test_a_message_over_the_limit_of_a_record_is_several_records(world):
    shipping, shipper = world()
    lines = ["Nov 22 22:16:10 web1 drupal: a very long message"] + ["    %06d %s" % (n, "x" * 500) for n in range(4_000)]
    with shipper:
        shipping.append(lines + numbered("b", 1))
        shipper.catch_up(4_002)
    shipping.assert_bytes(read(shipping.log))
    assert len(shipping.records()) >= 3


def test_blank_lines_are_kept(world):
    shipping, shipper = world(multiline="off")
    with shipper:
        shipping.append(b"\n\n" + text(numbered("a", 1)) + b"\n\n\n" + text(numbered("a", 1, start=1)) + b"\n")
        shipper.catch_up(8)
    shipping.assert_once(numbered("a", 2) + [""] * 6)


def test_bytes_pass_as_they_are(world):
    lines = [b"shift-jis \x82\xb1\x82\xf1\x82\xc9\x82\xbf\x82\xcd", b"utf-16 \xff\xfeh\x00i\x00", b"latin1 caf\xe9",
             b"carriage return\r", b"\r", b"nul \0 inside \0\0", b"bell \x07 escape \x1b[0m tab\t",
             b"\xf3\x89\x9a\xc2 magic", b"\x1f\x8b\x08 gzip magic", b'{"json": "object"}', b"\xef\xbb\xbfbyte order mark", b"\xc2\x85\xe2\x80\xa8"]
    shipping, shipper = world(multiline="off")
    with shipper:
        shipping.append(b"".join(line + b"\n" for line in lines))
        shipper.catch_up(len(lines))
    assert sorted(r.data for r in shipping.records()) == sorted(lines)


@pytest.mark.parametrize("aggregate", ["lines", "kpl"])
def test_aggregates_hold_many_lines_and_keep_their_size(world, aggregate):
    shipping, shipper = world(destination={"aggregate": aggregate, "aggregate_bytes": "16KiB"}, linger="1s")
    lines = numbered("a", 3_000)
    with shipper:
        shipping.append(lines)
        shipper.catch_up(3_000)
        assert shipping.count() == 3_000
    shipping.assert_bytes(read(shipping.log))
    packed = shipping.scenario.oracle()
    assert 3_000 * 48 // 16_384 <= len(packed) <= 60
    assert all(len(r["data"]) * 3 // 4 <= 17_000 for r in packed)


def test_random_keys_are_of_the_right_form_and_spread(scenario):
    shipping = Shipping(scenario, shards=4, destination={"partition_key": "random"})
    shipping.append(numbered("a", 400))
    shipping.run()
    records = shipping.scenario.oracle()
    assert len({r["partition_key"] for r in records}) == 400
    assert not any(re.search("drupal|/", r["partition_key"]) for r in records)
    counts = [sum(r["shard"] == "shardId-%012d" % n for r in records) for n in range(4)]
    assert min(counts) > 50
    shipping.assert_once(numbered("a", 400))


def test_source_keys_spread_over_the_shards(scenario):
    shipping = Shipping(scenario, shards=4)
    shipping.append(numbered("a", 400))
    shipping.run()
    counts = [sum(r["shard"] == "shardId-%012d" % n for r in shipping.scenario.oracle()) for n in range(4)]
    assert min(counts) > 50


def test_site_keys_keep_a_site_together(scenario):
    shipping = Shipping(scenario, shards=4, destination={"partition_key": "site"})
    shipping.append(["<133>2026-11-22T22:00:%02d+00:00 web1 drupal: http://site%d.example.org|%d|user|203.0.113.7|"
                     "http://site%d.example.org/user||1||line %d" % (n % 60, n % 9, 1795384800 + n % 60, n % 9, n)
                     for n in range(360)])
    shipping.run()
    records = shipping.scenario.oracle()
    keys = {}
    for record in records:
        site = re.search(rb"http://(site\d)", base64.b64decode(record["data"]))[1]
        keys.setdefault(site, set()).add(record["partition_key"])
    assert len(records) == 360 and len(keys) == 9
    assert all(len(found) == 1 for found in keys.values())
    assert len(set.union(*keys.values())) == 9
