"""COPY of JSON through a manifest and a JSONPaths file, from the local S3. Strict: an option that is not known is an
error, and so is whatever the guide says COPY refuses. The first bad row ends it (MAXERROR 0) and is written into
sys_load_error_detail, which the failed transaction does not take back.
"""

import io
import json
import re
import zlib
from urllib.parse import urlsplit

NAME = r'"((?:[^"]|"")+)"'
TEXT = r"'((?:[^'\\]|''|\\.)*)'"
STATEMENT = re.compile(
    r"\s*COPY\s+%s\.%s\s*\(([^)]*)\)\s*FROM\s+%s\s+IAM_ROLE\s+%s(.*)" % (NAME, NAME, TEXT, TEXT), re.S | re.I)
OPTIONS = [
    ("region", r"REGION\s+" + TEXT), ("json", r"FORMAT\s+(?:AS\s+)?JSON\s+(?:AS\s+)?" + TEXT), ("gzip", r"(GZIP)"),
    ("manifest", r"(MANIFEST)"), ("timeformat", r"TIMEFORMAT\s+(?:AS\s+)?" + TEXT), ("compupdate", r"COMPUPDATE\s+(OFF)"),
    ("statupdate", r"STATUPDATE\s+(OFF)"), ("maxerror", r"MAXERROR\s+(0)"),
]
ROW_BYTES_MAX = 4 << 20
INTEGERS = {"smallint": (-2**15, 2**15 - 1), "integer": (-2**31, 2**31 - 1), "bigint": (-2**63, 2**63 - 1)}
TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:?\d{2})?")
REFUSED = re.compile("[\ufdd0-\ufdef\ufffe\uffff]")


class CopyFailed(Exception):
    """The whole COPY fails with this text."""


class BadRow(Exception):
    def __init__(self, code, message, column=None, value=None):
        super().__init__(message)
        self.code, self.message, self.column, self.value = code, message, column, value


def unquoted(text):
    return re.sub(r"\\(.)", r"\1", text.replace("''", "'"))


