"""A private syslog-ng with the project's example configuration: sockets, files and state in the test's own folder."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time

from .program import REPOSITORY

EXAMPLE = os.path.join(REPOSITORY, "jobs", "syslog-ng", "sluice.conf")
UNPACKED = os.path.join(REPOSITORY, ".local", "syslog-ng")
START_SECONDS = 20
MAIN = """@version: %(version)s
options { use_dns(no); keep_hostname(yes); chain_hostnames(no); stats_freq(0); create_dirs(no); };
source s_src {
    unix-dgram("%(directory)s/log" so_rcvbuf(1048576));
    unix-stream("%(directory)s/log-stream" max-connections(64));
};
@include "%(directory)s/sluice.conf"
"""


def command(*arguments):
    """(argv, environment) for the installed syslog-ng, or for the one that `make` unpacked beside the project."""
    installed = shutil.which("syslog-ng", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if installed:
        return [installed, *arguments], {}
    library = os.path.join(UNPACKED, "usr", "lib", "syslog-ng")
    if not os.path.isdir(library):
        raise RuntimeError("no syslog-ng: run `make setup-tests`")
    modules = [os.path.join(library, name) for name in os.listdir(library) if re.fullmatch(r"\d+\.\d+", name)]
    return [os.path.join(UNPACKED, "usr", "sbin", "syslog-ng"), "--module-path=" + ":".join(modules), *arguments], \
        {"LD_LIBRARY_PATH": library}


def run(*arguments):
    argv, environment = command(*arguments)
    return subprocess.run(argv, env=dict(os.environ, **environment), capture_output=True, text=True, timeout=60)


class SyslogNG:
    """`logs` is the folder that the example's /var/log stands for."""

    def __init__(self, directory, logs):
        self.directory = str(directory)
        self.logs = str(logs)
        self.datagram = os.path.join(self.directory, "log")
        self.stream = os.path.join(self.directory, "log-stream")
        self.configuration = os.path.join(self.directory, "syslog-ng.conf")
        self.process = None
        with open(EXAMPLE) as file:
            example = file.read()
        self.write_configuration(example.replace('"/var/log/', '"%s/' % self.logs))

    def write_configuration(self, example):
        version = re.search(r"^Config version: ([0-9.]+)", run("--version").stdout, re.M).group(1)
        with open(os.path.join(self.directory, "sluice.conf"), "w") as file:
            file.write(example)
        with open(self.configuration, "w") as file:
            file.write(MAIN % {"version": version, "directory": self.directory})

    def _own(self):
        return ("--cfgfile=" + self.configuration, "--persist-file=%s/persist" % self.directory,
                "--pidfile=%s/pid" % self.directory, "--control=%s/control" % self.directory)

    def check_syntax(self):
        return run("--syntax-only", *self._own())

    def __enter__(self):
        argv, environment = command("--foreground", "--no-caps", *self._own())
        self._errors = open(os.path.join(self.directory, "syslog-ng.log"), "wb")
        self.process = subprocess.Popen(argv, env=dict(os.environ, **environment), stdout=self._errors,
                                        stderr=self._errors)
        end = time.monotonic() + START_SECONDS
        while not self._listens():
            assert self.process.poll() is None and time.monotonic() < end, open(self._errors.name).read()
            time.sleep(0.02)
        return self

    def _listens(self):
        for path, kind in ((self.datagram, socket.SOCK_DGRAM), (self.stream, socket.SOCK_STREAM)):
            with socket.socket(socket.AF_UNIX, kind) as probe:
                try:
                    probe.connect(path)
                except OSError:
                    return False
        return True

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._errors.close()

    def hang_up(self):
        """Files are opened anew."""
        self.process.send_signal(signal.SIGHUP)

    def send(self, text, priority=132, program="drupal", stamp=None):
        """One message (bytes) through the datagram socket, as libc's syslog() sends it."""
        stamp = stamp or time.strftime("%b %e %H:%M:%S", time.localtime())
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            sender.connect(self.datagram)
            sender.send(b"<%d>%s %s: " % (priority, stamp.encode(), program.encode()) + text)

    def send_stream(self, texts, priority=132, program="drupal"):
        """Messages through the stream socket, one a line."""
        stamp = time.strftime("%b %e %H:%M:%S", time.localtime())
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sender:
            sender.connect(self.stream)
            sender.sendall(b"".join(b"<%d>%s %s: " % (priority, stamp.encode(), program.encode()) + text + b"\n"
                                    for text in texts))

    def logger(self, lines, program="drupal", priority="local0.warning"):
        """util-linux's `logger`, fed on stdin: a message for each line (text)."""
        subprocess.run(["logger", "--socket", self.datagram, "--tag", program, "--priority", priority, "--size", "60KiB",
                        "--socket-errors=on"], input="".join(line + "\n" for line in lines).encode(), check=True,
                       timeout=60)
