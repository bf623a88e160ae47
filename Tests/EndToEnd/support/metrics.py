"""Reads a Prometheus text file, and has promtool read it too."""

import os
import re
import shutil
import subprocess

from .program import REPOSITORY

SERIES = re.compile(r'^([a-z_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


UNPACKED = os.path.join(REPOSITORY, ".local", "prometheus", "usr", "bin", "promtool")


def promtool(*arguments, **options):
    """The installed promtool, or the one that `make` unpacked beside the project."""
    program = shutil.which("promtool") or UNPACKED
    if not os.path.exists(program):
        raise RuntimeError("no promtool: run `make setup-tests`")
    return subprocess.run([program, *arguments], capture_output=True, timeout=60, **options)


class Metrics:
    def __init__(self, path):
        with open(path) as file:
            self.text = file.read()
        self.series = {}
        for line in self.text.splitlines():
            if line.startswith("#"):
                continue
            match = SERIES.match(line)
            assert match, line
            labels = tuple(sorted(LABEL.findall(match.group(2) or "")))
            assert (match.group(1), labels) not in self.series, "twice: " + line
            self.series[match.group(1), labels] = float(match.group(3))

    def all(self, name, **labels):
        """{labels as a dict's items: value} of the series that have these labels."""
        return {found: value for (series, found), value in self.series.items()
                if series == name and set(labels.items()) <= set(found)}

    def one(self, name, **labels):
        found = self.all(name, **labels)
        assert len(found) == 1, (name, labels, found)
        return next(iter(found.values()))

    def sum(self, name, **labels):
        return sum(self.all(name, **labels).values())

    def by_shard(self, name):
        return {dict(labels)["shard"]: value for labels, value in self.all(name).items()}

    def check(self):
        """promtool finds nothing to say."""
        result = promtool("check", "metrics", input=self.text.encode())
        assert result.returncode == 0 and not result.stdout and not result.stderr, (result.stdout, result.stderr)
        return self
