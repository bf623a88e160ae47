/// Whether COPY will like the objects. It loads files of 1 MB to 1 GB best, and cannot split a gzip file of JSON
/// (https://docs.aws.amazon.com/redshift/latest/dg/c_best-practices-use-multiple-files.html).
package enum CopyAdvice {
    /// A tenth of what is recommended.
    package static let smallBytes = 100_000
    package static let largeBytes = 1_000_000_000

    /// What is wrong with the sizes, and what to change; empty when nothing is.
    package static func warnings(of objects: [CopyBatch.Object]) -> [String] {
        var warnings: [String] = []
        let small = objects.count { $0.bytes < smallBytes }
        if small * 2 > objects.count {
            warnings.append(
                "\(small) of \(objects.count) objects have less than 100 kB, and COPY loads 1 MB to 1 GB best: run "
                    + "`sluice archive` less often, or take placeholders out of destination.prefix")
        }
        let large = objects.count { $0.bytes > largeBytes }
        if large > 0 {
            warnings.append(
                "\(large) of \(objects.count) objects have more than 1 GB, and COPY cannot split them: lower seal.bytes"
            )
        }
        return warnings
    }
}
