// Names: partition keys, sites, rotated forms of a log.
import Testing

@testable import Jobs

@Suite struct NameTests {
    @Test(arguments: [
        ("web1", "drupal.log", "web1/drupal.log/0a1b2c3d/42"), ("web/1", "a b", "web_1/a_b/0a1b2c3d/42"),
        ("", "é", "_/__/0a1b2c3d/42"),
    ])
    func sourceKeyHasFourPlainParts(host: String, file: String, key: String) {
        var writer = SourceKeyWriter(host: host, file: file, generation: "0a1b2c3d")
        #expect(writer.key(offset: 42) == key)
        for offset in [0, 9, 10, 1_234_567_890, Int.max] {
            let written = writer.withKey(offset: offset) { String(decoding: $0, as: UTF8.self) }
            #expect(written == writer.key(offset: offset))
        }
    }

    @Test func sourceKeyStaysWithinKinesisLimit() {
        let long = String(repeating: "x", count: 255)
        let key = SourceKeyWriter(host: long, file: long, generation: "0a1b2c3d").key(offset: Int.max)
        #expect(key.utf8.count <= SourceKeyWriter.keyBytesMax && SourceKeyWriter.keyBytesMax <= 256)
    }

    @Test func generationDependsOnIdentityAndContent() {
        func generation(_ device: UInt64, _ inode: UInt64, _ text: String, incarnation: Int = 0, start: Int = 0)
            -> String
        {
            var position = FilePosition(path: "/a", device: device, inode: inode)
            position.incarnation = incarnation
            position.identify(by: LogHead(start: start, bytes: Array(text.utf8)))
            return position.generation
        }
        let first = generation(1, 2, "line")
        #expect(first.count == 8)
        #expect(first == generation(1, 2, "line"))
        let others = [
            generation(2, 2, "line"), generation(1, 3, "line"), generation(1, 2, "lime"),
            generation(1, 2, "line", incarnation: 1), generation(1, 2, "line", start: 5),
        ]
        #expect(Set([first] + others).count == 6)
        #expect(generation(1, 2, "") == "")
    }

    @Test(arguments: [
        ("Nov 27 22:00:00 web1 drupal: http://www.Example.org|1795386000|php|1.2.3.4|x", "www.example.org"),
        ("<133>1 - - drupal - - - https://a.example.org:8080/sub|1|t", "a.example.org"),
        ("drupal: no address at all|1|2", nil), ("see http://a.example.org for more", nil), ("ftp://a|1", nil),
        ("http://|1", nil), ("http://a b|1", nil), ("", nil),
    ])
    func siteIsTheHostOfADrupalLine(line: String, site: String?) {
        let found = Array(line.utf8).withUnsafeBytes { SiteKey.site(in: $0) }
        #expect(found.map { String(decoding: $0, as: UTF8.self) } == site)
    }

    @Test(arguments: [
        ("drupal.log.1", "drupal.log"), ("drupal.log.12.gz", "drupal.log"), ("drupal.log-20261127", "drupal.log"),
        ("drupal.log-2026-11-27T10:00.gz", "drupal.log"), ("drupal.log.old", "drupal.log"),
        ("drupal-20261127.log", "drupal.log"), ("drupal-20261127.log.gz", "drupal.log"), ("drupal.1.log", "drupal.log"),
        ("syslog.1", "syslog"), ("drupal.log.1.bz2", "drupal.log"),
    ])
    func rotatedNamesBelongToTheirLog(name: String, base: String) {
        #expect(RotationNames.isRotation(name, of: base))
        #expect(RotationNames.base(of: name) == base)
    }

    @Test(arguments: [
        ("drupal.log", "drupal.log"), ("drupal.log.err", "drupal.log"), ("drupal.logs", "drupal.log"),
        ("drupal-error.log", "drupal.log"), ("other.log.1", "drupal.log"), ("drupal.log.1x", "drupal.log"),
        ("drupal.log.gz", "drupal.log"), ("web1.log", "web.log"),
    ])
    func otherNamesDoNot(name: String, base: String) {
        #expect(!RotationNames.isRotation(name, of: base))
    }
}
