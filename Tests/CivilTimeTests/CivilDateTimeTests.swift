import CivilTime
import Testing

@Test(arguments: [
    (1970, 1, 1, 0), (1969, 12, 31, -1), (2000, 2, 29, 11_016), (2024, 2, 29, 19_782), (1900, 3, 1, -25_508),
    (0, 1, 1, -719_528), (9_999, 12, 31, 2_932_896),
])
func knownDayNumbers(year: Int, month: Int, day: Int, days: Int) {
    #expect(CivilDateTime.days(year: year, month: month, day: day) == days)
    #expect(CivilDateTime.civil(ofDay: days) == (year, month, day))
}

@Test func everyDayOfEightHundredYearsIsTheOneAfterTheDayBefore() {
    var year = 1_600
    var month = 1
    var day = 1
    for number in CivilDateTime.days(year: 1_600, month: 1, day: 1)..<CivilDateTime.days(year: 2_400, month: 1, day: 1)
    {
        guard CivilDateTime.civil(ofDay: number) == (year, month, day) else {
            Issue.record("day \(number) is not \(year)-\(month)-\(day)")
            return
        }
        day += 1
        if day > CivilDateTime.dayCount(year: year, month: month) {
            day = 1
            month += 1
        }
        if month > 12 {
            month = 1
            year += 1
        }
    }
}

@Test func instantsBeforeTheEpochRoundTowardsThePast() {
    let fields = CivilDateTime(Timestamp(microseconds: -1))
    #expect(
        fields
            == CivilDateTime(
                year: 1_969, month: 12, day: 31, hour: 23, minute: 59, second: 59, microsecond: 999_999))
    #expect(fields.timestampAsUTC == Timestamp(microseconds: -1))
}

@Test func leapSecondIsTheFirstSecondOfTheNextMinute() {
    let leap = CivilDateTime(year: 2_016, month: 12, day: 31, hour: 23, minute: 59, second: 60)
    #expect(leap.isValid)
    #expect(CivilDateTime(leap.timestampAsUTC) == CivilDateTime(year: 2_017, month: 1, day: 1))
}

@Test(arguments: [(2023, 2, 29), (2024, 2, 30), (2024, 4, 31), (2024, 13, 1), (2024, 0, 1), (2024, 1, 0)])
func datesThatDoNotExistAreInvalid(year: Int, month: Int, day: Int) {
    #expect(!CivilDateTime(year: year, month: month, day: day).isValid)
}

@Test func fieldsOutOfRangeAreInvalid() {
    #expect(!CivilDateTime(year: 2_024, month: 1, day: 1, hour: 24).isValid)
    #expect(!CivilDateTime(year: 2_024, month: 1, day: 1, minute: 60).isValid)
    #expect(!CivilDateTime(year: 2_024, month: 1, day: 1, second: 61).isValid)
    #expect(!CivilDateTime(year: 2_024, month: 1, day: 1, microsecond: 1_000_000).isValid)
}
