import AWS
import Testing

@testable import Jobs

@Suite struct WaitNewsTests {
    @Test func aLongWaitIsToldSoonAndThenTwiceAMinute() {
        var news = WaitNews()
        let told = (0...200).compactMap { second in
            news.text("load x", "id", .started, .seconds(second)).map { (second, $0) }
        }
        #expect(told.map(\.0) == [2, 32, 62, 92, 122, 152, 182])
        #expect(told[1].1 == "load x: waiting for 32 s, statement id is STARTED")
    }
}
