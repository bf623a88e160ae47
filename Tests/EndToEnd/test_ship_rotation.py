"""One rotation at a time, each in its own story and each told to both modes. All at once is in test_torture.py."""

import gzip
import os
import time
import zlib

import pytest

from support.shipping import Shipping, numbered, pack, read, shift, text

# A rotated file's name, from its place in the row of rotated files; 1 is the newest.
NAMINGS = {"numbered": lambda log, place, made: "%s.%d" % (log, place),
           "dateext": lambda log, place, made: "%s-202611%02d" % (log, made)}


def test_lines_that_come_to_the_old_file_after_the_rename_arrive(world):
    shipping, shipper = world()
    with open(shipping.log, "ab", buffering=0) as daemon, shipper:
        daemon.write(text(numbered("a", 3)))
        shipper.catch_up(3)
        os.rename(shipping.log, shipping.log + ".1")
        with open(shipping.log, "ab", buffering=0) as fresh:
            daemon.write(text(numbered("a", 3, start=3)))
            fresh.write(text(numbered("b", 3)))
            shipper.catch_up(9)
            daemon.write(text(numbered("a", 1, start=6)))
            fresh.write(text(numbered("b", 1, start=3)))
            shipper.catch_up(11)
    shipping.assert_bytes(text(numbered("a", 7)), text(numbered("b", 4)))


def test_two_rotations_in_a_row_with_late_lines_in_each(world):
    shipping, shipper = world()
    daemons = [open(shipping.log, "ab", buffering=0)]
    with shipper:
        daemons[0].write(text(numbered("a", 2)))
        shipper.catch_up(2)
        for number, word in ((1, "b"), (2, "c")):
            shift(shipping.log)
            daemons.append(open(shipping.log, "ab", buffering=0))
            daemons[-2].write(text(numbered("late" + word, 2)))
            daemons[-1].write(text(numbered(word, 2)))
            shipper.catch_up(2 + 4 * number)
    for daemon in daemons:
        daemon.close()
    shipping.assert_once([line for word in ("a", "lateb", "b", "latec", "c") for line in numbered(word, 2)])


@pytest.mark.parametrize("naming, packs", [
    ("numbered", True), pytest.param("numbered", False, marks=pytest.mark.slow),
    pytest.param("dateext", True, marks=pytest.mark.slow), ("dateext", False)])
def test_several_rotations_while_away(world, naming, packs):
    """The one that was half shipped, and others that were never seen, are finished in order."""
    shipping, shipper = world()
    name = NAMINGS[naming]
    shipping.append(numbered("f0", 20))
    with shipper:
        shipper.catch_up(20)
        with shipper.away():
            rotated = []    # newest first
            for number in range(4):
                shipping.append(numbered("f%d" % number, 30, start=20 if number == 0 else 0))
                for place in reversed(range(len(rotated))):
                    moved = name(shipping.log, place + 2, len(rotated) - place) + (".gz" if packs and place else "")
                    plain = moved[:-3] if moved.endswith(".gz") else moved
                    if moved != plain and not rotated[place].endswith(".gz"):
                        rotated[place] = pack(rotated[place])
                    if rotated[place] != moved:
                        os.rename(rotated[place], moved)
                    rotated[place] = moved
                target = name(shipping.log, 1, len(rotated) + 1)
                os.rename(shipping.log, target)
                rotated.insert(0, target)
                time.sleep(0.02)    # the next file is younger, also by a coarse clock
            shipping.append(numbered("active", 5))
        shipper.catch_up(20 + 120 + 5)
    shipping.assert_once(numbered("f0", 50) + [line for n in (1, 2, 3) for line in numbered("f%d" % n, 30)]
                         + numbered("active", 5))
    firsts = [line.split()[5] for line in shipping.lines()]
    assert firsts == sorted(firsts, key=["f0", "f1", "f2", "f3", "active"].index), "the predecessor comes first"


@pytest.mark.parametrize("members", [1, 2])
def test_a_half_shipped_file_is_resumed_inside_its_packed_successor(world, members):
    shipping, shipper = world()
    shipping.append(numbered("a", 300))
    with shipper:
        shipper.catch_up(300)
        with shipper.away():
            shipping.append(numbered("a", 200, start=300))
            content = read(shipping.log)
            with open(shipping.log + ".1.gz", "wb") as packed:
                cut = len(content) // members
                for part in (content[:cut], content[cut:]):
                    packed.write(gzip.compress(part) if part else b"")
            os.unlink(shipping.log)
            shipping.append(numbered("b", 10))
        shipper.catch_up(510)
    shipping.assert_bytes(content, text(numbered("b", 10)))


def test_a_file_that_was_shipped_is_not_sent_again_when_it_is_packed_and_moved(world):
    shipping, shipper = world()
    shipping.append(numbered("a", 100))
    with shipper:
        shipper.catch_up(100)
        os.rename(shipping.log, shipping.log + ".1")
        shipping.append(numbered("b", 10))
        shipper.catch_up(110)
        pack(shipping.log + ".1", shipping.log + ".2.gz")
        os.rename(shipping.log, shipping.log + ".1")
        shipping.append(numbered("c", 10))
        shipper.catch_up(120)
        os.rename(shipping.log + ".2.gz", shipping.log + ".3.gz")
        shipping.append(numbered("c", 10, start=10))
        shipper.catch_up(130)
    shipping.assert_bytes(text(numbered("a", 100)), text(numbered("b", 10)), text(numbered("c", 20)))


