"""Whatever bytes come, each row loads: `sluice transform` against a checker written from the rules of COPY, and the
rows themselves into PostgreSQL."""

import base64
import gzip
import json
import os
import random
import subprocess

import pytest

from support.copyrules import JSONPaths, Table, faults
from support.loading import LoadedRows
from support.program import REPOSITORY, Program, binary

SEED = int(os.environ.get("SLUICE_SEED") or random.SystemRandom().randrange(1 << 32))
ODD = [b"|", b"\\", b'"', b"\0", b"\xef\xbf\xbe", b"\xef\xbf\xbf", b"\xef\xb7\x90", b"\xef\xb7\xaf", b"\xed\xa0\x80",
       b"\xf4\x90\x80\x80", b"\xff", b"\xc3", b"\xc3\xa9", b"\xe2\x82\xac", b"\xf0\x9f\x92\xa9", b"\xf0\x9f\xbf\xbe", b"\r",
       b"\t", b"\x1b", b"\x7f", b"\xc2\x85", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"{", b"}", b"[", b"]", b"=", b"<13>", b": "]


def noise(rng, longest):
    """Odd pieces, alone and many times over; a line feed never, since it ends the line."""
    out = b""
    for _ in range(rng.randrange(1, 8)):
        piece = rng.choice(ODD) if rng.random() < 0.7 else bytes([rng.randrange(256)]) + rng.randbytes(rng.randrange(9))
        out += piece * (1 if rng.random() < 0.9 else rng.randrange(1, longest))
    return out.replace(b"\n", b" ")


def drupal(rng, longest):
    """A Drupal line with a field or more gone wrong."""
    fields = [b"http://site%03d.example.org" % rng.randrange(100), b"%d" % rng.randrange(1_700_000_000, 1_800_000_000),
              b"php", b"203.0.113.9", b"http://site001.example.org/node", b"", b"%d" % rng.randrange(9), b"edit", b"Notice."]
    for _ in range(rng.randrange(1, 4)):
        n = rng.randrange(len(fields))
        fields[n] = rng.choice([noise(rng, longest), fields[n] + noise(rng, longest), b"9" * rng.randrange(1, 40), b"-1"])
    return b"<131>2026-11-22T22:%02d:07+00:00 web01 drupal: " % rng.randrange(60) + b"|".join(fields)


def structured(rng, longest):
    data = b"".join(b'[%s %s="%s"]' % (rng.choice([b"a@1", noise(rng, 9)]), rng.choice([b"k", noise(rng, 9)]),
                                       noise(rng, longest)) for _ in range(rng.randrange(1, 4)))
    return b"<%d>1 2026-11-22T22:16:10.%06dZ host app 7 id %s message %s" % (
        rng.randrange(192), rng.randrange(1_000_000), data, noise(rng, longest))


def fluentd(rng, longest):
    """JSON with escapes that no text may hold."""
    text = rng.choice(["\\u0000", "\\ud800", "\\udc00\\ud800", "\\ufffe", "\\ufdd0", "\\uD83D\\uDCA9", "|", "\\n", "x"])
    many = text * (1 if rng.random() < 0.8 else rng.randrange(1, longest))
    nested = "" if rng.random() < 0.3 else ',"structured_data":{"a@1":{"k":"%s","n":[-0.5e7,{"%s":null}]},"b":"' % (
        rng.choice([text, many]), text)
    start = ('{"host":"h%s","ident":"drupal","pid":"%d","message":"%s","time":"%s"' % (
        text, rng.randrange(1 << 40), many, rng.choice(["Nov 22 22:16:10", "2026-11-22 22:16:10", "soon"]))) + nested
    return start.encode() + (rng.choice([b"", b"\xff", b"\xc3\xa9"]) * rng.choice([1, 9, 6_000]) + b'"}' if nested else b"") + b"}"


