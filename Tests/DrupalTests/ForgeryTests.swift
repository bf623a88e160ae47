// Clients choose their address, referer and X-Forwarded-For, users the names in messages. Whatever they choose, a line
// called `ok` has the user id, link and message that Drupal wrote.

import CivilTime
import Testing

@testable import Records

@Suite struct ForgeryTests {
    private static let words = [
        "|", "|", "|", "||", "0", "1", "12", "view", "edit", "x", "=", "?", "?q=", "&", "a|b", "http://a.example.org/",
        "http://evil.example.net/", "|http://a.example.org/", "1795386507", "admin", ".", "%7C", "%20", "-", "/",
        "|1||Session opened for admin.", "|0||", "page not found", "203.0.113.9",
    ]
    private static let types = ["content", "user", "page not found", "access denied"]
    private static let messages = ["Session opened for bob.", "article: added Title.", "a|b", "", "x"]

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func okLinesAreNeverForged(seed: UInt64) throws {
        let format = try DrupalFormat(TransformSettings.defaultDrupalFormat)
        var random = Random(seed: seed)
        var okCount = 0
        for _ in 0..<4_000 {
            let type = random.pick(Self.types)
            let uri = "http://a.example.org/" + random.text(Self.words).filter { $0 != " " }
            let referer = random.text(Self.words)
            let ip = random.below(8) == 0 ? random.text(Self.words) : "203.0.113.88"
            let uid = random.pick(["0", "0", "5"])
            let isPath = type == "page not found" || type == "access denied"
            // Drupal gives those no link.
            let link = isPath ? "" : random.pick(["", "", "view"])
            let message = isPath ? Self.checkedPath(uri) : random.pick(Self.messages + [random.text(Self.words)])
            let line = ["http://a.example.org", "1795386507", type, ip, uri, referer, uid, link, message]
                .joined(separator: "|")
            let fields = Array(line.utf8).withUnsafeBytes { text -> [String]? in
                guard case .ok(let fields) = format.split(text, reference: Timestamp(seconds: 1_795_386_600)) else {
                    return nil
                }
                return fields.values.suffix(3).map { String(decoding: $0, as: UTF8.self) }
            }
            guard let fields else { continue }
            okCount += 1
            #expect(fields == [uid, link, message], "seed \(seed): \(line)")
        }
        print("seed \(seed): \(okCount) of 4000 hostile lines are ok, none of them forged")
        #expect(okCount > 400)
    }

    @Test(arguments: [
        TransformSettings.defaultDrupalFormat,
        "[!type] !ip - !uid \"!request_uri\" at !timestamp: !message (!base_url) <!severity>",
        "!message||!link||!uid||!referer||!request_uri||!ip||!type||!timestamp||!base_url",
        "!uid !request_uri", "x!message", "!severity|!timestamp",
    ])
    func changedAndCutLinesAreReadInsideTheirBytes(template: String) throws {
        let format = try DrupalFormat(template)
        var random = Random(seed: 7)
        let alphabet = Array("|||  ??==&%7C\"[]<>():/.-!09aZ\n\u{FF}http://a.example.org/1795386507".utf8)
        let base = Array(
            "http://a.example.org|1795386507|page not found|1.2.3.4|http://a.example.org/x|http://r/|1|view|x".utf8)
        for round in 0..<6_000 {
            var line =
                round % 2 == 0 ? base : (0..<random.below(120)).map { _ in alphabet[random.below(alphabet.count)] }
            for _ in 0..<random.below(6) where !line.isEmpty {
                let place = random.below(line.count)
                switch random.below(3) {
                case 0: line[place] = alphabet[random.below(alphabet.count)]
                case 1: line.insert(alphabet[random.below(alphabet.count)], at: place)
                default: line.removeSubrange(place...)
                }
            }
            line.withUnsafeBytes { text in
                switch format.split(text, reference: Timestamp(seconds: 1_795_386_600)) {
                case .ok(let fields), .ambiguous(let fields), .partial(let fields):
                    for value in fields.slices where value.count > 0 {
                        let start = value.baseAddress.flatMap { value in text.baseAddress.map { value - $0 } } ?? -1
                        #expect(start >= 0 && start + value.count <= text.count, "\(line)")
                    }
                case .notDrupal, .continuation: break
                }
            }
        }
    }

    /// What Drupal logs for a missing page; written again from request_path() and check_plain().
    private static func checkedPath(_ uri: String) -> String {
        let parts = uri.dropFirst("http://a.example.org".count).split(
            separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let query = parts.count > 1 ? parts[1].split(separator: "&").last { $0.hasPrefix("q=") } : nil
        let path = query.map { $0.dropFirst(2) } ?? parts[0]
        let decoded = path.replacing("%7C", with: "|").replacing("%20", with: " ")
        let trimmed = decoded.drop { $0 == "/" }.reversed().drop { $0 == "/" }.reversed()
        return String(trimmed).replacing("&", with: "&amp;")
    }
}

/// Seeded, so that a failure repeats.
private struct Random {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }

    mutating func pick(_ texts: [String]) -> String { texts[below(texts.count)] }

    mutating func text(_ words: [String]) -> String {
        (0..<below(7)).map { _ in pick(words) }.joined()
    }
}
