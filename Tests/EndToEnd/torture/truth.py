"""What was really written. An incarnation is the content of one file between two rotations: a rename begins a new one
under the old name, a truncation begins a new one in the same inode. It is known by no hash and no inode: the writer
made it."""

import json
import os
import re

# At the head of a line: the hole that a writer leaves that goes on at its old offset after a truncation.
NUL_RUN = re.compile(rb"\0*")


class Incarnation:
    """`content` is every byte that was ever in the file, in order."""

    def __init__(self, number, file, content=b"", names=(), is_active=True, losable=(), ends=()):
        self.number = number
        self.file = file                # base name of the path that the daemon writes to
        self.content = content
        self.names = {file, *names}     # base names that it had, the copies' included
        self.is_active = is_active      # False: nothing is added to it any more
        self.losable = [tuple(r) for r in losable]  # [start, end): only in a file that was truncated unread
        self.ends = set(ends)           # where the content may end although no LF stands there

    def lines(self):
        """(start, end) of every line that was written whole; the LF stands at `end`. NULs at its head are skipped."""
        start = 0
        while True:
            end = self.content.find(b"\n", start)
            if end < 0:
                return
            yield NUL_RUN.match(self.content, start, end).end(), end
            start = end + 1

    def line_at(self, offset):
        """(start, end) of the line that holds `offset`; the end of the content ends it too."""
        start = self.content.rfind(b"\n", 0, offset) + 1
        end = self.content.find(b"\n", offset)
        end = len(self.content) if end < 0 else end
        return NUL_RUN.match(self.content, start, end).end(), end

    def may_be_lost(self, end):
        """True when the line that ends at `end` was truncated before anybody could be expected to have read it."""
        return any(first <= end < last for first, last in self.losable)

    def may_end_at(self, offset):
        return offset in self.ends or offset == len(self.content) and not self.is_active


def save(directory, incarnations):
    """Writes the truth; returns the path of its index."""
    index = []
    for each in incarnations:
        name = "%06d.content" % each.number
        with open(os.path.join(directory, name), "wb") as file:
            file.write(each.content)
        index.append({"number": each.number, "file": each.file, "content": name, "names": sorted(each.names),
                      "is_active": each.is_active, "losable": each.losable, "ends": sorted(each.ends)})
    path = os.path.join(directory, "truth.json")
    with open(path, "w") as file:
        json.dump(index, file)
    return path


def load(path):
    with open(path) as file:
        index = json.load(file)
    result = []
    for fields in index:
        with open(os.path.join(os.path.dirname(path), fields.pop("content")), "rb") as file:
            result.append(Incarnation(content=file.read(), **fields))
    return result