def test_a_packed_file_that_is_still_growing_is_not_taken_for_whole(scenario):
    """gzip writes beside the plain file, which goes when it is done; the shipper comes in the middle."""
    shipping = Shipping(scenario)
    shipping.append(numbered("a", 100))
    shipping.run()
    shipping.append(numbered("a", 4_000, start=100))
    content = read(shipping.log)
    packed = gzip.compress(content)
    os.rename(shipping.log, shipping.log + ".1")
    shipping.append(numbered("b", 5))
    with open(shipping.log + ".1.gz", "wb") as file:
        file.write(packed[:len(packed) // 2])
    shipping.run(expect=(0, 75))
    with open(shipping.log + ".1.gz", "ab") as file:
        file.write(packed[len(packed) // 2:])
    os.unlink(shipping.log + ".1")
    shipping.run()
    shipping.assert_bytes(content, text(numbered("b", 5)))


def test_a_packed_file_that_is_cut_says_so_and_gives_what_it_holds(scenario):
    shipping = Shipping(scenario)
    shipping.append(numbered("a", 100))
    shipping.run()
    shipping.append(numbered("a", 4_000, start=100))
    packed = gzip.compress(read(shipping.log))
    os.unlink(shipping.log)
    with open(shipping.log + ".1.gz", "wb") as file:
        file.write(packed[:len(packed) // 2])
    shipping.append(numbered("b", 5))
    for _ in range(2):
        result = shipping.run(expect=(0, 75))
    assert "drupal.log.1.gz" in result.stderr + result.stdout
    lines = shipping.lines()
    assert set(numbered("b", 5)) <= set(lines) and len(lines) == len(set(lines))


def test_a_cut_packed_file_beside_the_plain_one_that_was_never_seen(scenario):
    """What can be unpacked of it ends in the middle of a line, and is no file that is finished."""
    shipping = Shipping(scenario)
    shipping.append(numbered("a", 10))
    shipping.run()
    shift(shipping.log)
    shipping.append(numbered("b", 200))
    shift(shipping.log)
    shipping.append(numbered("c", 5))
    content = read(shipping.log + ".1")
    packer = zlib.compressobj(wbits=31)
    with open(shipping.log + ".1.gz", "wb") as packed:
        packed.write(packer.compress(content[:8]) + packer.flush(zlib.Z_SYNC_FLUSH))
        packed.flush()
        for _ in range(2):
            shipping.run(expect=(0, 75))
        packed.write(packer.compress(content[8:]) + packer.flush())
    os.unlink(shipping.log + ".1")
    for _ in range(2):
        shipping.run()
    shipping.assert_bytes(text(numbered("a", 10)), content, text(numbered("c", 5)))


def test_rotated_files_in_a_folder_of_their_own(world):
    shipping, shipper = world(rotated=[])
    old = shipping.path("old")
    os.mkdir(old)
    shipping.write_job(rotated=[old + "/drupal*"], **({"rescan": "1s"} if shipper.follows else {}))
    shipping.append(numbered("a", 20))
    with shipper:
        shipper.catch_up(20)
        with shipper.away():
            shipping.append(numbered("a", 20, start=20))
            os.rename(shipping.log, old + "/drupal.log-20261121")
            pack(old + "/drupal.log-20261121")
            shipping.append(numbered("b", 20))
            os.rename(shipping.log, old + "/drupal.log-20261122")
            shipping.append(numbered("c", 20))
        shipper.catch_up(80)
    shipping.assert_once(numbered("a", 40) + numbered("b", 20) + numbered("c", 20))


def test_files_that_were_rotated_before_the_first_run_are_left_alone(world):
    """The history from before Sluice was there; a rotation after that is not."""
    shipping, shipper = world()
    shipping.append(numbered("history", 20), shipping.log + ".2")
    pack(shipping.log + ".2")
    shipping.append(numbered("yesterday", 20), shipping.log + ".1")
    shipping.append(numbered("a", 20))
    with shipper:
        shipper.catch_up(20)
        os.rename(shipping.log + ".2.gz", shipping.log + ".3.gz")
        pack(shipping.log + ".1", shipping.log + ".2.gz")
        os.rename(shipping.log, shipping.log + ".1")
        shipping.append(numbered("b", 20))
        shipper.catch_up(40)
    shipping.assert_once(numbered("a", 20) + numbered("b", 20))


@pytest.mark.slow
def test_a_line_that_comes_to_a_rotated_file_long_after_is_not_dropped(world):
    """Others give the old file up for good after their rotate_wait."""
    shipping, shipper = world(rotate_wait="1s")
    with open(shipping.log, "ab", buffering=0) as daemon, shipper:
        daemon.write(text(numbered("a", 3)))
        shipper.catch_up(3)
        os.rename(shipping.log, shipping.log + ".1")
        shipping.append(numbered("b", 2))
        shipper.catch_up(5)
        time.sleep(2.5)     # longer than rotate_wait: this is what is tested
        daemon.write(text(numbered("a", 1, start=3)))
        with shipper.away():
            pass
        shipper.catch_up(6)
    shipping.assert_once(numbered("a", 4) + numbered("b", 2))


def test_rapid_rotation_of_several_files(world):
    shipping, shipper = world(["rapid-*.log"])
    names = ["rapid-%d.log" % n for n in range(3)]
    daemons = {name: open(shipping.path(name), "ab", buffering=0) for name in names}
    lines = []

    def write(name, word):
        lines.append("%s %s" % (name, word))
        daemons[name].write(text(lines[-1:]))

    with shipper:
        for name in names:
            write(name, "before")
        shipper.catch_up(3)
        for turn in range(3):
            for name in names:
                shift(shipping.path(name))
                fresh = open(shipping.path(name), "ab", buffering=0)
                write(name, "old %d" % turn)
                daemons[name].close()
                daemons[name] = fresh
                write(name, "new %d" % turn)
        shipper.catch_up(len(lines))
    for daemon in daemons.values():
        daemon.close()
    shipping.assert_once(lines)
