"""Which files `sluice ship` takes and how it knows them again: patterns, late files, links, permissions, odd names, files
that vanish or are replaced. Each story is told to `--once` and to a shipper that follows."""

import os
import subprocess

import pytest

from support.program import binary
from support.shipping import Shipping, numbered, read, text


def test_files_that_match_a_pattern_later_are_shipped_from_their_head(world):
    shipping, shipper = world(["*.log"])
    one, two = shipping.path("one.log"), shipping.path("two.log")
    with shipper:
        shipping.append(numbered("one", 3), one)
        shipper.catch_up(3)
        shipping.append(numbered("two", 2), two)
        shipper.catch_up(5)
        shipping.append(numbered("two", 1, start=2), two)
        shipping.append(["not ours"], shipping.path("two.txt"))
        shipper.catch_up(6)
    shipping.assert_once(numbered("one", 3) + numbered("two", 3))


def test_a_named_file_that_is_not_there_yet_is_shipped_when_it_is(world, mode):
    shipping, shipper = world()
    if mode == "once":
        shipping.run(expect=(0, 75))
    with shipper:
        shipping.append(numbered("late", 3))
        shipper.catch_up(3)
    shipping.assert_once(numbered("late", 3))


def test_a_folder_that_is_made_later_is_found(world):
    shipping, shipper = world(["site*/drupal.log"])
    names = ["site%d" % number for number in range(3)]
    with shipper:
        for number, name in enumerate(names):
            os.mkdir(shipping.path(name))
            shipping.append(numbered(name, 2), shipping.path(name + "/drupal.log"))
            shipper.catch_up(2 * number + 2)
    shipping.assert_once([line for name in names for line in numbered(name, 2)])


def test_one_file_that_several_names_and_patterns_reach_is_shipped_once(world):
    shipping, shipper = world(["*.log", "drupal.log", "d*.log"])
    log = shipping.path("drupal.log")
    shipping.append(numbered("a", 5), log)
    os.link(log, shipping.path("hard.log"))
    os.symlink(log, shipping.path("soft.log"))
    with shipper:
        shipper.catch_up(5)
        shipping.append(numbered("a", 5, start=5), log)
        shipper.catch_up(10)
    shipping.assert_once(numbered("a", 10))


def test_what_is_no_file_is_passed_over_and_stops_nothing(world):
    shipping, shipper = world(["*.log"])
    os.mkdir(shipping.path("folder.log"))
    os.mkfifo(shipping.path("pipe.log"))
    os.symlink(shipping.path("nowhere"), shipping.path("dangling.log"))
    shipping.append(b"", shipping.path("empty.log"))
    shipping.append(numbered("a", 3), shipping.path("good.log"))
    if not shipper.follows:
        shipping.run(expect=(0, 75, 78))
        return shipping.assert_once(numbered("a", 3))
    with shipper:
        shipper.catch_up(3)
        shipping.append(numbered("a", 3, start=3), shipping.path("good.log"))
        shipper.catch_up(6)
    shipping.assert_once(numbered("a", 6))


