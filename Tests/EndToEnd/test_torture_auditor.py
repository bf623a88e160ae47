"""The torture's auditor finds what it is there for. Each test spoils a sound stream in one way."""

import base64

import aws_kinesis_agg.aggregator
import pytest

from torture.auditor import CUT, DOUBLE, FOREIGN, LOST, OTHER_KEY, WRONG_KEY, Audit, Doubt, Kill
from torture.records import StreamRecord, source_key, user_records
from torture.truth import Incarnation, load, save

RECORD_BYTES = 2_048


def text(first, count, extra=b""):
    return b"".join(b"Nov 22 22:16:%02d web1 drupal: line %06d%s\n" % (n % 60, n, extra)
                    for n in range(first, first + count))


def incarnations():
    """A rotated file, a truncated one of the same name, and the one that is written to."""
    return [Incarnation(0, "drupal.log", text(0, 20), {"drupal.log.1"}, is_active=False),
            Incarnation(1, "drupal.log", text(20, 20), {"drupal.log.1"}, is_active=False),
            Incarnation(2, "drupal.log", text(40, 20) + b"Nov 22 unfinished")]


def records_of(incarnation, generation, file="drupal.log", lines_each=1, arrival_ms=1_000, host="web1"):
    """What a sound shipper sends of a file."""
    lines = [line for line in incarnation.lines()]
    found = []
    for index in range(0, len(lines), lines_each):
        start, end = lines[index][0], lines[min(index + lines_each, len(lines)) - 1][1]
        found.append(StreamRecord("%s/%s/%s/%d" % (host, file, generation, start), incarnation.content[start:end],
                                  arrival_ms, ("shardId-0", index, 0)))
    return found


def sound(world, lines_each=1):
    return [record for each in world for record in records_of(each, "%08x" % (each.number + 10), lines_each=lines_each)]


def kinds(world, records, *causes, **options):
    return [problem.kind for problem in Audit(world, records, causes, record_bytes=RECORD_BYTES, **options).problems]


@pytest.mark.parametrize("lines_each", [1, 7, 100])
def test_a_sound_stream_is_clean(lines_each):
    world = incarnations()
    audit = Audit(world, sound(world, lines_each)).assert_clean()
    assert audit.counts["lines"] == 60 and audit.counts["doubles"] == 0 and audit.counts["incarnations"] == 3


def test_a_line_feed_at_the_end_of_a_record_is_part_of_the_line():
    world = incarnations()
    assert kinds(world, [r._replace(data=r.data + b"\n") for r in sound(world, 3)]) == []


def test_a_lost_line_is_found():
    world = incarnations()
    records = sound(world)
    del records[33]
    assert kinds(world, records) == [LOST]
    records = sound(world, 10)
    del records[-1]
    audit = Audit(world, records)
    assert [p.kind for p in audit.problems] == [LOST] and audit.missing == 10


def test_a_lost_blank_line_is_found():
    world = [Incarnation(0, "drupal.log", text(0, 2) + b"\n" + text(2, 2))]
    records = sound(world)
    assert kinds(world, records) == []
    blank = next(r for r in records if not r.data)
    assert kinds(world, [r for r in records if r is not blank]) == [LOST]


def test_a_whole_file_that_was_lost_is_found():
    world = incarnations()
    assert Audit(world, sound([world[0], world[2]])).missing == 20


def test_a_double_without_cause_is_found():
    world = incarnations()
    records = sound(world)
    again = records[5]._replace(arrival_ms=9_000)
    assert kinds(world, records + [again]) == [DOUBLE]
    assert kinds(world, records + [again], Kill(900_000), Kill(-2_000), Doubt(3_000, 8_000)) == [DOUBLE]


def test_a_double_after_a_kill_or_a_lost_answer_is_allowed_under_the_same_key():
    world = incarnations()
    records = sound(world)
    again = records[5]._replace(arrival_ms=9_000)
    assert kinds(world, records + [again], Kill(4_000)) == []
    assert kinds(world, records + [again], Doubt(900, 1_100)) == []
    other = again._replace(key=again.key.replace("0000000a", "0000000f"))
    assert kinds(world, records + [other], Kill(4_000)) == [OTHER_KEY]


