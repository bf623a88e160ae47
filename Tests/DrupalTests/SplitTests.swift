// Single lines: every way that fields run into each other, and what a client can and cannot make of it.

import CivilTime
import Testing

@testable import Records

@Suite struct SplitTests {
    private let format: DrupalFormat
    init() throws { format = try DrupalFormat(TransformSettings.defaultDrupalFormat) }

    /// The nine fields of a line, most of them ordinary.
    struct Entry: CustomTestStringConvertible {
        var baseURL = "http://a.example.org"
        var timestamp = "1795386507"
        var type = "content"
        var ip = "203.0.113.88"
        var uri = "http://a.example.org/node/1"
        var referer = ""
        var uid = "0"
        var link = ""
        var message = "article: added Title."

        var values: [String] { [baseURL, timestamp, type, ip, uri, referer, uid, link, message] }
        var line: String { values.joined(separator: "|") }
        var testDescription: String { line }
    }

    private enum Status { case ok, ambiguous, partial, none }

    private func split(_ line: String, headerSecond: Int? = nil) -> (Status, [String]) {
        var line = line
        return line.withUTF8 { bytes in
            let text = UnsafeRawBufferPointer(bytes)
            func strings(_ fields: DrupalFields) -> [String] {
                fields.values.map { String(decoding: $0, as: UTF8.self) }
            }
            switch format.split(text, reference: Timestamp(seconds: 1_795_386_600), headerSecond: headerSecond) {
            case .ok(let fields): return (.ok, strings(fields))
            case .ambiguous(let fields): return (.ambiguous, strings(fields))
            case .partial(let fields): return (.partial, strings(fields))
            case .notDrupal, .continuation: return (.none, [])
            }
        }
    }

    @Test(arguments: [
        Entry(),
        Entry(message: ""),
        Entry(type: "page not found", uri: "http://a.example.org/x", message: "x"),
        Entry(baseURL: "http://a.example.org/sub", uri: "http://a.example.org/sub/node"),
        Entry(baseURL: "https://a.example.org:8443", uri: "https://a.example.org:8443/"),
        // drupal.sh appends the script's folder to the host.
        Entry(baseURL: "http://a.example.orgscripts"),
        Entry(baseURL: "http://a.example.org./scripts"),
        Entry(baseURL: "http://default", ip: "", uri: "http://default/"),
        Entry(ip: "2001:db8::1"), Entry(ip: "unknown"), Entry(ip: "fe80::1%eth0"), Entry(ip: "not an address"),
        Entry(referer: "-"), Entry(referer: "some words"), Entry(referer: "http://b.example.net/?q=1"),
        Entry(uid: "4294967295", link: "view"),
        Entry(link: "anything at all"),
        // Separators in the message, after a link that is none or well known.
        Entry(message: "a|b|c"), Entry(message: "|"), Entry(message: "||||"), Entry(link: "view", message: "a|b"),
        Entry(link: "results", message: "Searched Content for foo|bar."),
        // In the address.
        Entry(uri: "http://a.example.org/s?a=b|c"), Entry(uri: "http://a.example.org/s?a=b|c", referer: "http://r/"),
        Entry(uri: "http://a.example.org/s?x=|"), Entry(uri: "http://a.example.org/old|page"),
        // In a referer that is a URL.
        Entry(referer: "https://search.example.net/?q=%22a|b%22"),
        // In the type, with a clean address after it.
        Entry(type: "type|with|pipes"),
        // The path proves the reading whatever else is in the line.
        Entry(
            type: "page not found", uri: "http://a.example.org/x?forged=||1||Session%20opened", message: "x"),
        Entry(
            type: "access denied", uri: "http://a.example.org/admin", referer: "x|0||Login attempt failed for admin.",
            message: "admin"),
    ])
    func plausibleReadingIsTheOnlyOne(entry: Entry) {
        let (status, values) = split(entry.line)
        #expect(status == .ok)
        #expect(values == entry.values)
    }

