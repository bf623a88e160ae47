// What stands between the manifests of a shard: each story has its faults and no others.

import Batching
import CivilTime
import Testing

/// `A` to `Z` are batches of ten records each: 100…109, 200…209, and so on.
private func number(_ letter: Character, _ offset: Int) throws -> SequenceNumber {
    let index = Int(letter.asciiValue ?? 64) - 64
    return try sequence(String(index * 100 + offset))
}

private func key(_ letter: Character) -> String { "commits/1/s/\(letter).json" }

private func link(
    _ letter: Character, after previous: Character?, backfill: BackfillMark? = nil, gap: GapRecord? = nil,
    first: Int = 0, last: Int = 9
) throws -> ChainLink {
    let start = Timestamp(seconds: Int64(letter.asciiValue ?? 0) * 1_000)
    return ChainLink(
        key: key(letter), first: try number(letter, first), last: try number(letter, last),
        previous: previous.map(key), gap: gap, backfill: backfill, firstArrival: start,
        lastArrival: start.adding(.seconds(10)))
}

private func faults(_ links: [ChainLink], joined: [BackfillLedger.Joined] = []) -> [ChainFault] {
    var check = ChainCheck(joined: joined)
    return links.flatMap { check.add($0) }
}

/// A backfilled batch that follows the last record of `letter`.
private func filled(after letter: Character) throws -> BackfillMark { BackfillMark(after: try number(letter, 9)) }

struct ChainCheckTests {
    @Test func unbrokenChainHasNoFault() throws {
        #expect(faults([try link("A", after: nil), try link("B", after: "A"), try link("C", after: "B")]) == [])
        var check = ChainCheck()
        for letter in ["A", "B"] as [Character] { _ = check.add(try link(letter, after: letter == "A" ? nil : "A")) }
        #expect(try check.first == (try number("A", 0)) && check.last == (try number("B", 9)))
        #expect(check.finish(expected: key("B"), checkpoint: try number("B", 9)) == nil)
        #expect(check.finish(expected: nil) == nil)
        #expect(check.finish(expected: key("A"), checkpoint: try number("A", 9)) == nil, "the state was read before")
    }

    @Test func missingManifestIsNamedWithWhatLiesAround() throws {
        let middle = faults([try link("A", after: nil), try link("C", after: "B"), try link("D", after: "C")])
        #expect(middle.map(\.kind) == [.manifestMissing] && middle[0].key == key("B"))
        #expect(middle[0].from == Timestamp(seconds: 65_010) && middle[0].to == Timestamp(seconds: 67_000))
        #expect(try middle[0].after == (try number("A", 9)) && middle[0].before == (try number("C", 0)))
        let first = faults([try link("B", after: "A"), try link("C", after: "B")])
        #expect(first.map(\.kind) == [.manifestMissing] && first[0].key == key("A") && first[0].from == nil)
        var check = ChainCheck()
        _ = check.add(try link("A", after: nil))
        let last = check.finish(expected: key("B"))
        #expect(last?.kind == .manifestMissing && last?.key == key("B") && last?.to == nil)
        #expect(ChainCheck().finish(expected: key("A"))?.kind == .manifestMissing)
    }

    @Test func newestManifestMustEndWhereTheStateSays() throws {
        var check = ChainCheck()
        _ = check.add(try link("A", after: nil))
        #expect(check.finish(expected: key("A"), checkpoint: try number("A", 8))?.kind == .forged)
    }

    @Test func rangeInTwoBatchesIsNamedOnceAndTheChainGoesOn() throws {
        // A batch that begins within A and reaches over B.
        let inside = ChainLink(
            key: "commits/1/s/A5.json", first: try number("A", 5), last: try number("B", 5), previous: key("A"),
            firstArrival: sampleTime, lastArrival: sampleTime)
        let story = [try link("A", after: nil), inside, try link("B", after: "A"), try link("C", after: "B")]
        let found = faults(story)
        #expect(found.map(\.kind) == [.rangeDoubled] && found[0].key == "commits/1/s/A5.json")
        // Somebody went on from the second batch: the one after it is not blamed as well.
        var other = try link("C", after: nil)
        other.previous = "commits/1/s/A5.json"
        #expect(faults(Array(story.prefix(2)) + [other]).map(\.kind) == [.rangeDoubled])
    }