def test_a_kill_does_not_excuse_what_was_sent_long_before():
    world = incarnations()
    records = sound(world)
    again = records[5]._replace(arrival_ms=61_000)
    assert kinds(world, records + [again], Kill(60_000)) == [DOUBLE]


def test_a_double_inside_other_records_is_found():
    """After a restart an aggregate may be cut elsewhere: doubles are told by line, not by record."""
    world = incarnations()
    records = sound(world, 7)
    line = sound(world)[3]._replace(arrival_ms=5_000)
    assert kinds(world, records + [line]) == [DOUBLE]
    assert kinds(world, records + [line], Kill(3_000)) == []
    assert kinds(world, records + [line._replace(key=line.key.replace("0000000a", "000000aa"))], Kill(3_000)) == \
        [OTHER_KEY]


@pytest.mark.parametrize("key", ["web1/drupal.log/0000000a/1", "web1/drupal.log/0000000a/0", "web1/drupal.log/0000000b/41",
                                 "web1/other.log/0000000a/41", "web1/drupal.log/0000000a/999999"])
def test_a_wrong_key_is_found(key):
    world = incarnations()
    records = sound(world)
    index = next(i for i, r in enumerate(records) if r.key == "web1/drupal.log/0000000a/41")
    records[index] = records[index]._replace(key=key)
    assert sorted(kinds(world, records)) == [LOST, WRONG_KEY]


@pytest.mark.parametrize("key", ["43", "web1/drupal.log/41", "web1/drupal.log/0000000A/41", "web1/drupal.log/a/41",
                                 "web1/drupal.log/0000000a/043", "web 1/drupal.log/0000000a/41"])
def test_a_key_of_another_form_is_found(key):
    world = incarnations()
    records = sound(world)
    records[1] = records[1]._replace(key=key)
    assert sorted(kinds(world, records)) == [LOST, WRONG_KEY]


def test_a_second_host_name_is_found():
    world = incarnations()
    records = sound(world[:2]) + records_of(world[2], "0000000c", host="web2")
    assert kinds(world, records) == [WRONG_KEY]


def test_a_generation_that_goes_on_after_a_truncation_is_found():
    world = incarnations()
    records = records_of(world[0], "0000000a") + records_of(world[1], "0000000a") + records_of(world[2], "0000000c")
    assert kinds(world, records) == [WRONG_KEY] * 20 + [LOST]


@pytest.mark.parametrize("cut", [slice(0, -5), slice(3, None), slice(0, 0)])
def test_a_cut_line_is_found(cut):
    world = incarnations()
    records = sound(world)
    whole = records[30]
    key = source_key(whole.key)
    records[30] = whole._replace(data=whole.data[cut], key="%s/%s/%s/%d" % (
        key.prefix + (key.offset + (cut.start or 0),)))
    assert kinds(world, records) == [CUT, LOST]


def test_an_aggregate_that_ends_inside_a_line_is_found():
    world = incarnations()
    records = sound(world, 7)
    records[1] = records[1]._replace(data=records[1].data[:-4])
    assert sorted(set(kinds(world, records))) == [CUT, LOST]


def test_a_changed_byte_is_found():
    world = incarnations()
    records = sound(world)
    records[7] = records[7]._replace(data=records[7].data.replace(b"line", b"lime"))
    assert sorted(kinds(world, records)) == [FOREIGN, LOST]


def test_the_unfinished_line_of_the_active_file_must_wait():
    world = incarnations()
    end = world[2].content.rfind(b"\n") + 1
    tail = StreamRecord("web1/drupal.log/0000000c/%d" % end, world[2].content[end:], 2_000, ("shardId-0", 99, 0))
    assert kinds(world, sound(world) + [tail]) == [CUT]
    world[2].is_active = False
    assert kinds(world, sound(world) + [tail]) == []
    assert kinds(world, sound(world)) == []


def test_only_lines_between_copy_and_truncation_may_be_lost():
    world = incarnations()
    size = len(world[0].content)
    lines = list(world[0].lines())
    world[0].losable = [(lines[15][0] + 5, size)]
    records = sound(world)
    audit = Audit(world, records[:15] + records[20:]).assert_clean()
    assert audit.counts["lost by design"] == 5
    assert kinds(world, records) == []
    assert kinds(world, records[:14] + records[20:]) == [LOST]


