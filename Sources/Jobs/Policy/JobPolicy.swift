// The least IAM policy of a job: what its commands do, on its stream, its prefixes and its keys, and nothing else.
// Rows and manifests may be put but never replaced, which the policy says too.

import AWS
import Batching
package import Diagnostics

/// What the job file does not say.
package struct PolicyOptions: Sendable {
    /// Account of a stream that the job file gives by name, and of KMS keys that it gives without ARN.
    package var account: String?
    /// KMS key that encrypts the stream.
    package var streamKey: String?
    /// KMS key that the bucket encrypts with by default; `kms_key_id` of the job file comes first.
    package var bucketKey: String?
    /// Nil for all commands of the job.
    package var commands: [JobCommand]?

    package init(
        account: String? = nil, streamKey: String? = nil, bucketKey: String? = nil, commands: [JobCommand]? = nil
    ) {
        self.account = account
        self.streamKey = streamKey
        self.bucketKey = bucketKey
        self.commands = commands
    }
}

package struct PolicyError: DiagnosticError, Equatable {
    package var diagnostic: Diagnostic
    package var exitCode: ExitCode { .usage }
    package var isTransient: Bool { false }
}

package struct JobPolicy {
    private let file: JobFile
    private let options: PolicyOptions
    private let needs: Set<PolicyNeed>

    package init(file: JobFile, options: PolicyOptions) {
        self.file = file
        self.options = options
        let commands = options.commands ?? JobCommand.commands(of: file)
        needs = commands.reduce(into: []) { $0.formUnion($1.needs(of: file.kind)) }
    }

    /// One document for several jobs, for a role that runs them all.
    package static func document(_ files: [JobFile], options: PolicyOptions) throws(PolicyError) -> PolicyDocument {
        var statements: [PolicyStatement] = []
        for (index, file) in files.enumerated() {
            // IAM wants each Sid once; two jobs may have one name.
            let job = files.count > 1 ? "Job\(index + 1)\(word(file.name))" : ""
            for var statement in try JobPolicy(file: file, options: options).statements() {
                statement.sid = job + statement.sid
                statements.append(statement)
            }
        }
        return PolicyDocument(statements: statements)
    }

    package func statements() throws(PolicyError) -> [PolicyStatement] {
        var statements = try streamStatements()
        if case .archive(let file) = file {
            let bucket = BucketPolicy(file: file, partition: partition, needs: needs)
            statements += bucket.statements()
            statements += try keyStatements(of: file, bucket: bucket)
            if let redshift = file.redshift {
                statements += RedshiftPolicy(settings: redshift, needs: needs).statements()
            }
        }
        return statements
    }

    private func streamStatements() throws(PolicyError) -> [PolicyStatement] {
        let streamNeeds = needs.intersection([.describeStream, .listShards, .readRecords, .putRecords])
        let actions = streamNeeds.reduce(into: Set<Permission>()) { $0.formUnion($1.permissions) }
        guard !actions.isEmpty else { return [] }
        let writes = needs.contains(.putRecords)
        var statements = [
            PolicyStatement(sid: writes ? "WriteStream" : "ReadStream", actions: actions, resources: [try streamARN()])
        ]
        if let key = options.streamKey, writes || needs.contains(.readRecords) {
            statements += try keyStatement(
                writes ? "EncryptRecords" : "DecryptRecords", key, [writes ? .generateDataKey : .decrypt],
                service: "kinesis", region: stream.region)
        }
        return statements
    }

    private func keyStatements(of file: ArchiveJobFile, bucket: BucketPolicy) throws(PolicyError) -> [PolicyStatement] {
        let usesKMS = file.destination.sse?.hasPrefix("aws:kms") ?? true
        guard usesKMS, let key = file.destination.kmsKeyID ?? options.bucketKey else { return [] }
        var actions: Set<Permission> = []
        if bucket.stores { actions.insert(.generateDataKey) }
        if bucket.reads { actions.insert(.decrypt) }
        return try keyStatement("UseBucketKey", key, actions, service: "s3", region: file.destination.region)
    }

    /// Only through the service that the job uses, and not at all for the keys that AWS manages: their own policies
    /// allow that (https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html).
    private func keyStatement(
        _ sid: String, _ key: String, _ actions: Set<Permission>, service: String, region: String
    ) throws(PolicyError) -> [PolicyStatement] {
        guard let key = KMSKeyName(key, region: region, partition: partition) else { return [] }
        let host = AWSPartition.claiming(region: region) ?? .standard
        var conditions = ["StringEquals": ["kms:ViaService": ["\(service).\(region).\(host.dnsSuffix)"]]]
        if let alias = key.alias { conditions["ForAnyValue:StringEquals"] = ["kms:ResourceAliases": [alias]] }
        let account: String
        if let own = key.account { account = own } else { account = try self.account(of: "the KMS key \(key.text)") }
        return [
            PolicyStatement(
                sid: sid, actions: actions, resources: [key.arn(account: account)], conditions: conditions)
        ]
    }

    private var stream: StreamReference {
        switch file {
        case .archive(let file): file.source.stream
        case .ship(let file): file.destination.stream
        }
    }

    /// `aws`, `aws-cn`, …: from the stream's ARN, else from its region.
    private var partition: String {
        if let arn = stream.arn { return String(arn.split(separator: ":")[1]) }
        return (AWSPartition.claiming(region: stream.region) ?? .standard).name
    }

    private func streamARN() throws(PolicyError) -> String {
        if let arn = stream.arn { return arn }
        let account = try account(of: "the stream \(stream.name)")
        return "arn:\(partition):kinesis:\(stream.region):\(account):stream/\(stream.name)"
    }

    private func account(of subject: String) throws(PolicyError) -> String {
        if let account = options.account { return account }
        if let arn = stream.arn { return String(arn.split(separator: ":")[4]) }
        throw PolicyError(
            diagnostic: Diagnostic(
                operation: "write the policy of", subject: file.name,
                cause: "the account of \(subject) is not known: the job file gives it without an ARN",
                hint: "give --account 123456789012 (aws sts get-caller-identity shows it), or set AWS_ACCOUNT_ID, or "
                    + "write the ARN into the job file"))
    }

    /// `drupal-web` as `DrupalWeb`: a Sid holds letters and digits only.
    private static func word(_ name: String) -> String {
        name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}