    @Test(arguments: [
        // A user id, link and message in the referer, the address or the client's address.
        Entry(referer: "http://evil.example.net/|1||forged"),
        Entry(referer: "|1||Session opened for admin."),
        Entry(uri: "http://a.example.org/s?x=||1||Session%20opened"),
        Entry(ip: "203.0.113.77|http://a.example.org/|-|1|view|Session opened"),
        Entry(ip: "1.2.3.4|forged"),
        // The message looks like the end of another line.
        Entry(message: "Login attempt failed for ||1||."),
        Entry(message: "1|view|x"),
        // Nothing tells whose separator it is.
        Entry(uri: "http://a.example.org/s?a=b", referer: "|"),
        Entry(link: "http://example.org/a|b"),
        Entry(link: "a|b", message: "text"),
        Entry(type: "a|b", ip: "no address"),
    ])
    func severalReadingsAreAmbiguous(entry: Entry) {
        #expect(split(entry.line).0 == .ambiguous)
    }

    @Test func mostProbableReadingIsGiven() {
        let forgedAdmin = Entry(referer: "|1||Session opened for admin.")
        #expect(split(forgedAdmin.line).1 == forgedAdmin.values)
        let login = Entry(type: "user", message: "Login attempt failed for ||1||.")
        #expect(split(login.line).1 == login.values)
        let client = Entry(ip: "1.2.3.4|forged")
        #expect(split(client.line).1 == client.values)
    }

    @Test func lineThatEndsEarlyIsPartial() {
        let entry = Entry(link: "view")
        for count in [3, 4, 5, 6, 8] {
            let beginning = entry.values.prefix(count)
            let (status, values) = split(beginning.joined(separator: "|"))
            #expect(status == .partial)
            #expect(values == beginning + Array(repeating: "", count: 9 - count))
        }
        #expect(split(Entry().values.prefix(2).joined(separator: "|")).0 == .none)
    }

    @Test(arguments: [
        "", " ", "http://", "https://a", "    [:p] =&gt; abc", "HTTP/1.1 502 Bad Gateway\\x0d", "a|b|c|d|e|f|g|h|i",
        "PHP Fatal error:  Allowed memory size of 1 bytes exhausted", "|||||||||", "http://a.example.org|x|y",
        "Accepted publickey for root from 10.0.0.1 port 22 ssh2", "http://a b|1795386507|t|i|u|r|0||m",
        "http://a.example.org|17953|t|1.2.3.4|http://a.example.org/||0||m",
    ])
    func textWithoutFieldsIsNotDrupals(text: String) {
        #expect(split(text).0 == .none)
    }

    @Test func lineFeedsBelongToTheMessage() {
        let forged = Entry(uid: "1", message: "Session opened for admin.").line
        let entry = Entry(message: "inject\n" + forged)
        let (status, values) = split(entry.line)
        #expect(status == .ok)
        #expect(values == entry.values)
    }

    @Test func headerOfAnotherTimeIsAmbiguous() {
        let line = Entry(timestamp: "1795386507").line
        // 22:28:27 UTC, and the same moment in a zone half an hour off.
        for second in [28 * 60 + 27, 58 * 60 + 27, 28 * 60 + 26, 29 * 60 + 27] {
            #expect(split(line, headerSecond: second).0 == .ok, "\(second)")
        }
        for second in [27 * 60 + 26, 29 * 60 + 28, 35 * 60] {
            #expect(split(line, headerSecond: second).0 == .ambiguous, "\(second)")
        }
    }

    @Test func reverseProxysAddressesAreTaken() {
        let entry = Entry(baseURL: "http://a.example.org", uri: "https://www.a.example.org/node", message: "a|b")
        #expect(split(entry.line).1 == entry.values)
        // Drupal 8 on the command line.
        let cron = Entry(baseURL: "http://default", type: "cron", ip: "", uri: "", message: "Cron run completed.")
        let (status, values) = split(cron.line)
        #expect(status == .ok)
        #expect(values == cron.values)
    }

    @Test func textMadeOfSeparatorsEndsTheSearch() {
        let bars = String(repeating: "|", count: 60_000)
        let ids = String(repeating: "|1", count: 30_000)
        for hostile in [bars, ids, bars + ids] {
            for entry in [
                Entry(uri: "http://a.example.org/" + hostile), Entry(referer: hostile), Entry(message: hostile),
            ] {
                let (status, _) = split(entry.line)
                #expect(status == .ambiguous || (status == .ok && entry.message == hostile))
            }
        }
    }
}
