import Jobs
import Testing

@Suite struct ExpansionTests {
    private static let environment = ["A": "alpha", "EMPTY": "", "N": "7", "REC": "${A}", "Y": "{a: b}", "H": "x # y"]

    /// The value is put where a list of files stands, which keeps any text as it is.
    @Test(arguments: [
        ("/${A}", "/alpha"), ("/${A:-beta}", "/alpha"), ("/${B:-beta}", "/beta"), ("/${EMPTY:-beta}", "/beta"),
        ("/x${EMPTY}", "/x"), ("/${B:-}x", "/x"), ("/${A}${A}/$A", "/alphaalpha/$A"), ("/$${A}", "/${A}"),
        ("/${REC}", "/${A}"), ("/${Y}", "/{a: b}"), ("/${H}", "/x # y"), ("/${B:-a:-b c}", "/a:-b c"), ("/$", "/$"),
        ("/${B:-${A}", "/${A"),
    ])
    func variableIsReplacedOnceAndNeverReadAsYAML(written: String, expected: String) throws {
        let text = JobFiles.ship.replacing("\"/var/log/drupal.log\"", with: "\"\(written)\"")
        #expect(try JobFiles.loadShip(text, environment: Self.environment).files == [expected])
    }

    @Test(arguments: ["/${", "/${A", "/${}", "/${1}", "/${A-x}", "/${A:?x}", "/${A:+x}", "/${Ä}"])
    func malformedVariableIsRefused(written: String) {
        let text = JobFiles.ship.replacing("\"/var/log/drupal.log\"", with: "\"\(written)\"")
        let problems = JobFiles.problems(text, environment: Self.environment)
        #expect(problems.count == 1 && problems.first?.message.contains("is not a variable") == true, "\(problems)")
    }

    @Test func variableServesForANumberToo() throws {
        let text = JobFiles.ship + "\nmax_in_flight: ${N}\nlinger: ${L:-2s}"
        let file = try JobFiles.loadShip(text, environment: Self.environment)
        #expect(file.maxInFlight == 7 && file.linger == .seconds(2))
    }

    @Test func keyIsNeverExpanded() {
        let problems = JobFiles.problems(JobFiles.ship + "\n${A}: 1", environment: ["A": "linger"])
        #expect(problems.map(\.key) == ["${A}"])
    }

    @Test func messageShowsWhereAWrongValueCameFrom() {
        let text = JobFiles.ship + "\nmax_in_flight: ${N}"
        let problems = JobFiles.problems(text, environment: ["N": "many"])
        #expect(problems.first?.message == "\"many\" (from ${N}) is not a whole number")
    }
}