def hostile(rng, captured):
    longest = 70_000 if rng.random() < 0.004 else 300
    kind = rng.randrange(6)
    if kind == 0:
        return noise(rng, longest)
    if kind == 1:
        return drupal(rng, longest)
    if kind == 2:
        return structured(rng, longest)
    if kind == 3:
        return fluentd(rng, longest)
    if kind == 4:
        return b"<%d>Nov 22 22:16:10 %s %s[%s]: %s" % (
            rng.randrange(300), noise(rng, 9), noise(rng, 9), noise(rng, 9), noise(rng, longest))
    line = rng.choice(captured)
    at = rng.randrange(len(line) + 1)
    return line[:at] + noise(rng, longest) + line[at + rng.randrange(4):]


@pytest.fixture(scope="module")
def captured():
    with gzip.open(os.path.join(REPOSITORY, "Tests", "Data", "drupal", "main", "drupal-pri-iso.log.gz")) as file:
        return file.read().split(b"\n")[:-1]


@pytest.fixture
def program(tmp_path):
    return Program({}, tmp_path)


@pytest.fixture
def table(program):
    ddl = program.run("redshift", "ddl", "--super").stdout
    return ddl, Table(ddl), JSONPaths(program.run("redshift", "jsonpaths").stdout)


def transform(program, lines):
    """The rows that `sluice transform` makes of the lines, as bytes."""
    source, target = os.path.join(program.directory, "lines"), os.path.join(program.directory, "rows")
    with open(source, "wb") as file:
        file.write(b"".join(line + b"\n" for line in lines))
    with open(source, "rb") as stdin, open(target, "wb") as stdout:
        subprocess.run([binary(), "transform", "--arrival", "2026-11-22T22:20:00Z"], stdin=stdin, stdout=stdout,
                       env=program.environment, check=True, timeout=400)
    with open(target, "rb") as file:
        return [row + b"\n" for row in file.read().split(b"\n")[:-1]]


@pytest.mark.parametrize("count, seed", [(5_000, 1), (5_000, SEED), pytest.param(100_000, SEED, marks=pytest.mark.slow)])
def test_any_line_is_a_row_that_loads(program, table, postgres, captured, count, seed):
    print("seed %d: SLUICE_SEED=%d repeats it" % (seed, seed))
    rng = random.Random(seed)
    _, columns, paths = table
    lines = [hostile(rng, captured) for _ in range(count)]
    rows = transform(program, lines)
    assert len(rows) == len(lines)
    cut = replaced = 0
    for line, row in zip(lines, rows):
        found = faults(row, columns, paths)
        assert not found, "seed %d: %s\n%r\n%r" % (seed, found, line[:300], row[:600])
        cut += b'"truncated_fields"' in row
        replaced += "\ufffd".encode() in row
    # The lines are as bad as they are meant to be.
    assert cut > count // 2_000 and replaced > count // 20, (cut, replaced)
    database = postgres.database()
    LoadedRows(program, database).load(rows)
    # What has JSON text has it in the view as a value: jsonb refuses U+0000 and surrogates, as JSON_PARSE does.
    with_data, parsed = database.sql("SELECT (SELECT count(structured_data) FROM drupal_log), count(structured_data) "
                                     "FROM drupal_log_super")[0]
    assert with_data == parsed and int(parsed) > count // 30


def real_lines():
    """Lines that programs wrote: Drupal through syslog-ng in each of its forms, and those of other projects' tests."""
    for folder, name in [("main", "drupal.log.gz"), ("main", "drupal-pri-iso.log.gz"), ("main", "drupal-5424.log.gz"),
                         ("php-filter-raw", "drupal.log.gz")]:
        with gzip.open(os.path.join(REPOSITORY, "Tests", "Data", "drupal", folder, name)) as file:
            yield "%s/%s" % (folder, name), file.read().split(b"\n")[:-1]
    with open(os.path.join(REPOSITORY, "Tests", "Data", "cases", "syslog_cases.jsonl")) as file:
        cases = [base64.b64decode(json.loads(line)["input_b64"]) for line in file]
    yield "syslog_cases", [line for line in cases if b"\n" not in line]


