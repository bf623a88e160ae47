"""Files that are truncated: by copytruncate, where the copy has what was not read yet, and without a copy."""

import os
import shutil

import pytest

from support.shipping import Shipping, numbered, pack, read, text


def copy_and_truncate(log, target):
    shutil.copyfile(log, target)
    os.truncate(log, 0)


def test_copytruncate_loses_nothing_that_is_in_the_copy(world):
    shipping, shipper = world()
    contents = []
    with shipper:
        for number in range(3):
            shipping.append(numbered("f%d" % number, 50))
            shipper.catch_up(60 * number + 50)
            with shipper.away():
                shipping.append(numbered("f%d" % number, 10, start=50))     # unshipped when the file is truncated
                contents.append(read(shipping.log))
                copy_and_truncate(shipping.log, "%s-%d" % (shipping.log, number))
            shipper.catch_up(60 * number + 60)
        shipping.append(numbered("last", 5))
        shipper.catch_up(185)
    assert shipping.count() == 185
    shipping.assert_once([line for n in range(3) for line in numbered("f%d" % n, 60)] + numbered("last", 5))


@pytest.mark.slow
def test_copytruncate_under_a_following_shipper(scenario):
    shipping = Shipping(scenario)
    lines = numbered("first", 1)
    shipping.append(lines)
    with shipping.follow() as follower, open(shipping.log, "ab", buffering=0) as daemon:
        follower.wait_for_lines(1)
        for number in range(5):
            lines += numbered("f%d" % number, 40)
            daemon.write(text(lines[-40:]))
            if number % 2:
                follower.wait_for_lines(len(lines))
            copy_and_truncate(shipping.log, "%s.%d" % (shipping.log, number))
        lines += numbered("last", 40)
        daemon.write(text(lines[-40:]))
        follower.wait_for_lines(len(lines))
    shipping.assert_once(lines)


@pytest.mark.parametrize("runs", ["once", "follow"])
def test_a_truncation_while_a_request_is_under_way(scenario, runs):
    """What was read is acknowledged after the file has other content: it is stored, and its position must say so."""
    shipping = Shipping(scenario, rescan="1s")
    shipping.append(numbered("old", 3))
    shipping.run()
    scenario.fault({"kind": "delay", "seconds": 1.5, "after_call": True}, {"operation": "PutRecords"}, count=1)
    shipping.append(numbered("a", 100))
    content = read(shipping.log)
    if runs == "once":
        process = shipping.start()
        scenario.wait_for(lambda: shipping.count() == 103, what="the lines on the stream")
        copy_and_truncate(shipping.log, shipping.log + ".1")
        shipping.append(numbered("b", 5))
        scenario.program.finish(process, expect=(0, 75))
    else:
        with shipping.follow() as follower:
            follower.wait_for_lines(103)
            copy_and_truncate(shipping.log, shipping.log + ".1")
            shipping.append(numbered("b", 5))
            follower.stop(expect=0)
    for _ in range(2):
        shipping.run()
    shipping.assert_bytes(content, text(numbered("b", 5)))


def test_copytruncate_packed_at_once(world):
    shipping, shipper = world()
    shipping.append(numbered("a", 50))
    with shipper:
        shipper.catch_up(50)
        with shipper.away():
            shipping.append(numbered("a", 50, start=50))
            copy_and_truncate(shipping.log, shipping.log + ".1")
            pack(shipping.log + ".1")
            shipping.append(numbered("b", 10))
        shipper.catch_up(110)
    shipping.assert_bytes(text(numbered("a", 100)), text(numbered("b", 10)))


def test_bytes_of_a_stale_writer_after_a_truncation_are_skipped_and_counted(world):
    """Without O_APPEND the daemon goes on at its old offset: a hole of NUL bytes."""
    shipping, shipper = world()
    daemon = os.open(shipping.log, os.O_WRONLY | os.O_CREAT)
    os.write(daemon, text(numbered("a", 200)))
    hole = os.path.getsize(shipping.log)
    with shipper:
        shipper.catch_up(200)
        copy_and_truncate(shipping.log, shipping.log + ".1")
        os.write(daemon, text(numbered("b", 3)))
        shipper.catch_up(203)
        os.write(daemon, text(numbered("b", 3, start=3)))
        shipper.catch_up(206)
    os.close(daemon)
    assert read(shipping.log).startswith(bytes(hole))
    shipping.assert_bytes(text(numbered("a", 200)), read(shipping.log))
    assert not any(b"\0" in record.data for record in shipping.records())
    if shipper.follows:
        assert sum(f["nul_bytes_skipped"] for f in shipper.report["files"]) == hole


# What stands in the file when it was truncated without a copy: shorter, as long as before, longer; and with a first
# line, or a whole first kibibyte, that is the same again.
REFILLS = {"shorter": lambda old: text(numbered("new", 20)), "as long": lambda old: text(numbered("NEW", 100)),
           "longer": lambda old: text(numbered("new", 300)),
           "same first line": lambda old: text(numbered("a", 1) + numbered("new", 300)),
           "same first lines": lambda old: text(numbered("a", 60) + numbered("new", 300))}


@pytest.mark.parametrize("kind", sorted(REFILLS))
def test_a_truncated_file_that_is_filled_anew_is_read_from_its_head(world, kind):
    shipping, shipper = world()
    old = text(numbered("a", 100))
    new = REFILLS[kind](old)
    shipping.append(old)
    with shipper:
        shipper.catch_up(100)
        with open(shipping.log, "r+b", buffering=0) as file:
            file.truncate(0)
            file.write(new)
        shipper.catch_up(100 + new.count(b"\n"))
    shipping.assert_bytes(old, new)


def test_what_was_truncated_unread_is_accounted_for(scenario):
    shipping = Shipping(scenario)
    shipping.append(text(numbered("a", 20)) + b"begun and never finished")
    shipping.run()
    os.truncate(shipping.log, 0)
    shipping.append(numbered("b", 5))
    result = shipping.run(expect=(0, 75))
    shipping.assert_once(numbered("a", 20) + numbered("b", 5))
    assert sum(f["suspected_lost_bytes"] for f in result.report["files"]) == 24
    assert shipping.log in result.stderr