    @Test func chainThatForksOrBeginsAnewIsNamed() throws {
        let fork = faults([try link("A", after: nil), try link("B", after: "A"), try link("C", after: "A")])
        #expect(fork.map(\.kind) == [.chainBroken] && fork[0].key == key("C"))
        let anew = faults([try link("A", after: nil), try link("B", after: nil)])
        #expect(anew.map(\.kind) == [.chainBroken] && anew[0].key == key("B"))
    }

    @Test func doubtfulManifestIsNotBlamedOnItsNeighbours() throws {
        var check = ChainCheck()
        _ = check.add(try link("A", after: nil))
        check.addDoubtful(key: key("B"))
        #expect(check.add(try link("C", after: "B")) == [])
        // One that somebody added in between.
        check.addDoubtful(key: key("D"))
        #expect(check.add(try link("E", after: "C")) == [])
        #expect(check.add(try link("G", after: "F")).map(\.kind) == [.manifestMissing])
    }

    @Test func expiredRecordsThatAreNotedAreNoDamage() throws {
        let gap = GapRecord(after: try number("A", 9), from: sampleTime, to: nil)
        let found = faults([try link("A", after: nil), try link("B", after: "A", gap: gap), try link("C", after: "B")])
        #expect(found.map(\.kind) == [.noted(gap)])
        // A gap does not excuse a lost manifest.
        let lost = faults([try link("A", after: nil), try link("C", after: "B", gap: gap)])
        #expect(lost.map(\.kind) == [.noted(gap), .manifestMissing])
    }

    // MARK: Backfills

    @Test func refilledRangeIsWholeWhereEachLinkIsProven() throws {
        let joined = [BackfillLedger.Joined(after: try number("B", 9), before: try number("C", 0))]
        // B was lost; a backfill put a batch under its key, or under another one.
        for same in [true, false] {
            var refilled = try link("B", after: "A", backfill: try filled(after: "A"))
            var next = try link("C", after: "B")
            if !same {
                refilled.key = "commits/1/s/B1.json"
                next.previous = key("B")
            }
            let story = [try link("A", after: nil), refilled, next]
            #expect(faults(story, joined: joined) == [], "same key: \(same)")
            let unproven = faults(story)
            #expect(try unproven.count == 1 && unproven[0].before == (try number("C", 0)))
            #expect(unproven[0].kind == (same ? .gap : .manifestMissing))
        }
    }

    @Test func halfRefilledRangeIsAGap() throws {
        let story = [
            try link("A", after: nil), try link("C", after: "B", backfill: BackfillMark(after: nil)),
            try link("D", after: "C"),
        ]
        #expect(faults(story).map(\.kind) == [.gap, .gap])
        #expect(faults(story)[0].after == (try number("A", 9)))
    }

    @Test func whatBackfillsBroughtOfTimesBeforeTheJobIsNoGap() throws {
        let story = [
            try link("A", after: nil, backfill: BackfillMark(after: nil)),
            try link("C", after: nil, backfill: BackfillMark(after: nil)), try link("E", after: nil),
            try link("F", after: "E"),
        ]
        #expect(faults(story) == [])
        // The first batch of the job itself is gone.
        #expect(faults(Array(story.prefix(2)) + [story[3]]).map(\.kind) == [.manifestMissing])
    }

    @Test func backfilledBatchWhereNoRecordCanBeIsDoubled() throws {
        let found = faults([
            try link("A", after: nil), try link("B", after: "A", backfill: try filled(after: "A")),
            try link("C", after: "A"),
        ])
        #expect(found.map(\.kind) == [.rangeDoubled] && found[0].key == key("B"))
    }

    @Test func everyLostStretchIsFound() throws {
        let letters = Array("ABCDEFGH")
        for from in letters.indices {
            for to in from..<letters.count - 1 {
                let kept = letters.indices.filter { !(from...to).contains($0) }
                let story = try kept.map { try link(letters[$0], after: $0 == 0 ? nil : letters[$0 - 1]) }
                let found = faults(story)
                #expect(found.map(\.kind) == [.manifestMissing] && found[0].key == key(letters[to]))
            }
        }
    }
}
