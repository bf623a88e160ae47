"""A file is known by what it holds: an inode that comes again, and a shipper that died before it could note anything."""

import gzip
import os
import shutil
import time

import pytest

from support.shipping import Shipping, numbered, pack, shift, text
from torture.auditor import Kill


@pytest.mark.parametrize("was", ["packed", "plain"])
def test_the_inode_of_a_rotated_file_comes_again_as_the_new_file(world, was):
    """A file system gives an inode to the next file as soon as it is free."""
    shipping, shipper = world()
    shipping.append(numbered("a", 100))
    with shipper:
        shipper.catch_up(100)
        with shipper.away():
            os.rename(shipping.log, shipping.log + ".1")
            rotated = pack(shipping.log + ".1") if was == "packed" else shipping.log + ".1"
            shipping.append(numbered("b", 10))
        shipper.catch_up(110)
        with shipper.away():
            os.rename(shipping.log, shipping.log + ".2")
            os.rename(rotated, shipping.log)    # the same inode; its content is the new file's
            with open(shipping.log, "r+b", buffering=0) as file:
                file.truncate(0)
                file.write(text(numbered("c", 300)))
        shipper.catch_up(410)
    shipping.assert_bytes(text(numbered("a", 100)), text(numbered("b", 10)), text(numbered("c", 300)))


def test_the_inode_of_the_plain_file_comes_again_while_its_packed_one_is_there(world):
    """What is packed was shipped from a file that is now another one: it must not be taken for unseen."""
    shipping, shipper = world()
    shipping.append(numbered("a", 100))
    with shipper:
        shipper.catch_up(100)
        for word, total in (("b", 400), ("c", 700)):
            with shipper.away():
                shift_packed(shipping.log)
                os.rename(shipping.log, shipping.log + ".1")
                with open(shipping.log + ".1", "rb") as plain, gzip.open(shipping.log + ".1.gz", "wb") as packed:
                    packed.write(plain.read())
                os.rename(shipping.log + ".1", shipping.log)    # the inode is free, and the new file gets it
                with open(shipping.log, "r+b", buffering=0) as file:
                    file.truncate(0)
                    file.write(text(numbered(word, 300)))
            shipper.catch_up(total)
        with shipper.away():
            shipping.append(numbered("c", 1, start=300))
        shipper.catch_up(701)
    shipping.assert_bytes(text(numbered("a", 100)), text(numbered("b", 300)), text(numbered("c", 301)))


def test_the_inode_of_an_empty_file_comes_again_as_another_log(scenario):
    """Nothing was known of the empty one, so nothing in the other log can contradict it."""
    shipping = Shipping(scenario, files=("drupal.log", "site.log"))
    shipping.append(numbered("a", 3))
    shipping.append(b"", shipping.path("site.log"))
    shipping.run()
    shift(shipping.log)
    os.rename(shipping.path("site.log"), shipping.log)
    shipping.append(numbered("b", 3))
    shipping.run()
    shipping.assert_bytes(text(numbered("a", 3)), text(numbered("b", 3)))


def test_the_packed_form_of_a_finished_log_turns_up_after_its_plain_one_was_gone(world):
    """As when rotated files are packed elsewhere and put back; looks in between find neither."""
    shipping, shipper = world()
    shipping.append(numbered("a", 100))
    with shipper:
        shipper.catch_up(100)
        os.rename(shipping.log, shipping.log + ".1")
        shipping.append(numbered("b", 10))
        shipper.catch_up(110)
        aside = shipping.path("aside")
        os.rename(shipping.log + ".1", aside)
        for number in range(2):
            with shipper.away():
                shipping.append(numbered("b", 10, start=10 * (number + 1)))
            shipper.catch_up(120 + 10 * number)
        with shipper.away():
            pack(aside, shipping.log + ".1.gz")
            shipping.append(numbered("b", 10, start=30))
        shipper.catch_up(140)
    shipping.assert_bytes(text(numbered("a", 100)), text(numbered("b", 40)))


def test_the_packed_copy_of_a_truncated_log_turns_up_after_its_inode_was_read_on(world):
    """The inode is the new log's, so the old one cannot come back under it; its copy can."""
    shipping, shipper = world()
    shipping.append(numbered("a", 100))
    with shipper:
        shipper.catch_up(100)
        with shipper.away():
            shipping.append(numbered("a", 20, start=100))
            shutil.copy2(shipping.log, shipping.path("aside"))
            os.truncate(shipping.log, 0)
            shipping.append(numbered("b", 10))
        shipper.catch_up(110)
        pack(shipping.path("aside"), shipping.log + ".1.gz")
        shipping.append(numbered("b", 10, start=10))
        shipper.catch_up(140)
    shipping.assert_bytes(text(numbered("a", 120)), text(numbered("b", 20)))


def test_a_copy_that_is_still_being_made_is_no_log(scenario):
    """`copytruncate` has written two lines of its copy when a run begins."""
    shipping = Shipping(scenario)
    shipping.append(numbered("a", 100))
    shipping.run()
    with open(shipping.log + ".1", "wb", buffering=0) as copy:
        copy.write(text(numbered("a", 2)))
        shipping.run()
        copy.write(text(numbered("a", 98, start=2)))
    os.truncate(shipping.log, 0)
    shipping.append(numbered("b", 3))
    shipping.run()
    shipping.assert_bytes(text(numbered("a", 100)), text(numbered("b", 3)))


def shift_packed(log):
    if os.path.exists(log + ".1.gz"):
        os.rename(log + ".1.gz", log + ".2.gz")


def test_a_kill_before_anything_was_saved_keeps_the_keys(scenario):
    """Its lines are on the stream, nothing says so, and before the next run the file has grown and was renamed."""
    shipping = Shipping(scenario)
    shipping.append(numbered("old", 3))
    shipping.run()
    shift(shipping.log)
    shipping.append(numbered("a", 3))
    scenario.fault({"kind": "delay", "seconds": 2, "after_call": True}, {"operation": "PutRecords"}, count=1)
    process = shipping.start()
    scenario.wait_for(lambda: shipping.count() == 6, what="the lines on the stream")
    process.kill()
    killed = Kill(time.time() * 1000)
    process.communicate()
    shipping.append(numbered("a", 100, start=3))
    shift(shipping.log)
    shipping.append(numbered("b", 3))
    shipping.run()
    shipping.assert_bytes(text(numbered("old", 3)), text(numbered("a", 103)), text(numbered("b", 3)), causes=[killed])
