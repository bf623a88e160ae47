import Testing

@testable import AWS

/// Random and damaged input may be refused, but never trap.
struct HostileInputTests {
    /// SplitMix64: the same sequence for the same seed.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static let samples = [
        "[profile a]\nregion = x\ns3 =\n  a = b\n[sso-session s]\n",
        #"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"B","Expiration":"2026-01-31T12:00:00Z"}"#,
        #"{"accessToken":"a","expiresAt":"2026-01-31T12:00:00UTC","clientId":"c"}"#,
        "https://host.example:8443/path?query=1", "http://[::1]:80/", "'a b' \"c\\\"d\" e\\ f",
        "<R><Credentials><AccessKeyId>a&amp;b</AccessKeyId></Credentials></R>",
    ]

    @Test(arguments: [UInt64(1), 2, 3]) func nothingTraps(_ seed: UInt64) {
        print("seed \(seed)")
        var generator = Generator(state: seed)
        var refused = 0
        for round in 0..<3_000 {
            var bytes = Array(Self.samples[round % Self.samples.count].utf8)
            for _ in 0..<Int.random(in: 1...8, using: &generator) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: index)
                default: bytes.insert(contentsOf: bytes[..<index], at: index)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            if (try? INIFile(path: "/c", bytes: bytes)) == nil { refused += 1 }
            if let document = try? CredentialDocument(json: bytes) {
                _ = try? document.credentials(source: "s", tokenKey: .token, isTemporary: true)
            }
            if let url = try? EndpointURL(text) { #expect(!url.host.isEmpty && !url.host.contains("@")) }
            _ = CachedToken(json: bytes)?.renewal(now: noon)
            _ = STSAnswer(bytes).credential("AccessKeyId")
            _ = ShellWords.split(text)
            _ = AWSPartition.claiming(region: text)
            _ = redacted(text, hiding: ["AccessKeyId", "abc", ""])
        }
        #expect(refused > 0)
    }
}
