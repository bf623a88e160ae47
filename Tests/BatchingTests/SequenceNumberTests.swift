import Batching
import Testing

struct SequenceNumberTests {
    @Test(arguments: ["0", "1", "49590338271490256608559692538361571095921575989136588898"])
    func decimalIsReadAndGoesThroughItsPaddedForm(text: String) throws {
        let number = try #require(SequenceNumber(text))
        #expect(number.padded.utf8.count == 64)
        #expect(SequenceNumber(padded: number.padded[...]) == number)
    }

    @Test(arguments: ["", "00", "01", "-1", "+1", "1.0", "1e3", " 1", "١", "12a", String(repeating: "9", count: 130)])
    func whatIsNotADecimalIsRefused(text: String) { #expect(SequenceNumber(text) == nil) }

    @Test func digitsAreLimitedAtExactly129() throws {
        let longest = String(repeating: "9", count: 129)
        #expect(try #require(SequenceNumber(longest)).padded == longest)
        #expect(SequenceNumber(padded: longest[...])?.text == longest)
    }

    @Test(arguments: ["7", String(repeating: "0", count: 63), "0" + String(repeating: "9", count: 64)])
    func paddedFormOfAnotherWidthIsRefused(text: String) { #expect(SequenceNumber(padded: text[...]) == nil) }

    @Test func orderIsThatOfWholeNumbers() throws {
        let ascending = ["0", "2", "9", "10", "99", "100", "49590338271490256608559692538361571095921575989136588898"]
        let numbers = ascending.compactMap { SequenceNumber($0) }
        #expect(numbers.sorted() == numbers)
        #expect(numbers.reversed().sorted() == numbers)
        #expect(numbers.map(\.padded).sorted() == numbers.map(\.padded))
    }
}
