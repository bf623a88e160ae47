"""One log file: the daemon that writes it and the rotation it undergoes, in one thread, so that the truth is exact.

`plan` keys, besides rotation's: methods (of create, copytruncate, copytruncate_lossy), holds (the daemon keeps writing
to the old inode for a moment after a rename, as syslog-ng does until its HUP), creates (the rotation makes the new file;
else the daemon does, later), rotate_every (seconds, about), appends (opened with O_APPEND), pace (lines a second,
about), long_lines (whether some are longer than a record).
"""

import os

from .lines import Lines
from .rotation import Rotation
from .truth import Incarnation

# Well below the five seconds after which a rotated file counts as finished.
PAUSE_SECONDS_MAX = 0.4
LINES_EACH_STEP = 16


class LogFile:
    def __init__(self, path, tag, plan, chance, numbers):
        self.path = path
        self.incarnations = []
        self._plan = plan
        self._chance = chance
        self._numbers = numbers         # counts incarnations over all files
        self._lines = Lines(tag, chance)
        self.rotation = Rotation(path, plan, chance)
        self._unwritten = b""           # the rest of a line that was begun
        self._old = None                # (descriptor, incarnation, rotated) still written to after a rename
        self._held_until = 0.0
        self._hole = 0                  # where the next byte goes after a truncation without O_APPEND
        self._rotate_at = 0.0
        self.due = 0.0
        self._descriptor, self._current = self._open(), self._begin()

    def _open(self):
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | (os.O_APPEND if self._plan["appends"] else 0), 0o644)

    def _begin(self):
        incarnation = Incarnation(next(self._numbers), os.path.basename(self.path), bytearray())
        self.incarnations.append(incarnation)
        return incarnation

    # The daemon.

    def begin(self):
        self._write(self._lines.some(5))

    def step(self, now):
        """Does one thing and says in `due` when to do the next."""
        pause = self._chance.expovariate(self._plan["pace"] / LINES_EACH_STEP)
        if self._unwritten and self._chance.random() < 0.7:
            self._write_rest()
        elif self._old and now >= self._held_until:
            self._release()
        else:
            pause = self._something(now, pause)
        self.due = now + min(pause, PAUSE_SECONDS_MAX)

    def _something(self, now, pause):
        chance = self._chance.random()
        if now >= self._rotate_at and not self._old:
            self._rotate(now)
            self._rotate_at = now + self._chance.expovariate(1 / self._plan["rotate_every"])
        elif chance < 0.08 and not self._unwritten:
            return self._write_part()
        elif chance < 0.10:
            self._write(self._lines.some(self._chance.randint(100, 600)))   # a burst
        elif chance < 0.13:
            return PAUSE_SECONDS_MAX
        elif chance < 0.135 and self._plan["long_lines"]:
            self._write(self._lines.long())
        elif chance < 0.2:
            self._write(self._lines.message())
        else:
            self._write(self._lines.some(self._chance.randint(1, 20)))
        return pause

    def _write(self, data):
        """Several lines in one write, after the rest of the line that was begun."""
        data, self._unwritten = self._unwritten + data, b""
        self._put(data)

    def _write_part(self):
        line = self._lines.one()
        cut = self._chance.randint(1, len(line) - 1)
        self._unwritten = line[cut:]
        self._put(line[:cut])
        return self._chance.uniform(0.01, PAUSE_SECONDS_MAX)

    def _write_rest(self):
        rest, self._unwritten = self._unwritten, b""
        if len(rest) > 1 and self._chance.random() < 0.3:
            rest, self._unwritten = rest[:len(rest) // 2], rest[len(rest) // 2:]
        self._put(rest)

    def _put(self, data):
        descriptor, incarnation = self._old[:2] if self._old else (self._descriptor, self._current)
        if self._hole and incarnation is self._current:
            incarnation.content.extend(bytes(self._hole))
            self._hole = 0
        incarnation.content.extend(data)
        while data:
            data = data[os.write(descriptor, data):]

    def _release(self):
        """The HUP: what is begun is finished in the old file, and the new one is written from here on."""
        if self._unwritten:
            self._write(b"")
        descriptor, incarnation, rotated = self._old
        os.close(descriptor)
        self._old = None
        if self._descriptor is None:
            self._descriptor = self._open()
        self._finish(incarnation)
        if self.rotation.packs_now:
            self.rotation.pack(rotated)

    def _finish(self, incarnation):
        incarnation.is_active = False
        incarnation.ends.add(len(incarnation.content))

    # The rotation.

    def _rotate(self, now):
        method = self._chance.choice(self._plan["methods"])
        if self.is_empty:
            return      # logrotate leaves empty files alone where it is told so (notifempty)
        self.rotation.make_room()
        if method == "create":
            self._rename(now)
        else:
            self._copy_and_truncate(lossy=method == "copytruncate_lossy")

    @property
    def is_empty(self):
        return not self._current.content

    def _rename(self, now):
        rotated = self.rotation.rename(self._current)
        self._old = (self._descriptor, self._current, rotated)
        self._descriptor = self._open() if self._plan["creates"] else None
        self._current, self._hole = self._begin(), 0
        if self._plan["holds"]:
            self._held_until = now + self._chance.uniform(0, 2 * PAUSE_SECONDS_MAX)
        else:
            self._release()

    def _copy_and_truncate(self, lossy):
        incarnation = self._current
        rotated = self.rotation.copy(incarnation)
        copied = len(incarnation.content)
        incarnation.ends.add(copied)
        if lossy:
            for _ in range(self._chance.randint(0, 3)):
                self._write(self._lines.some(self._chance.randint(1, 30)))
            incarnation.losable.append((copied, len(incarnation.content)))
        os.truncate(self.path, 0)
        self._finish(incarnation)
        self._current = self._begin()
        self._hole = 0 if self._plan["appends"] else os.lseek(self._descriptor, 0, os.SEEK_CUR)
        if self.rotation.packs_now:
            self.rotation.pack(rotated)

    # For the end of a phase.

    def settle(self):
        """Every line that was begun is finished and no old file is written to any more."""
        if self._old:
            self._release()
        if self._unwritten:
            self._write(b"")
