"""Sequence numbers in the layout that Kinesis uses: 186-bit numbers, 56 decimal digits.

From the top: 2, the shard's creation second (36 bits), the shard's low nibble, a counter (64 bits), a spare byte, the
arrival second (36 bits), the shard index (32 bits), version 2. So numbers rise strictly within a shard, differ over
shards, and those of a child lie above every one of its parents, whose creation second is lower.
"""

COUNTER_MAX = 0x7FFFFFFFFFFFFFFF


def build(created_second, shard_index, counter, arrival_second):
    return ((2 << 184) | (created_second << 148) | ((shard_index & 0xF) << 144) | (counter << 80)
            | (arrival_second << 36) | (shard_index << 4) | 2)


def parse(text):
    """(creation second, shard index) of a number in this layout; ValueError for any other text."""
    if not text.isdigit() or len(text) > 129 or (len(text) > 1 and text[0] == "0"):
        raise ValueError("not a sequence number")
    number = int(text)
    if number >> 184 != 2 or number & 0xF != 2:
        raise ValueError("not version 2")
    return (number >> 148) & 0xFFFFFFFFF, (number >> 4) & 0xFFFFFFFF
