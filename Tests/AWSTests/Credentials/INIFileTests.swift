import Diagnostics
import Testing

@testable import AWS

struct INIFileTests {
    private func parse(_ text: String) throws -> INIFile { try INIFile(path: "/c", bytes: Array(text.utf8)) }

    @Test func settingsAreReadInAllSpellings() throws {
        let file = try parse(
            """
            \u{FEFF}# comment
            ; another
            [default]
            region = us-east-1
            Output=json   # said inline
            aws_access_key_id : AKID ; the other kind
            url = https://x.example/start#/
              # a comment between
            credential_process = /bin/creds "a # b" ;x

            [profile two words]
            empty =
            """)
        #expect(file.sections.map(\.header) == ["default", "profile two words"])
        #expect(file.sections.map(\.line) == [3, 11])
        let values = file.sections[0].values.mapValues(\.text)
        #expect(
            values == [
                "region": "us-east-1", "output": "json", "aws_access_key_id": "AKID",
                "url": "https://x.example/start#/", "credential_process": #"/bin/creds "a # b" ;x"#,
            ])
        #expect(file.sections[0].values["region"]?.line == 4)
        #expect(file.sections[1].values["empty"]?.text == "")
    }

    @Test func carriageReturnsAndIndentedFilesAreFine() throws {
        let file = try parse("  [default]\r\n  region = eu-west-1\r\n  output = text\r\n")
        #expect(file.sections[0].values.mapValues(\.text) == ["region": "eu-west-1", "output": "text"])
    }

    @Test func indentedSettingsBelowAnEmptyKeyAreNested() throws {
        let file = try parse(
            """
            [services local]
            kinesis =
              endpoint_url = http://127.0.0.1:1 # here
            s3 =
              endpoint_url = http://127.0.0.1:2
              addressing_style = path
            plain = one
              two
            """)
        let values = file.sections[0].values
        #expect(values["kinesis"]?.nested.mapValues(\.text) == ["endpoint_url": "http://127.0.0.1:1"])
        #expect(values["s3"]?.nested["addressing_style"]?.text == "path")
        #expect(values["s3"]?.nested["addressing_style"]?.line == 6)
        #expect(values["plain"]?.text == "one\ntwo")
    }

    @Test(arguments: [
        ("key = 1\n[a]", 1, "before the first [section]"),
        ("[a\nk = 1", 1, "no closing bracket"),
        ("[]\n", 1, "no name"),
        ("[a]\nPLANTED/secret", 2, "neither"),
        ("[a]\n= PLANTED", 2, "no key"),
        ("[a]\nk = 1\nK = PLANTED", 3, "set at line 2 already"),
        ("[a]\n[b]\n[a]", 3, "stands at line 1 already"),
        ("[a]\ns3 =\n  PLANTED", 3, "not `key = value`"),
    ])
    func brokenFilesAreToldByLineWithoutTheirContent(_ text: String, _ line: Int, _ says: String) throws {
        let error = try #require(throws: AWSConfigurationError.self) { _ = try parse(text) }
        #expect(error.diagnostic.subject == "/c:\(line)")
        #expect(error.diagnostic.cause.contains(says), "\(error.diagnostic.cause)")
        #expect(!printable(error).contains(plant))
        #expect(error.exitCode == .jobFileInvalid)
    }

    @Test func textThatIsNotUTF8AndHugeFilesAreRefused() {
        #expect(throws: AWSConfigurationError.self) { _ = try INIFile(path: "/c", bytes: [0x5B, 0xFF, 0x5D]) }
        let atLimit = [UInt8](repeating: 0x0A, count: INIFile.bytesMax)
        #expect(throws: Never.self) { _ = try INIFile(path: "/c", bytes: atLimit) }
        #expect(throws: AWSConfigurationError.self) { _ = try INIFile(path: "/c", bytes: atLimit + [0x0A]) }
    }

    @Test(arguments: [
        ("a b  c", ["a", "b", "c"]), (#"'a b' "c d""#, ["a b", "c d"]), (#"a\ b"#, ["a b"]),
        (#""a\"b\\c\d""#, [#"a"b\c\d"#]), (#"x'y'"z""#, ["xyz"]), (#"a '' b"#, ["a", "", "b"]), ("  ", []),
        ("a;b|c $HOME *", ["a;b|c", "$HOME", "*"]),
    ])
    func commandLinesSplitAsAShellWould(_ text: String, _ words: [String]) {
        #expect(ShellWords.split(text) == words)
    }

    @Test(arguments: ["'a", "\"a", "a\\", "\"a\\"])
    func openQuotesHaveNoWords(_ text: String) {
        #expect(ShellWords.split(text) == nil)
    }
}