def long_world():
    line = b"Nov 22 22:16:59 web1 drupal: long " + b"%08d" % 7 * 600
    return [Incarnation(0, "drupal.log", text(0, 3) + line + b"\n" + text(3, 3))], len(text(0, 3)), line


def test_a_line_longer_than_a_record_may_come_in_pieces_without_a_hole():
    world, at, line = long_world()
    rest = [r for r in records_of(world[0], "0000000a") if b"long" not in r.data]

    def piece(start, end):
        return StreamRecord("web1/drupal.log/0000000a/%d" % (at + start), line[start:end], 1_500, ("shardId-0", start, 1))

    whole = [piece(0, 2_000), piece(2_000, 4_000), piece(4_000, len(line))]
    assert kinds(world, rest + whole) == []
    assert kinds(world, rest + whole + [whole[1]]) == [DOUBLE]
    assert kinds(world, rest + [whole[0], whole[2]]) == [LOST]
    assert kinds(world, rest + [piece(0, 2_000), piece(2_001, 4_000), piece(4_000, len(line))]) == [LOST]


def test_a_long_line_may_be_cut_where_the_job_says_so():
    world, at, line = long_world()
    rest = [r for r in records_of(world[0], "0000000a") if b"long" not in r.data]
    cut = StreamRecord("web1/drupal.log/0000000a/%d" % at, line[:1_900] + b" [cut: 2,942 bytes]", 1_500, ("s", 0, 1))
    assert kinds(world, rest + [cut], long_lines="cut") == []
    assert sorted(kinds(world, rest + [cut])) == [FOREIGN, LOST]
    short = cut._replace(data=line[:900] + b" [cut]")
    assert sorted(kinds(world, rest + [short], long_lines="cut")) == [FOREIGN, LOST]


def test_nul_bytes_at_the_head_of_a_line_are_left_out():
    world = [Incarnation(0, "drupal.log", b"\0" * 5_000 + text(0, 3))]
    assert kinds(world, sound(world)) == []
    assert kinds(world, sound(world)[1:]) == [LOST]


def test_a_file_may_have_the_name_that_it_was_first_seen_under():
    world = incarnations()
    records = records_of(world[0], "0000000a", file="drupal.log.1") + sound(world[1:])
    assert kinds(world, records) == []


def test_a_file_that_was_cut_short_is_told_from_one_that_begins_with_the_same_bytes():
    """A partial line was copied and truncated within the second in which the next file began."""
    short = Incarnation(1, "drupal.log", text(0, 1)[:25], {"drupal.log.1"}, is_active=False)
    short.ends.add(25)
    world = [Incarnation(0, "drupal.log", text(0, 3)), short]
    records = records_of(world[0], "0000000a")
    records.append(StreamRecord("web1/drupal.log/0000000b/0", short.content[:], 1_000, ("shardId-0", 9, 0)))
    assert kinds(world, records) == []


def dumped(key, data, number):
    return {"shard": "shardId-000000000000", "sequence": str(number), "arrival_ms": 1_000, "partition_key": key,
            "data": base64.b64encode(data).decode(), "trimmed": False}


def test_aggregates_are_unpacked_with_the_key_of_each_line():
    world = incarnations()
    aggregator = aws_kinesis_agg.aggregator.RecordAggregator()
    for record in sound(world)[1:]:
        aggregator.add_user_record(record.key, record.data)
    _, _, packed = aggregator.clear_and_get().get_contents()
    first = sound(world)[0]
    records = user_records([dumped("any", packed, 2), dumped(first.key, first.data, 1)])
    assert len(records) == 60 and kinds(world, records) == []
    del records[17]
    assert kinds(world, records) == [LOST]


def test_truth_comes_back_from_its_folder(tmp_path):
    world = incarnations()
    world[0].losable, world[1].ends = [(3, 9)], {17}
    again = load(save(tmp_path, world))
    assert [vars(i) for i in again] == [vars(i) for i in world]
