"""What Redshift's COPY from JSON accepts, written from its documentation and from nothing of the program's.

- One object has at most 4 MB, and so has a row, in which `|` counts twice.
- VARCHAR(n) holds n bytes of UTF-8. U+0000 is refused; so are surrogates, U+FDD0 to U+FDEF, U+FFFE and U+FFFF.
- TIMEFORMAT 'auto' takes ISO 8601 with up to six fraction digits.
- Objects may only be separated by white space; a gzip file of several members is not documented to be read to its end.
https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-json.html
https://docs.aws.amazon.com/redshift/latest/dg/multi-byte-character-load-errors.html
"""

import datetime
import json
import re
import zlib

ROW_BYTES_MAX = 4_000_000
RANGES = {"SMALLINT": 1 << 15, "INTEGER": 1 << 31, "BIGINT": 1 << 63}
TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?Z")


class Table:
    """The columns of a CREATE TABLE statement, in order."""

    def __init__(self, ddl):
        found = re.findall(r'^    "(\w+)" +([A-Z]+)(?:\((\d+)\))? +ENCODE \w+( NOT NULL)?,?$', ddl, flags=re.M)
        assert found, ddl
        self.columns = {name: (kind, int(width) if width else None, bool(required))
                        for name, kind, width, required in found}


class JSONPaths:
    """A JSONPaths file: the value of each path, in order."""

    def __init__(self, text):
        paths = json.loads(text)["jsonpaths"]
        self.keys = [re.fullmatch(r"\$\['(\w+)'\]", path).group(1) for path in paths]

    def values(self, row):
        return [row.get(key) for key in self.keys]


def inflate(data):
    """The content of a gzip file of exactly one member."""
    member = zlib.decompressobj(16 + zlib.MAX_WBITS)
    content = member.decompress(data) + member.flush()
    assert member.eof and not member.unused_data, "not one whole gzip member"
    return content


def faults_of_text(text):
    return [hex(ord(c)) for c in text
            if c == "\0" or 0xD800 <= ord(c) <= 0xDFFF or 0xFDD0 <= ord(c) <= 0xFDEF or ord(c) in (0xFFFE, 0xFFFF)]


def faults_of_value(value, kind, width):
    if kind == "VARCHAR":
        if not isinstance(value, str):
            return ["is no text"]
        bad = faults_of_text(value)
        if bad:
            return ["holds " + ", ".join(bad[:3])]
        length = len(value.encode())
        return ["has %d bytes" % length] if length > width else []
    if kind == "TIMESTAMP":
        match = TIME.fullmatch(value) if isinstance(value, str) else None
        if not match:
            return ["is no time that 'auto' takes"]
        try:
            datetime.datetime.fromisoformat(match.group(1))
        except ValueError as error:
            return ["is no time: %s" % error]
        return []
    if isinstance(value, bool) or not isinstance(value, int):
        return ["is no whole number"]
    return [] if -RANGES[kind] <= value < RANGES[kind] else ["is out of range"]


def _unique(pairs):
    assert len(dict(pairs)) == len(pairs), "a key stands twice"
    return dict(pairs)


def faults(line, table, paths):
    """What COPY would refuse or lose of one line; empty when it loads as it is."""
    if line.count(b"\n") != 1 or not line.endswith(b"\n"):
        return ["is not one line"]
    if len(line) + line.count(b"|") > ROW_BYTES_MAX:
        return ["has %d bytes" % len(line)]
    try:
        row = json.loads(line.decode(), object_pairs_hook=_unique)
    except (ValueError, AssertionError) as error:
        return ["is no JSON object: %s" % error]
    found = ["%s is in no path" % key for key in row if key not in paths.keys]
    for name, (kind, width, required) in table.columns.items():
        value = row.get(name)
        if value is None:
            if required:
                found.append(name + " is missing")
            continue
        found += ["%s %s" % (name, fault) for fault in faults_of_value(value, kind, width)]
    return found + faults_of_cuts(row, table) + faults_of_json(row)


def faults_of_cuts(row, table):
    """A column that is said to be cut is full but for less than a character, or was JSON and is left out."""
    found = []
    for name in filter(None, row.get("truncated_fields", "").split(",")):
        value, width = row.get(name), table.columns.get(name, (None, None, None))[1]
        if width is None:
            found.append("%s is said to be cut and is no text column" % name)
        elif value is None:
            if name != "structured_data":
                found.append("%s is cut to nothing" % name)
        elif name != "structured_data" and len(value.encode()) < width - 3:
            found.append("%s is said to be cut at %d bytes" % (name, len(value.encode())))
    return found


def faults_of_json(row):
    """JSON_PARSE takes the text, with what its escapes stand for."""
    if "structured_data" not in row:
        return []
    try:
        value = json.loads(row["structured_data"], parse_constant=_refuse)
    except ValueError as error:
        return ["structured_data: %s" % error]
    if not isinstance(value, dict):
        return ["structured_data is no object"]
    bad = [fault for text in _texts(value) for fault in faults_of_text(text)]
    return ["structured_data holds %s" % bad[0]] if bad else []


def _refuse(word):
    raise ValueError(word + " is no JSON")


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
