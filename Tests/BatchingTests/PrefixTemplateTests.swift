import Batching
import CivilTime
import Diagnostics
import Testing

struct PrefixTemplateTests {
    @Test func everyPlaceholderHasItsValue() throws {
        let template = try PrefixTemplate(
            "{stream}/{date}/{year}-{month}-{day}/{hour}/{site}/{host}/{program}/{severity}/")
        let text = withBytes("www.example.org") { site in
            withBytes("web1") { host in
                withBytes("drupal") { program in
                    template.render(
                        PartitionValues(
                            time: sampleTime, stream: "logs", site: site, host: host, program: program, severity: 4))
                }
            }
        }
        #expect(text == "logs/2024-11-22/2024-11-22/20/www.example.org/web1/drupal/4/")
    }

    @Test(arguments: [
        ("a/{date}/", "a/", true), ("{date}", "", true), ("a={stream}/", "a=", true), ("x/", "x/", true),
        ("", "", true), ("a/{site}/", "a/", false), ("a/{severity}", "a/", false),
    ])
    func literalPrefixAndUseOfTimeAreKnown(text: String, literal: String, usesOnlyTime: Bool) throws {
        let template = try PrefixTemplate(text)
        #expect(template.literalPrefix == literal)
        #expect(template.usesOnlyTime == usesOnlyTime)
    }

    @Test(arguments: [
        ("a/{dat}/", "unknown placeholder {dat}", "did you mean {date}?"),
        ("a/{prog}/", "unknown placeholder {prog}", "did you mean {program}?"),
        ("a/{Hour}/", "unknown placeholder {Hour}", "did you mean {hour}?"),
        ("a/{}/", "unknown placeholder {}", "known are {stream} {date}"),
        ("a/{date", "{ without its }", "{date}"), ("a/date}", "} without its {", "{date}"),
        ("/a/", "empty path segment", "//"), ("a//b", "empty path segment", "//"), ("//", "empty path segment", "//"),
        ("a/../b/", ". or ..", "path"), ("./a/", ". or ..", "path"), ("a/..", ". or ..", "path"),
        ("a b/", "not allowed", "letters"), ("a%2F/", "not allowed", "letters"), ("é/", "not allowed", "letters"),
        ("a\\b/", "not allowed", "letters"), ("a\n/", "not allowed", "letters"),
    ])
    func wrongPrefixIsRefusedWithARemedy(text: String, cause: String, hint: String) {
        let error = #expect(throws: PrefixTemplateError.self) { try PrefixTemplate(text) }
        #expect(error?.cause.contains(cause) == true)
        #expect(error?.hint.contains(hint) == true)
        #expect(error?.exitCode == .jobFileInvalid)
    }

    @Test func prefixIsLimitedSoThatEveryKeyFits() throws {
        let room = 1_024 - 332
        let longest = try PrefixTemplate(String(repeating: "p", count: room))
        let number = try sequence(String(repeating: "9", count: 64))
        let key = objectKey(
            prefix: render(longest, site: ""), stream: String(repeating: "s", count: 128),
            shard: String(repeating: "h", count: 128), first: number)
        #expect(key.utf8.count == 1_024)
        #expect(throws: PrefixTemplateError.self) { try PrefixTemplate(String(repeating: "p", count: room + 1)) }
        #expect(throws: PrefixTemplateError.self) {
            try PrefixTemplate(String(repeating: "p", count: room - 127) + "{site}")
        }
        _ = try PrefixTemplate(String(repeating: "p", count: room - 128) + "{site}")
    }

    @Test(arguments: [
        ("", "__none__"), (".", "%2E"), ("..", "%2E."), ("../../x", "%2E.%2F..%2Fx"), ("a=b/c", "a%3Db%2Fc"),
        ("a\nb", "a%0Ab"), ("\0", "%00"), ("😀", "%F0%9F%98%80"), ("__none__", "%5F_none__"),
        ("__other__", "%5F_other__"), ("_a", "_a"), ("a.b-c_D9", "a.b-c_D9"), ("100%", "100%25"),
    ])
    func hostileValueIsEncoded(value: String, expected: String) throws {
        #expect(render(try PrefixTemplate("s={site}/"), site: value) == "s=\(expected)/")
    }

    @Test func longValueIsCutAt128BytesAndStaysUnique() throws {
        let template = try PrefixTemplate("{site}")
        let fits = String(repeating: "a", count: 128)
        #expect(render(template, site: fits) == fits)
        let one = render(template, site: fits + "b")
        let two = render(template, site: fits + "c")
        #expect(one.utf8.count == 128)
        #expect(one != two)
        #expect(one.hasPrefix(String(repeating: "a", count: 111) + "-"))
    }

    @Test(arguments: 0...3)
    func cutNeverSplitsAnEscape(offset: Int) throws {
        let value = String(repeating: "a", count: 108 + offset) + String(repeating: "/", count: 40)
        let text = render(try PrefixTemplate("{site}"), site: value)
        let escapes = text.split(separator: "%", omittingEmptySubsequences: false).dropFirst()
        #expect(text.utf8.count <= 128)
        #expect(escapes.allSatisfy { $0.hasPrefix("2F") })
    }

    @Test func anyBytesRenderToADistinctSafeSegment() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SeededGenerator(seed: seed)
        let template = try PrefixTemplate("lit/s={site}/.{site}/{site}/")
        let alphabet: [UInt8] = [0x2E, 0x2F, 0x5F, 0x25, 0x3D, 0x00, 0x61, 0xFF]
        var seen: [String: [UInt8]] = [:]
        for _ in 0..<5_000 {
            let value = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            }
            let text = value.withUnsafeBytes {
                template.render(PartitionValues(time: sampleTime, stream: "logs", site: $0))
            }
            let segments = text.split(separator: "/", omittingEmptySubsequences: false)
            #expect(
                segments.count == 5 && segments.dropLast().allSatisfy { !["", ".", ".."].contains($0) }, "seed \(seed)")
            #expect(text.hasPrefix("lit/s="))
            #expect(seen.updateValue(value, forKey: text) ?? value == value, "seed \(seed)")
        }
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01/00"), (-1, "1969-12-31/23"), (951_782_400, "2000-02-29/00"),
        (1_709_251_199, "2024-02-29/23"), (4_107_542_400, "2100-03-01/00"), (Int64.min / 1_000_000, "0000-01-01/00"),
        (-62_167_219_200, "0000-01-01/00"), (-62_167_219_201, "0000-01-01/00"), (253_402_300_799, "9999-12-31/23"),
        (253_402_300_800, "9999-12-31/23"), (Int64.max / 1_000_000, "9999-12-31/23"),
    ])
    func calendarIsProlepticAndClamped(seconds: Int64, expected: String) throws {
        let template = try PrefixTemplate("{date}/{hour}")
        #expect(render(template, site: "", time: Timestamp(seconds: seconds)) == expected)
        let apart = try PrefixTemplate("{year}-{month}-{day}/{hour}")
        #expect(render(apart, site: "", time: Timestamp(seconds: seconds)) == expected)
    }

    @Test func severityIsANumberOrNone() throws {
        let template = try PrefixTemplate("{severity}")
        #expect(render(template, site: "", severity: 0) == "0")
        #expect(render(template, site: "", severity: nil) == "__none__")
    }
}
