"""Checks a gzip object as strictly as RFC 1952 allows: one member, right CRC and size, nothing before or after."""

import struct
import zlib


class GzipProblem(Exception):
    pass


def rows_of(data):
    """The uncompressed bytes of exactly one gzip member with mtime 0, or GzipProblem."""
    if data[:3] != b"\x1f\x8b\x08":
        raise GzipProblem("no gzip header")
    flags, mtime, _, system = struct.unpack("<BIBB", data[3:10])
    if flags != 0 or mtime != 0 or system != 255:
        raise GzipProblem("header: flags %d, mtime %d, operating system %d" % (flags, mtime, system))
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        rows = inflater.decompress(data[10:]) + inflater.flush()
    except zlib.error as problem:
        raise GzipProblem("deflate stream: %s" % problem)
    if not inflater.eof:
        raise GzipProblem("the deflate stream has no end")
    trailer = inflater.unused_data
    if len(trailer) != 8:
        raise GzipProblem("%d bytes after the deflate stream instead of 8: cut, or a second member" % len(trailer))
    crc, size = struct.unpack("<II", trailer)
    if crc != zlib.crc32(rows) or size != len(rows) & 0xFFFFFFFF:
        raise GzipProblem("CRC or size of the trailer is wrong")
    return rows