@pytest.mark.parametrize("lines", [pytest.param(lines, id=name) for name, lines in real_lines()])
def test_real_lines_are_rows_that_load_with_exact_types_and_widths(program, table, postgres, lines):
    _, columns, paths = table
    rows = transform(program, lines)
    assert len(rows) == len(lines) > 50
    for line, row in zip(lines, rows):
        assert not faults(row, columns, paths), (line, row)
    LoadedRows(program, postgres.database()).load(rows)


def test_the_loader_finds_what_did_not_load_as_it_is(program, postgres):
    """What the tests above are worth."""
    good = {"event_time": "2026-11-22T22:16:10.50Z", "event_time_source": "syslog", "parse_status": "ok", "severity": 3,
            "arrival_time": "2026-11-22T22:16:10Z", "message": "tab\t\\ \u20ac\n"}
    loaded = LoadedRows(program, postgres.database())
    loaded.load([json.dumps(good).encode()])
    for change in ({"host": "\u20ac" * 86}, {"severity": 1 << 15}, {"severity": "x"}, {"event_time": "soon"},
                   {"parse_status": None}, {"severity": "3"}, {"message": 3}, {"arrival_time": "2026-11-22 22:16:10 "}):
        with pytest.raises(AssertionError):
            loaded.load([json.dumps(dict(good, **change)).encode()])


def test_pipes_count_twice_and_still_fit(program, table):
    """The longest rows that there can be: every text column full of pipes, quotes or control characters."""
    _, columns, paths = table
    for piece in (b"|", b'"', b"\x01", b"\\", "\u20ac".encode(), b"\xff"):
        full = piece * 70_000
        line = b"<131>1 2026-11-22T22:16:10Z %s %s %s %s [a@1 k=\"%s\"] %s" % ((full[:300],) * 4 + (full, full))
        for row in transform(program, [line, b"<131>Nov 22 22:16:10 web drupal: " + b"|".join([full] * 9), full]):
            assert not faults(row, columns, paths)


def test_the_checker_finds_each_fault(table):
    """What the tests above are worth."""
    _, columns, paths = table
    good = {"event_time": "2026-11-22T22:16:10.5Z", "event_time_source": "syslog", "parse_status": "ok",
            "arrival_time": "2026-11-22T22:16:10Z"}
    assert faults((json.dumps(good) + "\n").encode(), columns, paths) == []
    for change, fault in [
            ({"host": "x" * 256}, "host has 256 bytes"), ({"host": "\u20ac" * 86}, "host has 258 bytes"),
            ({"message": "a\0b"}, "message holds 0x0"), ({"message": "\ufffe"}, "message holds 0xfffe"),
            ({"message": "\ufdd0"}, "0xfdd0"), ({"message": "\ud800"}, "0xd800"), ({"severity": 1 << 15}, "out of range"),
            ({"severity": "3"}, "no whole number"), ({"event_time": "2026-11-22 22:16:10"}, "no time"),
            ({"event_time": "2026-02-30T22:16:10Z"}, "no time"), ({"event_time": "2026-11-22T22:16:10.1234567Z"}, "no time"),
            ({"parse_status": None}, "parse_status is missing"), ({"other": 1}, "in no path"),
            ({"structured_data": "{"}, "structured_data"), ({"structured_data": '{"a":["\\u0000"]}'}, "holds 0x0"),
            ({"structured_data": '{"\\udc00":1}'}, "0xdc00"), ({"structured_data": '{"a":NaN}'}, "no JSON"), ({"truncated_fields": "host", "host": "x"}, "said to be cut")]:
        found = faults((json.dumps(dict(good, **change)) + "\n").encode(), columns, paths)
        assert len(found) == 1 and fault in found[0], (change, found)
    for line in (b"{}", b"{}\n\n", b"\n", b"[\n", b'{"a":1,"a":2}\n'):
        assert faults(line, columns, paths), line
    text = json.dumps(dict(good, message="|" * 65_535))
    assert faults((text + "\n").encode(), columns, paths) == []
    assert faults((text + " " * (4_000_000 - len(text) - 65_535) + "\n").encode(), columns, paths) != []
