"""Builds job files. Whatever a test leaves out has a value that keeps the test quick."""

import copy
import os

import yaml

ARCHIVE = {
    "job": "archive", "name": "test",
    "source": {"stream": None, "region": "us-east-1", "start": "trim_horizon", "on_gap": "stop",
               "read_rate": "unlimited"},
    "transform": {"format": "auto"},
    "destination": {"bucket": None, "prefix": "data/dt={date}/hour={hour}/"},
    "limits": {"run_time": "1m", "parallel_shards": 4, "memory": "512MiB"},
    "state": {"directory": None},
}
SHIP = {
    "job": "ship", "name": "test-ship", "files": [], "start": "head",
    "destination": {"stream": None, "region": "us-east-1", "partition_key": "source", "aggregate": "none"},
    "linger": "100ms", "state": {"directory": None},
}


def merge(base, changes):
    """`base` with `changes` laid over it, section by section; a value of None removes the key."""
    result = copy.deepcopy(base)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merge(result[name], value)
        else:
            result[name] = value
    return result


def write(directory, job, file_name="job.yaml"):
    """Writes a job (a dict) and returns the file's path."""
    path = os.path.join(str(directory), file_name)
    with open(path, "w") as file:
        yaml.safe_dump(job, file, sort_keys=False, allow_unicode=True)
    return path


def archive(directory, stream, bucket, file_name="job.yaml", **changes):
    """An archive job file; `changes` are sections: archive(d, s, b, seal={"records": 10})."""
    base = merge(ARCHIVE, {"source": {"stream": stream}, "destination": {"bucket": bucket},
                           "state": {"directory": os.path.join(str(directory), "state")}})
    return write(directory, merge(base, changes), file_name)


def ship(directory, stream, files, file_name="ship.yaml", **changes):
    """A ship job file."""
    base = merge(SHIP, {"files": [str(f) for f in files], "destination": {"stream": stream},
                        "state": {"directory": os.path.join(str(directory), "ship-state")}})
    return write(directory, merge(base, changes), file_name)
