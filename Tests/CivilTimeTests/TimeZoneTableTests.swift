import CivilTime
import Foundation
import Testing

private func local(_ text: String) throws -> CivilDateTime {
    CivilDateTime(try #require(RFC3339.parse(text + "Z")))
}

@Test(arguments: [
    ("UTC", "2024-07-01T12:00:00", "2024-07-01T12:00:00Z"),
    ("Asia/Karachi", "2020-02-13T20:07:26", "2020-02-13T15:07:26Z"),
    ("Europe/Berlin", "2024-01-15T12:00:00", "2024-01-15T11:00:00Z"),
    ("Europe/Berlin", "2024-07-15T12:00:00", "2024-07-15T10:00:00Z"),
    ("America/New_York", "2024-12-31T23:30:00", "2025-01-01T04:30:00Z"),
    ("Pacific/Kiritimati", "2025-01-01T00:30:00", "2024-12-31T10:30:00Z"),
    ("Asia/Kathmandu", "2024-05-05T05:45:00", "2024-05-05T00:00:00Z"),
    // Lord Howe turns by half an hour.
    ("Australia/Lord_Howe", "2024-01-15T11:00:00", "2024-01-15T00:00:00Z"),
    // Morocco leaves its usual time for about a month each year.
    ("Africa/Casablanca", "2024-03-20T12:00:00", "2024-03-20T12:00:00Z"),
    ("Africa/Casablanca", "2024-05-20T12:00:00", "2024-05-20T11:00:00Z"),
])
func localTimesBecomeInstants(zone: String, wallClock: String, instant: String) throws {
    let table = try #require(TimeZoneTable(identifier: zone))
    #expect(table.instant(ofLocal: try local(wallClock)) == RFC3339.parse(instant))
}

@Test func hourThatComesTwiceIsTheFirstPassing() throws {
    let berlin = try #require(TimeZoneTable(identifier: "Europe/Berlin"))
    let twice = try local("2024-10-27T02:30:00")
    #expect(berlin.instant(ofLocal: twice) == RFC3339.parse("2024-10-27T00:30:00Z"))
    #expect(berlin.offsets(ofLocal: twice) == berlin.offsets(ofLocal: try local("2024-10-27T02:00:00")))
}

@Test(arguments: [
    ("2024-10-27T00:31:00Z", "2024-10-27T00:30:00Z"), ("2024-10-27T01:31:00Z", "2024-10-27T01:30:00Z"),
    ("2024-10-27T01:00:00Z", "2024-10-27T00:30:00Z"), ("2024-10-28T00:00:00Z", "2024-10-27T01:30:00Z"),
])
func ofTwoPassingsTheNearestToTheReferenceIsTaken(reference: String, instant: String) throws {
    let berlin = try #require(TimeZoneTable(identifier: "Europe/Berlin"))
    let near = try #require(RFC3339.parse(reference))
    #expect(berlin.instant(ofLocal: try local("2024-10-27T02:30:00"), near: near) == RFC3339.parse(instant))
}

@Test func timeThatNeverWasIsReadWithTheClockNotYetTurned() throws {
    let berlin = try #require(TimeZoneTable(identifier: "Europe/Berlin"))
    #expect(berlin.instant(ofLocal: try local("2024-03-31T02:30:00")) == RFC3339.parse("2024-03-31T01:30:00Z"))
    // The minutes at both edges exist.
    #expect(berlin.instant(ofLocal: try local("2024-03-31T01:59:59")) == RFC3339.parse("2024-03-31T00:59:59Z"))
    #expect(berlin.instant(ofLocal: try local("2024-03-31T03:00:00")) == RFC3339.parse("2024-03-31T01:00:00Z"))
}

@Test func wholeDayThatWasSkippedIsReadWithTheOldOffset() throws {
    // Samoa had no 30 December 2011.
    let apia = try #require(TimeZoneTable(identifier: "Pacific/Apia"))
    #expect(apia.instant(ofLocal: try local("2011-12-30T12:00:00")) == RFC3339.parse("2011-12-30T22:00:00Z"))
}

@Test func unknownZoneGivesNoTable() {
    #expect(TimeZoneTable(identifier: "Europe/Nowhere") == nil)
    #expect(TimeZoneTable(identifier: "") == nil)
}

@Test func everyHalfHourOfSomeYearsComesBack() throws {
    for identifier in ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Tehran", "UTC"] {
        let table = try #require(TimeZoneTable(identifier: identifier))
        let zone = try #require(TimeZone(identifier: identifier))
        for year in [1_975, 2_018, 2_024, 2_037] {
            var seconds = Int64(CivilDateTime.days(year: year, month: 1, day: 1)) * 86_400
            let end = Int64(CivilDateTime.days(year: year + 1, month: 1, day: 1)) * 86_400
            while seconds < end {
                let offset = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds)))
                let wallClock = CivilDateTime(Timestamp(seconds: seconds + Int64(offset)))
                let instant = table.instant(ofLocal: wallClock, near: Timestamp(seconds: seconds))
                guard instant == Timestamp(seconds: seconds) else {
                    Issue.record("\(identifier) \(wallClock): \(RFC3339.text(instant)) instead of \(seconds)")
                    return
                }
                seconds += 1_800
            }
        }
    }
}

@Test func datesFarAwayUseTheNearEndOfTheTable() throws {
    let berlin = try #require(TimeZoneTable(identifier: "Europe/Berlin"))
    let far = berlin.offsets(ofLocal: CivilDateTime(year: 9_999, month: 1, day: 15))
    #expect(far == LocalOffsets(first: 3_600, second: 3_600))
}
