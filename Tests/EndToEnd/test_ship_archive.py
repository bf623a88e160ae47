"""The whole way: file → ship → stream → archive → S3. Each line is one row, and the row says which bytes of which file it
was: the test reads the file there and compares."""

import base64
import collections
import gzip
import os

import pytest

from support.program import REPOSITORY
from support.shipping import Shipping, read

AGGREGATES = ("none", pytest.param("lines", marks=pytest.mark.slow), pytest.param("kpl", marks=pytest.mark.slow))


@pytest.fixture(params=AGGREGATES)
def shipping(scenario, request):
    packing = {"aggregate": request.param}
    if request.param != "none":
        packing["aggregate_bytes"] = "8KiB"
    shipping = Shipping(scenario, ("drupal.log", "web.log"), shards=2, destination=packing)
    scenario.write_job(transform={"raw_line": "always"})
    for path in shipping.files:
        shipping.append(b"", path)
    return shipping


def drupal_lines(word, count, host="web1"):
    return ["<%d>2026-11-22T22:%02d:%02d+00:00 %s drupal: http://site%d.example.org|%d|user|203.0.113.7|"
            "http://site%d.example.org/user?a=é|http://site%d.example.org/|%d||%s line %05d %s" % (
                128 + n % 8, n // 60 % 60, n % 60, host, n % 5, 1795384800 + n, n % 5, n % 5, n % 3, word, n,
                "x" * (n * 37 % 900)) for n in range(count)]


def archived(shipping):
    """The rows that are in S3, checked by the archive's own auditor."""
    scenario = shipping.scenario
    scenario.archive(timeout=300)
    audit = scenario.audit()
    report = scenario.archive().report
    assert report["totals"]["records"] == 0
    return audit.rows


def raw_bytes(row):
    """The line as it came: in base64 when it is no UTF-8."""
    return base64.b64decode(row["raw_base64"]) if "raw_base64" in row else row["raw_line"].encode()


def assert_rows_tell_their_bytes(rows, files):
    """`files`: the contents that a name stood for, in order. Each row is one line of one of them, and none is left."""
    generations = collections.defaultdict(list)
    for row in rows:
        raw, offset = raw_bytes(row), row["source_offset"]
        fits = [number for number, content in enumerate(files[row["source_file"]])
                if content[offset:offset + len(raw) + 1] == raw + b"\n" and (offset == 0 or content[offset - 1] == 10)]
        assert fits, (row["source_file"], offset, raw[:100])
        generations[row["source_file"]].append((fits[0], offset, raw))
    for name, contents in files.items():
        found = sorted(generations[name])
        wanted = []
        for number, content in enumerate(contents):
            offset = 0
            for line in content.split(b"\n")[:-1]:
                wanted.append((number, offset, line))
                offset += len(line) + 1
        assert found == wanted, name
    assert len({row["source_host"] for row in rows}) == 1


def test_rows_are_lines_and_tell_their_bytes_over_rotations(shipping):
    log, web = shipping.files
    shipping.append(drupal_lines("first", 400), log)
    shipping.append(drupal_lines("web", 150), web)
    shipping.run()
    shipping.append(drupal_lines("second", 100), log)
    os.rename(log, log + ".1")
    shipping.append(drupal_lines("third", 300), log)
    shipping.run()
    rows = archived(shipping)
    assert len(rows) == 950
    assert_rows_tell_their_bytes(rows, {"drupal.log": [read(log + ".1"), read(log)], "web.log": [read(web)]})
    assert collections.Counter(row["parse_status"] for row in rows) == {"ok": 950}


@pytest.mark.slow
def test_rows_tell_their_bytes_while_files_are_written_and_rotated(shipping):
    log, web = shipping.files
    contents = []
    with shipping.follow() as follower:
        total = 0
        for number in range(4):
            for part in range(5):
                shipping.append(drupal_lines("f%d-%d" % (number, part), 60), log)
                shipping.append(drupal_lines("w%d-%d" % (number, part), 20), web)
                total += 80
                follower.wait_for(lambda: shipping.count() >= total - 160, what="the shipper to keep up")
            contents.append(read(log))
            os.rename(log, "%s-2026112%d" % (log, number))
        contents.append(b"")
        shipping.append(drupal_lines("last", 60), log)
        contents[-1] = read(log)
        follower.wait_for_lines(total + 60)
    rows = archived(shipping)
    assert_rows_tell_their_bytes(rows, {"drupal.log": contents, "web.log": [read(web)]})


def test_a_message_of_several_lines_is_one_row_where_it_begins(shipping):
    message = "Nov 22 22:16:10 web1 drupal: PDOException: Array\n(\n    [:p] => 1\n)\n"
    parts = [(line + "\n").encode() for line in drupal_lines("before", 3)] + [message.encode()] + [
        (line + "\n").encode() for line in drupal_lines("after", 3)]
    shipping.append(b"".join(parts))
    shipping.run()
    rows = sorted(archived(shipping), key=lambda row: row["source_offset"])
    offset = 0
    assert len(rows) == len(parts)
    for row, part in zip(rows, parts):
        assert (row["source_offset"], row["raw_line"].encode() + b"\n") == (offset, part)
        offset += len(part)


def test_a_line_that_came_twice_is_told_by_its_source(shipping):
    """A lost answer: two records, two rows, one place in the file."""
    shipping.append(drupal_lines("twice", 200))
    shipping.scenario.fault("lose_answer", {"operation": "PutRecords"}, nth=1)
    shipping.run()
    rows = archived(shipping)
    places = collections.Counter((row["source_file"], row["source_offset"]) for row in rows)
    assert len(rows) > 200 and len(places) == 200
    by_place = collections.defaultdict(set)
    for row in rows:
        by_place[row["source_offset"]].add(row["raw_line"])
    assert all(len(texts) == 1 for texts in by_place.values())


@pytest.mark.slow
def test_captured_drupal_lines_come_through_whole(shipping):
    """6,000 genuine lines, some of them no UTF-8 and some of 64 KiB."""
    with gzip.open(os.path.join(REPOSITORY, "Tests", "Data", "drupal", "main", "drupal-pri-iso.log.gz")) as file:
        content = file.read()
    shipping.append(content)
    shipping.run(timeout=300)
    rows = archived(shipping)
    assert_rows_tell_their_bytes(rows, {"drupal.log": [content]})
