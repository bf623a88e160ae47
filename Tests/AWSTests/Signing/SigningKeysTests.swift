// The remembered signing key: one that was derived for anything else is never used.
import AWS
import CivilTime
import HTTP
import Testing

struct SigningKeysTests {
    private let request = SigningRequest(
        method: "POST", path: "/", query: nil, headers: [HTTPHeader("Host", "h")],
        payloadHash: SigV4.emptyPayloadHash)

    private func authorization(_ signer: SigV4, secret: String, day: Int64) -> String? {
        let keys = Credentials(accessKeyID: "AK", secretAccessKey: Secret(secret), sessionToken: nil, source: "test")
        return signer.headers(signing: request, with: keys, at: Timestamp(seconds: day * 86_400 + 7))
            .first { $0.name == "Authorization" }?.value
    }

    @Test func changeOfDaySecretRegionOrServiceSignsLikeAFreshSigner() {
        let shared = SigningKeys()
        var signatures: Set<String> = []
        for turn in 0..<32 {
            // Each one changes from turn to turn, alone and with others, and comes back.
            let gray = turn ^ turn >> 1
            let region = gray & 1 == 0 ? "us-east-1" : "eu-west-1"
            let service = gray & 2 == 0 ? "kinesis" : "sts"
            let secret = gray & 4 == 0 ? "one" : "two"
            let day = gray & 8 == 0 ? 0 : 1 as Int64
            let remembered = authorization(
                SigV4(region: region, service: service, keys: shared), secret: secret, day: day)
            let fresh = authorization(SigV4(region: region, service: service), secret: secret, day: day)
            #expect(remembered == fresh, "turn \(turn)")
            if let remembered { signatures.insert(remembered) }
        }
        #expect(signatures.count == 16)
    }
}
