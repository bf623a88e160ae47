// Formats that sites set for themselves: any order, any text between the fields.

import CivilTime
import Diagnostics
import Testing

@testable import Records

@Suite struct DrupalFormatTests {
    @Test(
        arguments: [
            ("", .empty),
            ("no token at all", .noToken),
            ("!user|!password", .noToken),
            ("!type|!message|!type", .repeatedToken("!type")),
            ("!type!message", .adjacentTokens("!type", "!message")),
            ("!type|\n!message", .lineFeed),
            (String(repeating: "!uid ", count: 1_000), .tooLong),
        ] as [(String, DrupalFormatError.Kind)])
    func formatThatCannotSplitIsNamed(template: String, kind: DrupalFormatError.Kind) {
        let error = #expect(throws: DrupalFormatError.self) { try DrupalFormat(template) }
        #expect(error?.kind == kind)
        #expect(error?.exitCode == .jobFileInvalid)
        #expect(error?.diagnostic.hint?.isEmpty == false)
    }

    /// Field by field, in the order of the default format, severity last.
    private func split(_ template: String, _ line: String) throws -> (status: String, values: [String]) {
        let format = try DrupalFormat(template)
        return Array(line.utf8).withUnsafeBytes { text in
            func values(_ fields: DrupalFields) -> [String] {
                fields.values.map { String(decoding: $0, as: UTF8.self) } + [fields.severity.map(String.init) ?? ""]
            }
            return switch format.split(text, reference: Timestamp(seconds: 1_795_386_600)) {
            case .ok(let fields): ("ok", values(fields))
            case .ambiguous(let fields): ("ambiguous", values(fields))
            case .partial(let fields): ("partial", values(fields))
            case .notDrupal, .continuation: ("none", [])
            }
        }
    }

    private let uri = "http://a.example.org/s?a=b|c"

    @Test func untrustedFieldsLastMakeForgeryPlain() throws {
        let template = "!timestamp|!type|!uid|!base_url|!ip|!request_uri|!referer|!link|!message"
        let line = "1795386507|user|0|http://a.example.org|203.0.113.9|\(uri)|http://e/|1||forged||Login failed."
        let (status, values) = try split(template, line)
        #expect(status == "ambiguous")
        #expect(values.prefix(4) == ["http://a.example.org", "1795386507", "user", "203.0.113.9"])
        #expect(values[6] == "0")
        let plain = "1795386507|user|0|http://a.example.org|203.0.113.9|\(uri)|http://e/|view|Login |1| failed."
        #expect(try split(template, plain).values[8] == "Login |1| failed.")
    }

    @Test func severityIsRead() throws {
        let template = "!base_url|!timestamp|!type|!ip|!request_uri|!referer|!severity|!uid|!link|!message"
        let line = "http://a.example.org|1795386507|cron|127.0.0.1|http://a.example.org/||5|0||Cron run completed."
        let (status, values) = try split(template, line)
        #expect(status == "ok")
        #expect(values[9] == "5")
        #expect(values[8] == "Cron run completed.")
        // Drupal 7 leaves the token that it does not know.
        let old = line.replacing("|5|", with: "|!severity|")
        #expect(try split(template, old).status == "ok")
        #expect(try split(template, old).values[9] == "")
        #expect(try split(template, line.replacing("|5|", with: "|8|")).status != "ok")
    }

    @Test func textBetweenFieldsMayBeAnything() throws {
        let template = "[!type] !ip - !uid \"!request_uri\" at !timestamp: !message (!base_url) <!severity>"
        let line =
            "[page not found] 203.0.113.9 - 12 \"http://a.example.org/x\" at 1795386507: x - y: (z) (http://a.example.org) <4>"
        let (status, values) = try split(template, line)
        #expect(status == "ok")
        #expect(
            values == [
                "http://a.example.org", "1795386507", "page not found", "203.0.113.9", "http://a.example.org/x", "",
                "12",
                "", "x - y: (z)", "4",
            ])
        // A user id may follow the client's address, and so the message may hold the real one.
        #expect(try split(template, line.replacing("x - y", with: "x - 1 \"y")).status == "ambiguous")
        #expect(try split(template, "[crond] some other program: text").status == "none")
    }

    @Test func unknownTokensStandForThemselves() throws {
        let (status, values) = try split("!user !timestamp !type: !message!", "!user 1795386507 php: Notice: a: b!")
        #expect(status == "ok" || status == "ambiguous")
        #expect(values[2] == "php")
        #expect(values[8] == "Notice: a: b")
        #expect(try split("!user !timestamp !type: !message!", "bob 1795386507 php: x!").status == "none")
    }

    @Test func doubledSeparatorIsOneLiteral() throws {
        let template = "!base_url||!timestamp||!type||!ip||!request_uri||!referer||!uid||!link||!message"
        let line = "http://a.example.org||1795386507||php||203.0.113.9||\(uri)||||0||||a|b"
        let (status, values) = try split(template, line)
        #expect(status == "ok")
        #expect(values[4] == uri)
        #expect(values[8] == "a|b")
    }

    @Test func everyOrderOfTheDefaultFieldsGivesThemBack() throws {
        let tokens = DrupalField.allCases.dropLast().map { "\($0.token)" }
        let texts = [
            "http://a.example.org", "1795386507", "content", "203.0.113.88", "http://a.example.org/node/1",
            "http://b.example.net/", "7", "view", "article: added Title.",
        ]
        var state: UInt64 = 99
        for _ in 0..<200 {
            var order = Array(tokens.indices)
            for i in order.indices.dropFirst() {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                order.swapAt(i, Int(state >> 33) % (i + 1))
            }
            for separator in ["|", " ## "] {
                let template = order.map { tokens[$0] }.joined(separator: separator)
                let line = order.map { texts[$0] }.joined(separator: separator)
                let (status, values) = try split(template, line)
                #expect(status == "ok", "\(template)")
                #expect(Array(values.dropLast()) == texts, "\(template)")
            }
        }
    }
}