class Copy:
    def __init__(self, statement):
        found = STATEMENT.fullmatch(statement)
        if found is None:
            raise CopyFailed("ERROR: syntax error in COPY")
        self.schema, self.table = (name.replace('""', '"') for name in found.group(1, 2))
        self.columns = [c.strip().strip('"') for c in found.group(3).split(",")]
        self.manifest_url, self.role = (unquoted(text) for text in found.group(4, 5))
        self.options, rest = {}, found.group(6)
        for name, pattern in OPTIONS:
            option = re.search(r"\b" + pattern, rest, re.I)
            if option is not None:
                self.options[name] = unquoted(option.group(1))
                rest = rest[:option.start()] + rest[option.end():]
        if rest.strip().strip(";").strip():
            raise CopyFailed("ERROR: syntax error at or near \"%s\"" % rest.split()[0])
        for needed in ("json", "gzip", "manifest"):
            if needed not in self.options:
                raise CopyFailed("ERROR: this COPY is not emulated without " + needed)
        if self.options.get("timeformat", "").lower() != "auto":
            raise CopyFailed("ERROR: this COPY is not emulated without TIMEFORMAT 'auto'")
        if re.fullmatch(r"arn:aws[a-z-]*:iam::\d{12}:role/.+", self.role) is None:
            raise CopyFailed("ERROR: invalid IAM_ROLE " + self.role)

    def run(self, connection, read_object, report):
        """Loads; the count of rows. `read_object(bucket, key)` is None for a missing key; `report(**columns)` notes a
        row that stopped it."""
        types = self._types(connection)
        paths = self._paths(read_object)
        rows, count = io.BytesIO(), 0
        for url in self._entries(read_object):
            bucket, key = split(url)
            data = read_object(bucket, key)
            if data is None:
                raise CopyFailed("ERROR: Problem reading manifest file - S3ServiceException: The specified key does not "
                                 "exist., Status 404, Error NoSuchKey, " + key)
            count += self._load(url, data, paths, types, rows, report)
        rows.seek(0)
        names = ", ".join('"%s"' % c for c in self.columns)
        connection.run('COPY "%s"."%s" (%s) FROM STDIN' % (self.schema, self.table, names), stream=rows)
        return count

    def _types(self, connection):
        found = connection.run(
            "SELECT column_name, data_type, character_maximum_length, is_nullable FROM information_schema.columns "
            "WHERE table_schema = :schema AND table_name = :table", schema=self.schema, table=self.table)
        types = {name: (kind, width, nullable == "YES") for name, kind, width, nullable in found}
        if not types:
            raise CopyFailed('ERROR: Cannot COPY into nonexistent table %s' % self.table)
        for column in self.columns:
            if column not in types:
                raise CopyFailed('ERROR: column "%s" of relation "%s" does not exist' % (column, self.table))
        return [(column,) + types[column] for column in self.columns]

    def _paths(self, read_object):
        document = self._json(read_object, self.options["json"], "JSONPaths")
        paths = document.get("jsonpaths") if isinstance(document, dict) else None
        names = [re.fullmatch(r"\$\['([^']+)'\]|\$\.(\w+)", path) for path in paths or []]
        if not names or None in names:
            raise CopyFailed("ERROR: Invalid JSONPath format")
        if len(names) != len(self.columns):
            raise CopyFailed("ERROR: Number of jsonpaths and the number of columns should match. JSONPath size: %d, "
                             "Number of columns in table or column list: %d" % (len(names), len(self.columns)))
        return [name.group(1) or name.group(2) for name in names]

    def _entries(self, read_object):
        document = self._json(read_object, self.manifest_url, "manifest")
        entries = document.get("entries") if isinstance(document, dict) else None
        if not entries:
            raise CopyFailed("ERROR: Problem reading manifest file - Invalid manifest")
        urls = [entry["url"] for entry in entries]
        for entry in entries:
            if entry.get("mandatory") is not True:
                raise CopyFailed("ERROR: here every entry of a manifest must be mandatory: " + entry["url"])
            data = read_object(*split(entry["url"]))
            if data is not None and len(data) != entry.get("meta", {}).get("content_length", len(data)):
                raise CopyFailed("ERROR: content_length of %s is not its length" % entry["url"])
        return urls

    def _json(self, read_object, url, what):
        bucket, key = split(url)
        data = read_object(bucket, key)
        if data is None:
            raise CopyFailed("ERROR: The specified S3 prefix '%s' does not exist (%s)" % (key, what))
        try:
            return json.loads(data)
        except ValueError:
            raise CopyFailed("ERROR: Problem reading %s file - not JSON" % what)

    def _load(self, url, data, paths, types, rows, report):
        # One member: whether Redshift reads more of them is not documented.
        inflater = zlib.decompressobj(31)
        try:
            text = inflater.decompress(data) + inflater.flush()
        except zlib.error:
            raise CopyFailed("ERROR: S3 object %s is no gzip file" % url)
        lines = text.split(b"\n")
        if lines[-1] == b"":
            lines.pop()
        for number, line in enumerate(lines, 1):
            try:
                rows.write(self._row(line, paths, types))
            except BadRow as bad:
                kind = next((t for t in types if t[0] == bad.column), (None, None, None, None))
                report(file_name=url, line_number=number, column_name=bad.column, column_type=kind[1],
                       column_length=str(kind[2] or 0), error_code=bad.code, error_message=bad.message)
                raise CopyFailed("ERROR: Load into table '%s' failed. Check 'sys_load_error_detail' system table for "
                                 "details." % self.table)
        return len(lines)

    def _row(self, line, paths, types):
        if len(line) + line.count(b"|") > ROW_BYTES_MAX:
            raise BadRow(1224, "Input row exceeds 4 MB")
        try:
            row = json.loads(line.decode("utf-8"))
        except UnicodeDecodeError:
            raise BadRow(1220, "String contains invalid or unsupported UTF8 codepoints")
        except ValueError:
            raise BadRow(1216, "Invalid JSONPath format or row: not JSON")
        if not isinstance(row, dict):
            raise BadRow(1216, "Invalid JSON: not an object")
        return b"\t".join(self._value(row.get(path), *kind) for path, kind in zip(paths, types)) + b"\n"

    def _value(self, value, column, kind, width, nullable):
        if value is None:
            if not nullable:
                raise BadRow(1213, "Missing data for not-null field", column)
            return b"\\N"
        if kind in INTEGERS:
            low, high = INTEGERS[kind]
            if isinstance(value, bool) or not isinstance(value, int):
                raise BadRow(1207, "Invalid digit, Value %r, Type: %s" % (str(value)[:1], kind), column)
            if not low <= value <= high:
                raise BadRow(1216, "Overflow for %s" % kind, column)
            return str(value).encode()
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if kind.startswith("timestamp"):
            if TIME.fullmatch(text) is None:
                raise BadRow(1206, "Invalid timestamp format or value [auto]", column)
            return text.encode()
        if "\x00" in text:
            raise BadRow(1220, "Invalid null byte - field longer than 1 byte", column)
        if REFUSED.search(text):
            raise BadRow(1220, "String contains invalid or unsupported UTF8 codepoints", column)
        data = text.encode("utf-8", "surrogatepass")
        if width is not None and len(data) > width:
            raise BadRow(1204, "String length exceeds DDL length", column)
        return data.replace(b"\\", b"\\\\").replace(b"\t", b"\\t").replace(b"\n", b"\\n").replace(b"\r", b"\\r")


def split(url):
    parts = urlsplit(url, allow_fragments=False)
    if parts.scheme != "s3" or not parts.netloc:
        raise CopyFailed("ERROR: Invalid S3 URL " + url)
    return parts.netloc, url[len("s3://") + len(parts.netloc) + 1:]
