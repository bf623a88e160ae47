import AWS
import Batching
import Diagnostics

/// What became of reading one manifest that was listed.
enum ManifestReading: Sendable {
    case good(JudgedManifest)
    case bad(ManifestFault)
    case gone
    /// Nothing is wrong with it as far as anybody can tell.
    case unknown(Diagnostic, ExitCode)

    static func read(
        _ key: String, at place: ManifestPlace, judge: ManifestJudge, s3: S3Client, calls: PatientCalls
    ) async -> ManifestReading {
        do {
            let found = try await calls.patiently { try await s3.getObject(key: key, bytesMax: BatchManifest.bytesMax) }
            guard let found else { return .gone }
            switch judge.judge(found.bytes, at: place) {
            case .success(let judged): return .good(judged)
            case .failure(let fault): return .bad(fault)
            }
        } catch let error as AWSError where error.code == "TooLarge" {
            return .bad(ManifestFault(.damaged, "it has more than \(BatchManifest.bytesMax) bytes"))
        } catch {
            let (diagnostic, code) = describe(error, during: "read manifest", of: key)
            return .unknown(diagnostic, code)
        }
    }
}