def test_a_file_that_may_not_be_read_is_shipped_when_it_may(scenario):
    """Root may read everything, so the shipper runs without that privilege."""
    shipping = Shipping(scenario, ["*.log"], rescan="1s")
    shipping.append(numbered("good", 3), shipping.path("good.log"))
    shipping.append(numbered("secret", 3), shipping.path("secret.log"))
    os.chmod(shipping.path("secret.log"), 0)
    privileged = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    process = subprocess.Popen([*privileged, binary(), "ship", shipping.job, "--json"],
                               env=scenario.program.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    scenario.wait_for(lambda: shipping.count() >= 3, what="the readable file")
    os.chmod(shipping.path("secret.log"), 0o600)
    scenario.wait_for(lambda: shipping.count() >= 6, what="the file that became readable")
    process.terminate()
    result = scenario.program.finish(process)
    assert "secret.log" in result.stderr
    shipping.assert_once(numbered("good", 3) + numbered("secret", 3))


def test_a_file_name_of_any_bytes_makes_a_sound_key(world):
    names = ["with blank.log", "with/slash.log", "é€😀.log", "x" * 200 + ".log"]
    shipping, shipper = world(["*.log", "with/*.log"])
    os.mkdir(shipping.path("with"))
    for number, name in enumerate(names):
        shipping.append(numbered("file%d" % number, 2), shipping.path(name))
    with shipper:
        shipper.catch_up(8)
    shipping.assert_once([line for number in range(4) for line in numbered("file%d" % number, 2)])
    for record in shipping.records():
        assert len(record.key) <= 256 and record.key.isascii()
        host, file, generation, offset = record.key.split("/")
        assert file.endswith(".log") and offset.isdigit()
    assert len({record.key for record in shipping.records()}) == 8


def test_start_tail_leaves_out_what_stands_in_a_file_at_first_sight(world, mode):
    shipping, shipper = world(["*.log"], start="tail")
    log = shipping.path("drupal.log")
    shipping.append(text(numbered("old", 5)) + b"half of a", log)
    if mode == "once":
        shipping.run()
    with shipper:
        shipping.append(b" line\n" + text(numbered("new", 2)), log)
        shipper.catch_up(3)
        assert shipping.lines()[:1] == ["half of a line"]
        with shipper.away():
            shipping.append(numbered("away", 2), log)
            os.rename(log, log + ".1")
            shipping.append(numbered("next", 2), log)
        shipper.catch_up(7)
    shipping.assert_once(["half of a line"] + numbered("new", 2) + numbered("away", 2) + numbered("next", 2))


def test_start_tail_takes_a_file_that_appears_while_it_follows_from_its_head(scenario):
    shipping = Shipping(scenario, ["*.log"], start="tail", rescan="1s")
    shipping.append(numbered("old", 5), shipping.path("old.log"))
    with shipping.follow() as follower:
        shipping.append(numbered("young", 5), shipping.path("young.log"))
        follower.wait_for_lines(5)
    shipping.assert_once(numbered("young", 5))


def test_an_old_file_is_followed_as_well_as_a_young_one(world):
    shipping, shipper = world()
    shipping.append(numbered("a", 3))
    os.utime(shipping.log, (10_000_000, 10_000_000))
    with shipper:
        shipper.catch_up(3)
        os.utime(shipping.log, (10_000_000, 10_000_000))
        shipping.append(numbered("a", 3, start=3))
        shipper.catch_up(6)
    shipping.assert_bytes(text(numbered("a", 6)))


def test_deleted_and_made_again_under_the_same_name(world):
    shipping, shipper = world()
    shipping.append(numbered("before", 4))
    with shipper:
        shipper.catch_up(4)
        os.unlink(shipping.log)
        if not shipper.follows:
            shipper.report = shipping.run(expect=(0, 75)).report
        shipping.append(numbered("after", 3))
        shipper.catch_up(7)
    shipping.assert_bytes(text(numbered("before", 4)), text(numbered("after", 3)))


def test_a_file_that_is_deleted_while_it_is_followed_is_shipped_to_its_end(scenario):
    """The daemon goes on writing to a file that has no name any more."""
    shipping = Shipping(scenario, rotate_wait="1s")
    with open(shipping.log, "ab", buffering=0) as daemon:
        daemon.write(text(numbered("a", 3)))
        with shipping.follow() as follower:
            follower.wait_for_lines(3)
            os.unlink(shipping.log)
            daemon.write(text(numbered("a", 500, start=3)))
            follower.wait_for_lines(503)
    shipping.assert_bytes(text(numbered("a", 503)))


def test_a_file_that_vanished_unread_is_accounted_for(scenario):
    shipping = Shipping(scenario)
    shipping.append(text(numbered("a", 3)) + b"an unfinished line that nobody will ever see")
    shipping.run()
    os.unlink(shipping.log)
    shipping.append(numbered("b", 2))
    result = shipping.run(expect=(0, 75))
    shipping.assert_once(numbered("a", 3) + numbered("b", 2))
    lost = [f for f in result.report["files"] if f["suspected_lost_bytes"]]
    assert [f["suspected_lost_bytes"] for f in lost] == [44] and lost[0]["state"] in ("gone", "lost")
    assert shipping.log in result.stderr
    assert not any(f["suspected_lost_bytes"] for f in shipping.run().report["files"]), "it is said once"


def test_a_symbolic_link_whose_target_changes(world):
    shipping, shipper = world(["current.log"], rotate_wait="1s")
    one, two = shipping.path("2026-11-22"), shipping.path("2026-11-23")
    os.symlink(one, shipping.log)
    shipping.append(numbered("one", 3), one)

    def turn(target):
        os.symlink(target, shipping.log + ".new")
        os.replace(shipping.log + ".new", shipping.log)

    with shipper:
        shipper.catch_up(3)
        if shipper.follows:     # what comes to the old target after the turn is found by who held it open
            shipping.append(b"", two)
            turn(two)
            shipping.append(numbered("one", 2, start=3), one)
            shipping.append(numbered("two", 3), two)
            shipper.catch_up(8)
        else:
            shipping.append(numbered("one", 2, start=3), one)
            shipper.catch_up(5)
            shipping.append(numbered("two", 3), two)
            turn(two)
            shipper.catch_up(8)
        with shipper.away():
            shipping.append(numbered("two", 1, start=3), two)
        shipper.catch_up(9)
    shipping.assert_once(numbered("one", 5) + numbered("two", 4))


@pytest.mark.parametrize("how", ["link turned away and back", "folder moved away and back"])
def test_a_file_that_was_out_of_sight_for_a_while_is_not_sent_again(scenario, how):
    """A file system that was not mounted for one run, a link that was turned back."""
    shipping = Shipping(scenario, ["site/*.log"])
    site, real = shipping.path("site"), shipping.path("real")
    os.mkdir(real)
    os.symlink(real, site)
    shipping.append(numbered("a", 5), site + "/drupal.log")
    shipping.run()
    if how.startswith("link"):
        os.mkdir(shipping.path("other"))
        shipping.append(numbered("other", 3), shipping.path("other/drupal.log"))
        os.unlink(site)
        os.symlink(shipping.path("other"), site)
    else:
        os.rename(real, real + ".away")
    shipping.run(expect=(0, 75))
    if how.startswith("link"):
        os.unlink(site)
        os.symlink(real, site)
    else:
        os.rename(real + ".away", real)
    shipping.append(numbered("a", 2, start=5), site + "/drupal.log")
    shipping.run()
    shipping.assert_once(numbered("a", 7) + (numbered("other", 3) if how.startswith("link") else []))


def test_a_file_that_is_moved_and_named_anew_is_not_sent_again(world):
    shipping, shipper = world()
    shipping.append(numbered("a", 4))
    with shipper:
        shipper.catch_up(4)
        with shipper.away():
            os.rename(shipping.log, shipping.path("moved.log"))
            shipping.append(numbered("a", 2, start=4), shipping.path("moved.log"))
            shipping.files = [shipping.path("moved.log")]
            shipping.write_job()
        shipper.catch_up(6)
    shipping.assert_once(numbered("a", 6))


def test_a_name_that_begins_with_that_of_another_file(world):
    """`drupal.log.audit` could be taken for a rotated `drupal.log`."""
    shipping, shipper = world(["drupal.log", "drupal.log.audit"])
    log, audit = shipping.files
    with shipper:
        for number in range(3):
            shipping.append(numbered("log", 10, start=10 * number), log)
            shipping.append(numbered("audit", 10, start=10 * number), audit)
            shipper.catch_up(20 * number + 20)
            with shipper.away():
                shipping.append(["log rest %d" % number], log)
                os.rename(log, "%s.%d" % (log, number))
                shipping.append(b"", log)
            shipper.catch_up(20 * number + 20 + number + 1)
    shipping.assert_once(numbered("log", 30) + numbered("audit", 30) + ["log rest %d" % n for n in range(3)])


@pytest.mark.slow
def test_many_files(world):
    shipping, shipper = world(["site*.log"])
    for number in range(300):
        shipping.append(numbered("site%03d" % number, 2), shipping.path("site%03d.log" % number))
    with shipper:
        shipper.catch_up(600)
        for number in range(0, 300, 7):
            shipping.append(numbered("site%03d" % number, 1, start=2), shipping.path("site%03d.log" % number))
        shipper.catch_up(643)
    assert shipping.count() == 643 and len(set(shipping.lines())) == 643


def test_without_inotify_it_looks_by_itself(scenario):
    """A user namespace in which there may be no inotify instance."""
    shipping = Shipping(scenario, ["drupal*.log"], rescan="1s", rotate_wait="1s")
    log = shipping.path("drupal.log")
    shipping.append(numbered("a", 3), log)
    process = subprocess.Popen(
        ["unshare", "--user", "--map-root-user", "sh", "-c",
         'echo 0 >/proc/sys/user/max_inotify_instances; exec "$0" ship "$1" --json', binary(), shipping.job],
        env=scenario.program.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    scenario.wait_for(lambda: shipping.count() >= 3)
    with open(log, "ab", buffering=0) as daemon:
        os.rename(log, log + ".1")
        daemon.write(text(numbered("a", 2, start=3)))
        shipping.append(numbered("b", 2), log)
        scenario.wait_for(lambda: shipping.count() >= 7)
    shipping.append(numbered("c", 2), shipping.path("drupal-new.log"))
    scenario.wait_for(lambda: shipping.count() >= 9)
    process.terminate()
    scenario.program.finish(process)
    shipping.assert_once(numbered("a", 5) + numbered("b", 2) + numbered("c", 2))
    assert read(log) == text(numbered("b", 2))
