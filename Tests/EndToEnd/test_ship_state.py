"""The shipper's positions and dead letters: killed and failing at every effect, damaged, from another version, on a full
disk. Nothing is lost, and what comes twice comes under the same key."""

import json
import os
import re
import subprocess
import time

import pytest

from support.program import REPOSITORY, binary
from support.shipping import Shipping, dead_letters, folder, numbered, poison, read, text
from torture.auditor import Doubt, Kill
from torture.truth import Incarnation

SOURCE = os.path.join(REPOSITORY, "Sources", "Jobs", "Archive", "Failpoints.swift")
POSITIONS = ["ship-positions-write.before", "ship-positions-write.after", "ship-positions-keep.before",
             "ship-positions-keep.after", "ship-positions-rename.before", "ship-positions-rename.after",
             "ship-positions-sync.after"]
SENDING = ["ship-send.before", "ship-send.after"]
DEAD_LETTERS = ["ship-dead-letter.before", "ship-dead-letter.after"]


def positions(shipping, name="positions.json"):
    return os.path.join(shipping.state, name)


def now_ms():
    return time.time() * 1000


# Failpoints.

def test_every_failpoint_of_the_shipper_is_tried():
    with open(SOURCE) as file:
        names = re.findall(r'case \w+ = "(ship-[a-z-]+\.(?:before|after))"', file.read())
    assert sorted(names) == sorted(POSITIONS + SENDING + DEAD_LETTERS)


