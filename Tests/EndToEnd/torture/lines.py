"""The text that the writer writes: every line is numbered, so no two are alike anywhere in a run."""

import time

LONG_LINE_BYTES = 1_572_864
WORDS = "cache queue session login path alias node user cron file upload mail theme block view".split()


class Lines:
    """Syslog lines of one file. `tag` tells them from those of other files."""

    def __init__(self, tag, chance):
        self._tag = tag
        self._chance = chance
        self._count = 0

    def one(self):
        """A line with a header; with its LF."""
        return self._header() + self._numbered(self._chance.choice(("", " ", " é€😀 ", " |x||1| "))
                                               + " ".join(self._chance.choices(WORDS, k=self._chance.randint(1, 12))))

    def message(self):
        """A message of several lines in one write: only the first has a header."""
        parts = [self.one()]
        for _ in range(self._chance.randint(1, 6)):
            parts.append(b"\n" if self._chance.random() < 0.1 else
                         self._numbered("    [:p] => %s" % self._chance.choice(WORDS), lead="    "))
        return b"".join(parts)

    def long(self):
        """A line that no record of 1 MiB can hold."""
        self._count += 1
        lead = self._header() + b"%s:%07d " % (self._tag, self._count)
        mark = b"%s.%07d " % (self._tag, self._count)
        return (lead + mark * (LONG_LINE_BYTES // len(mark) + 1))[:LONG_LINE_BYTES] + b"\n"

    def some(self, count):
        return b"".join(self.message() if self._chance.random() < 0.04 else self.one() for _ in range(count))

    def _header(self):
        now = time.gmtime()
        if self._chance.random() < 0.5:
            return time.strftime("<133>%Y-%m-%dT%H:%M:%S+00:00 web1 drupal: ", now).encode()
        return time.strftime("%b %e %H:%M:%S web1 drupal: ", now).encode()

    def _numbered(self, text, lead=""):
        self._count += 1
        return ("%s%s:%07d %s\n" % (lead, self._tag.decode(), self._count, text)).encode()
