"""The Debian package: built, read by lintian, installed in an empty Debian where no Swift is, run, removed, purged.

Needs root (or sudo) for debootstrap and chroot; the rest of the machine is not touched.
"""

import hashlib
import json
import os
import re

import pytest

from support import jobs
from support.debian_root import dependencies, field, run
from support.program import REPOSITORY

pytestmark = pytest.mark.slow
LIBRARIES = {"libcurl.so.4", "libz.so.1", "libsqlite3.so.0", "libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1",
             "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


@pytest.fixture
def root(debian, tmp_path):
    root = debian.copy(tmp_path / "root")
    yield root
    root.remove()


def test_lintian_has_nothing_to_say(package):
    result = run("lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", package, check=False)
    assert result.returncode == 0 and not re.search("^[EW]:", result.stdout, re.MULTILINE), result.stdout


def test_the_same_input_gives_the_same_bytes(package, tmp_path):
    again = run(os.path.join(REPOSITORY, "jobs", "packaging", "deb.sh"), os.path.join(REPOSITORY, ".build/release/sluice"),
                str(tmp_path), env=dict(os.environ, TZ="Asia/Tokyo", LC_ALL="C")).stdout.strip().splitlines()[-1]
    assert digest(again) == digest(package)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def test_the_program_needs_no_library_of_swift(package, tmp_path):
    run("dpkg-deb", "-x", package, str(tmp_path))
    program = str(tmp_path / "usr/bin/sluice")
    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", program).stdout))
    assert needed <= LIBRARIES and "libcurl.so.4" in needed, needed
    assert ".symtab" not in run("readelf", "--wide", "-S", program).stdout
    for wanted in ("libcurl4", "libsqlite3-0", "zlib1g", "libc6", "adduser"):
        assert wanted in dependencies(package)


def test_make_install_takes_prefix_and_destination(package, tmp_path):
    """With the program of the package, which is built by now."""
    where = ["PREFIX=/opt/sluice", "DESTDIR=%s" % tmp_path]
    run("make", "-s", "install", *where, cwd=REPOSITORY)
    program = str(tmp_path / "opt/sluice/bin/sluice")
    assert run(program, "--version").stdout == "sluice %s\n" % field(package, "Version")
    assert [path.name for path in tmp_path.iterdir()] == ["opt"]
    for name in ("share/man/man1/sluice.1", "share/man/man5/sluice-job.5", "lib/systemd/system/sluice-archive@.timer"):
        assert (tmp_path / "opt/sluice" / name).is_file()
    run("make", "-s", "uninstall", *where, cwd=REPOSITORY)
    assert not [path for path in tmp_path.rglob("*") if not path.is_dir()]


def test_it_installs_runs_and_goes_without_a_trace(package, root, scenario):
    """One test, because each step stands on the one before."""
    assert not [f for f in root.files() if "libswift" in f or "bin/swift" in f]
    before = root.files()
    root.install(package)
    assert root.run("sluice", "--version").stdout == "sluice %s\n" % field(package, "Version")
    assert root.run("stat", "-c", "%U:%G %a", "/var/lib/sluice").stdout == "sluice:sluice 755\n"
    passwd = root.run("getent", "passwd", "sluice").stdout
    assert passwd.rstrip().endswith(("/nologin", "/false")) and "/var/lib/sluice" in passwd
    root.run("sh", "-c", "for f in $(dpkg -L sluice); do [ -e $f ] || echo missing $f; done; cd / && md5sum -c --quiet "
             "/var/lib/dpkg/info/sluice.md5sums")
    unit = root.run("cat", "/lib/systemd/system/sluice-archive@.service").stdout
    assert "ExecStart=/usr/bin/sluice archive /etc/sluice/%i.yaml" in unit
    rows = root.run("sluice", "transform", "--timezone", "Europe/Berlin", input="Nov 22 22:14:15 host app[7]: hello\n")
    assert json.loads(rows.stdout)["message"] == "hello"
    root.run("sluice", "init", "archive", "--stream", "s1", "--region", "us-east-1", "--bucket", "some-bucket",
             "--output", "/etc/sluice/s1.yaml")
    assert "good" in root.run("sluice", "check", "/etc/sluice/s1.yaml", user="sluice:sluice").stdout

    # A whole run as the package's user, against the endpoint on loopback.
    scenario.set_up(shards=2)
    scenario.load(scenario.lines(50))
    job = jobs.archive(scenario.directory, scenario.stream, scenario.bucket, state={"directory": "/var/lib/sluice/test"})
    with open(job) as file:
        root.write("/etc/sluice/job.yaml", file.read())
    archived = root.run("sluice", "archive", "/etc/sluice/job.yaml", "--json", "--log-level", "warning",
                        user="sluice:sluice", environment=dict(scenario.endpoint.environment, HOME="/var/lib/sluice"))
    assert json.loads(archived.stdout)["totals"]["records"] == 50, archived.stdout
    scenario.audit()

    # Again over itself, as an upgrade would.
    root.install(package)

    # Away: what the operator made stays until the purge, and his job files even then.
    root.run("dpkg", "--remove", "sluice")
    left = root.files() - before
    assert {"etc/sluice/job.yaml", "var/lib/sluice/test"} <= left and "usr/bin/sluice" not in left
    assert not [f for f in left if not f.startswith(("etc/sluice", "var/lib/sluice", "root/"))], left
    root.run("dpkg", "--purge", "sluice")
    left = root.files() - before
    assert {f for f in left if not f.startswith("root/")} == {
        "etc/sluice", "etc/sluice/job.yaml", "etc/sluice/s1.yaml"}, left
    assert root.run("dpkg-query", "-W", "sluice", check=False).returncode != 0