@pytest.mark.slow
@pytest.mark.parametrize("name", POSITIONS + SENDING + DEAD_LETTERS)
@pytest.mark.parametrize("action", ["kill", "error"])
def test_dying_at_a_failpoint_loses_nothing(scenario, name, action):
    shipping = Shipping(scenario, ["*.log"])
    log, other = shipping.path("drupal.log"), shipping.path("other.log")
    shipping.append(numbered("a", 700), log)
    shipping.append(numbered("b", 20), other)
    lines = numbered("a", 700) + numbered("b", 20)
    if name in DEAD_LETTERS:
        poison(shipping)
        shipping.append(["Nov 22 22:16:10 web1 drupal: POISON"], other)
    causes = []
    for hit in (1, 2):
        result = shipping.run(failpoint="%s:%d=%s" % (name, hit, action), expect=None)
        causes.append(Kill(now_ms()))
        assert result.was_killed == (action == "kill") or result.exit in (0, 65), str(result)
        if hit == 1:
            assert result.exit not in (0, 65), "failpoint %s was never reached\n%s" % (name, result)
        assert "Fatal error" not in result.stderr
        shipping.append(["Nov 22 22:16:11 web1 drupal: added %d" % hit], log)
        lines.append("Nov 22 22:16:11 web1 drupal: added %d" % hit)
    shipping.run(expect=(0, 65))
    assert set(shipping.lines()) == set(lines)
    sound = read(other).replace(b"Nov 22 22:16:10 web1 drupal: POISON\n", b"")     # it stands at the end
    shipping.assert_bytes(read(log), others=[Incarnation(1_000, "other.log", sound)], causes=causes)
    if name in DEAD_LETTERS:
        letters = dead_letters(shipping)
        assert 1 <= len(letters) <= 3 and len({letter["partition_key"] for letter in letters}) == 1
    assert shipping.run(expect=(0, 65)).report["lines"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", POSITIONS + SENDING)
def test_a_following_shipper_that_dies_at_a_failpoint_loses_nothing(scenario, name):
    shipping = Shipping(scenario)
    shipping.append(numbered("a", 100))
    shipping.run()
    causes, count = [], 100
    for hit in (1, 2):
        process = scenario.program.start("ship", shipping.job, "--json", failpoint="%s:%d=kill" % (name, hit))
        end = time.monotonic() + 20
        while process.poll() is None:
            assert time.monotonic() < end, "failpoint %s was never reached" % name
            shipping.append(numbered("a", 10, start=count))
            count += 10
            time.sleep(0.05)
        causes.append(Kill(now_ms()))
        assert scenario.program.finish(process, expect=None).was_killed
    shipping.run()
    shipping.assert_bytes(text(numbered("a", count)), causes=causes)


# Damaged positions.

def damage(path, kind):
    good = read(path)
    bad = {"flip": re.sub(rb'"offset"( ?: ?)(\d)', lambda m: b'"offset"' + m[1] + b"%d" % (9 - int(m[2])), good, count=1),
           "truncate": good[:len(good) // 2], "empty": b"", "garbage": os.urandom(500),
           "other checksum": good.replace(json.loads(good)["sha256"].encode(), b"0" * 64)}
    assert bad[kind] != good
    with open(path, "wb") as file:
        file.write(bad[kind])


SOME_DAMAGES = ["flip", "truncate"] + [
    pytest.param(kind, marks=pytest.mark.slow) for kind in ("empty", "garbage", "other checksum")]


def shipped_twice(scenario):
    """Two runs, so that there is a previous copy."""
    shipping = Shipping(scenario)
    for start in (0, 300):
        shipping.append(numbered("a", 300, start=start))
        shipping.run()
    assert os.path.exists(positions(shipping, "positions.json.previous"))
    return shipping


@pytest.mark.parametrize("kind", SOME_DAMAGES)
def test_damaged_positions_are_told_and_the_previous_copy_is_taken(scenario, kind):
    shipping = shipped_twice(scenario)
    damage(positions(shipping), kind)
    damaged_at = now_ms()
    shipping.append(numbered("a", 50, start=600))
    result = shipping.run()
    assert "positions.json" in result.stderr
    # What was sent after the previous copy may come again, under the same keys.
    shipping.assert_bytes(text(numbered("a", 650)), causes=[Kill(damaged_at)])
    assert shipping.run().report["lines"] == 0


@pytest.mark.parametrize("kind", SOME_DAMAGES)
def test_without_a_good_copy_it_stops_and_changes_nothing(scenario, kind):
    shipping = shipped_twice(scenario)
    for name in ("positions.json", "positions.json.previous"):
        damage(positions(shipping, name), kind)
    before = folder(shipping.state)
    shipping.append(numbered("a", 50, start=600))
    for arguments in (("--once",), ()):
        result = scenario.program.run("ship", shipping.job, "--json", *arguments, expect=74)
        assert "positions.json" in result.stderr and "hint" in result.stderr
    assert folder(shipping.state) == before and shipping.count() == 600


def change(path, **members):
    """Another value of a member, and a checksum that says all is well."""
    with open(path) as file:
        document = json.load(file)
    document.update(members)
    with open(path, "w") as file:
        json.dump(document, file)


@pytest.mark.parametrize("members, said", [({"format_version": 999}, "999"), ({"job": "another-job"}, "another-job"),
                                           ({"stream": "another-stream"}, "another-stream")])
def test_positions_of_a_newer_version_another_job_or_another_stream_are_left_alone(scenario, members, said):
    """Not even the previous copy is taken: it would forget what the newer one knows."""
    shipping = shipped_twice(scenario)
    change(positions(shipping), **members)
    before = folder(shipping.state)
    shipping.append(numbered("a", 50, start=600))
    result = shipping.run(expect=74)
    assert said in result.stderr and "hint" in result.stderr
    assert folder(shipping.state) == before and shipping.count() == 600


def test_the_form_of_the_position_file(scenario):
    """What a newer version, and an operator, can rely on."""
    shipping = shipped_twice(scenario)
    with open(positions(shipping)) as file:
        document = json.load(file)
    assert document["format_version"] == 3 and document["job"] == "test-ship" and document["stream"] == scenario.stream
    assert re.fullmatch("[0-9a-f]{64}", document["sha256"])
    [entry] = document["files"]
    assert entry["offset"] == os.path.getsize(shipping.log) and entry["path"] == shipping.log
    assert entry["inode"] == os.stat(shipping.log).st_ino
    assert re.fullmatch("[0-9a-f]{8}", entry["generation"])
    assert not re.search("[A-Z]", "".join(entry)), "members are in snake_case"
    assert os.stat(positions(shipping)).st_mode & 0o077 == 0
    assert sorted(os.listdir(shipping.state)) == ["lock", "positions.json", "positions.json.previous"]


def test_a_full_disk_stops_it_and_loses_nothing(scenario):
    shipping = Shipping(scenario)
    shipping.append(numbered("a", 300))
    more = os.path.join(scenario.directory, "more")
    with open(more, "wb") as file:
        file.write(text(numbered("a", 300, start=300)))
    os.mkdir(shipping.state, 0o700)
    run = "%s ship %s --once --json" % (binary(), shipping.job)
    script = ("mount -t tmpfs -o size=256k,mode=0700 none ship-state && %(run)s >first.json 2>first.log && "
              "{ dd if=/dev/zero of=ship-state/filler bs=4k 2>/dev/null; cat more >>%(log)s; "
              "%(run)s >full.json 2>full.log; echo $? >full.exit; rm ship-state/filler; "
              "%(run)s >last.json 2>last.log; echo $? >last.exit; }" % {"run": run, "log": shipping.log})
    flags = "-m" if os.geteuid() == 0 else "-rm"
    subprocess.run(["unshare", flags, "sh", "-c", script], cwd=scenario.directory, env=scenario.program.environment,
                   check=True, timeout=120)

    def said(name):
        return read(os.path.join(scenario.directory, name)).decode()

    assert said("full.exit").strip() == "75", said("full.log")
    assert "No space left" in said("full.log") and "positions.json" in said("full.log")
    assert said("last.exit").strip() == "0", said("last.log")
    shipping.assert_bytes(text(numbered("a", 600)), causes=[Doubt(0, now_ms())])


def test_state_that_cannot_be_written_is_named(scenario):
    shipping = Shipping(scenario, state={"directory": "/proc/sluice-cannot-write-here"})
    shipping.append(numbered("a", 10))
    result = shipping.run(expect=(74, 75, 77))
    assert "/proc/sluice-cannot-write-here" in result.stderr
    assert shipping.count() == 0
