"""What whole processes cost: CPU seconds, wall seconds, peak memory."""
import os
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SLUICE = os.path.abspath(os.environ.get("SLUICE_BIN", os.path.join(HERE, "..", "..", ".build", "release", "sluice")))
TICKS = os.sysconf("SC_CLK_TCK")


class Peak(threading.Thread):
    """The largest resident size of a running process, looked at every 10 ms."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.kib = pid, 0
        self.start()

    def run(self):
        while True:
            try:
                with open(f"/proc/{self.pid}/status") as status:
                    marks = [line for line in status if line.startswith("VmHWM")]
            except OSError:
                return
            if not marks:  # a zombie has none
                return
            self.kib = max(self.kib, int(marks[0].split()[1]))
            time.sleep(0.01)


def measured(command, env=None, stdout=subprocess.DEVNULL, stdin=None):
    """Runs a command; gives CPU seconds, wall seconds, peak resident MB."""
    started = time.monotonic()
    child = subprocess.Popen(command, env=env, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)
    # Not ru_maxrss: it counts this program's own memory as it was before the child's exec.
    peak = Peak(child.pid)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    peak.join()
    wall = time.monotonic() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{command[0]} ended with {child.returncode}: {errors.decode()[-2000:]}")
    return {"cpu_s": usage.ru_utime + usage.ru_stime, "wall_s": wall, "peak_mb": peak.kib / 1024}


def cpu_seconds(pid):
    """User and system time of a running process so far, in steps of a clock tick (10 ms)."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def medians(runs):
    """Median CPU seconds, wall seconds and peak MB of the results of `measured`."""
    return tuple(statistics.median(run[key] for run in runs) for key in ("cpu_s", "wall_s", "peak_mb"))
