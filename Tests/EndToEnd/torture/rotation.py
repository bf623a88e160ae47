"""Rotates a file as logrotate does: the same steps in the same order, names and all, each as slow as it pleases.

`plan` keys: names (numbered | dateext), compress (never | now | delayed), directory (for rotated files, or None), keep
(rotated files that deletion leaves).
"""

import gzip
import os
import shutil
import time

PIECE_BYTES = 64 << 10


class Rotated:
    """One rotated file: its path now, and whose content it holds."""

    def __init__(self, path, incarnation):
        self.path = path
        self.incarnation = incarnation

    @property
    def is_packed(self):
        return self.path.endswith(".gz")

    def move(self, path):
        os.rename(self.path, path)
        self.path = path
        self.incarnation.names.add(os.path.basename(path))


class Rotation:
    def __init__(self, path, plan, chance):
        self._path = path
        self._plan = plan
        self._chance = chance
        self._count = 0
        self._directory = plan["directory"] or os.path.dirname(path)
        self.rotated = []   # newest first

    def make_room(self):
        """What logrotate does before it touches the file itself: packs the last one (delayed) and shifts numbers."""
        if self._plan["compress"] == "delayed" and self.rotated and not self.rotated[0].is_packed:
            self.pack(self.rotated[0])
        if self._plan["names"] == "numbered":
            for index in reversed(range(len(self.rotated))):
                each = self.rotated[index]
                each.move(self._name(str(index + 2)) + (".gz" if each.is_packed else ""))

    def next_path(self):
        self._count += 1
        if self._plan["names"] == "numbered":
            return self._name("1")
        return self._name("20261122-%06d" % self._count, "-")

    def _name(self, suffix, joint="."):
        return os.path.join(self._directory, os.path.basename(self._path) + joint + suffix)

    def rename(self, incarnation):
        """`create`: the file gets its new name; what is written through an open descriptor still goes there."""
        each = Rotated(self._path, incarnation)
        each.move(self.next_path())
        self.rotated.insert(0, each)
        return each

    def copy(self, incarnation):
        """`copytruncate`, first half: a copy under the new name. The caller truncates."""
        target = self.next_path()
        with open(self._path, "rb") as source, open(target, "wb") as copy:
            shutil.copyfileobj(source, _Slow(copy, self._chance), PIECE_BYTES)
        each = Rotated(target, incarnation)
        incarnation.names.add(os.path.basename(target))
        self.rotated.insert(0, each)
        return each

    def pack(self, each):
        """The packed file grows beside the plain one, which goes when it is whole; times are those of the plain one."""
        packed = each.path + ".gz"
        status = os.stat(each.path)
        with open(each.path, "rb") as source, open(packed, "wb") as target:
            with gzip.GzipFile(fileobj=_Slow(target, self._chance), mode="wb", mtime=int(status.st_mtime)) as member:
                shutil.copyfileobj(source, member, PIECE_BYTES)
        os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
        os.unlink(each.path)
        each.path = packed
        each.incarnation.names.add(os.path.basename(packed))

    @property
    def packs_now(self):
        return self._plan["compress"] == "now"

    def delete_old(self):
        """Removes all but the newest `keep` rotated files; their number."""
        old = self.rotated[self._plan["keep"]:]
        for each in old:
            os.unlink(each.path)
        del self.rotated[self._plan["keep"]:]
        return len(old)


class _Slow:
    """A file that takes its time now and then, so that a shipper sees it half written."""

    def __init__(self, file, chance):
        self._file = file
        self._chance = chance

    def write(self, data):
        self._file.write(data)
        if self._chance.random() < 0.2:
            self._file.flush()
            time.sleep(self._chance.uniform(0, 0.02))
        return len(data)

    def flush(self):
        self._file.flush()
