// From the keys of `redshift:` to values. Ranges and defaults stand here and in schemas/job.schema.json.

import Batching
import Redshift

extension RedshiftSettings {
    /// Nil without the group; otherwise usable even after a report.
    static func load(
        _ top: Section, destination: ArchiveJobFile.Destination?, known: [String: [String]]
    ) -> RedshiftSettings? {
        guard top.has("redshift") else { return nil }
        let section = top.section("redshift", known: known)
        let names = SectionNames(section: section)
        let table = names.identifier("table") ?? "drupal_log"
        let ledgerTable = names.identifier("ledger_table") ?? "sluice_loads"
        if table == ledgerTable {
            section.reader.add(
                section.place(of: "ledger_table"), key: section.key("ledger_table"), "is the name of the table as well",
                remedy: "give the ledger a table of its own")
        }
        return RedshiftSettings(
            target: names.target(), region: section.region(fallback: destination?.region ?? "") ?? "",
            database: names.database(), schema: names.identifier("schema") ?? "public", table: table,
            ledgerTable: ledgerTable, roleARN: names.role(), jsonPaths: names.jsonPaths(destination))
    }
}

/// Reads the names of one `redshift:` group.
private struct SectionNames {
    let section: Section

    func identifier(_ name: String) -> String? {
        section.checked(
            section.scalar(name), isNot: "a name that Redshift takes everywhere",
            remedy: "use 1 to 127 characters of a-z, 0-9 and _, the first one no digit: drupal_log",
            accepts: RedshiftNames.isIdentifier)
    }

    func database() -> String {
        section.checked(
            section.requiredScalar("database", example: "database: logs"), isNot: "a database name",
            remedy: "use 1 to 127 characters of a-z, 0-9 and _ . @ + -, the first one a letter or _",
            accepts: RedshiftNames.isDatabase) ?? ""
    }

    func role() -> String {
        section.checked(
            section.requiredScalar("role_arn", example: "role_arn: arn:aws:iam::111122223333:role/redshift-copy"),
            isNot: "the ARN of a role",
            remedy: "give the role that Redshift reads the bucket with: arn:aws:iam::111122223333:role/redshift-copy; "
                + "several, chained, are joined by commas without blanks",
            accepts: RedshiftNames.isRoleChain) ?? ""
    }

    /// Exactly one of cluster and workgroup, and a way to log in that fits.
    func target() -> RedshiftSettings.Target {
        let cluster = section.checked(
            section.scalar("cluster"), isNot: "a cluster identifier",
            remedy: "use 1 to 63 characters of a-z, 0-9 and -, as the console shows it",
            accepts: RedshiftNames.isCluster)
        let workgroup = section.checked(
            section.scalar("workgroup"), isNot: "a workgroup name",
            remedy: "use 3 to 64 characters of a-z, 0-9 and -, as the console shows it",
            accepts: RedshiftNames.isWorkgroup)
        let user = section.checked(
            section.scalar("user"), isNot: "a database user",
            remedy: "use 1 to 128 letters, digits and _ . @ : + $ -", accepts: RedshiftNames.isUser)
        let secret = section.checked(
            section.scalar("secret_arn"), isNot: "the ARN of a secret",
            remedy: "give the ARN that AWS Secrets Manager shows, never the secret itself: "
                + "arn:aws:secretsmanager:us-east-1:111122223333:secret:redshift-AbCdEf",
            accepts: RedshiftNames.isSecretARN)
        if section.has("cluster"), section.has("workgroup") {
            report("workgroup", "cannot stand beside cluster", "keep the one that holds the table")
        } else if section.has("workgroup") {
            if section.has("user") {
                report(
                    "user", "is for a cluster", "take it out: a workgroup takes the caller's identity, or secret_arn")
            }
        } else if section.has("cluster") {
            if section.has("user"), section.has("secret_arn") {
                report("secret_arn", "cannot stand beside user", "keep one of the two")
            } else if !section.has("user"), !section.has("secret_arn") {
                section.reportMissing("user", example: "user: sluice_loader")
            }
        } else {
            section.reportMissing("cluster", example: "cluster: my-cluster` or `workgroup: my-workgroup")
        }
        if section.has("workgroup") { return .workgroup(name: workgroup ?? "", secretARN: secret) }
        return .cluster(
            identifier: cluster ?? "", login: secret.map { .secret(arn: $0) } ?? .databaseUser(user ?? ""))
    }

    /// Readers of the prefix take every object below it for rows, so the file must not lie among them.
    func jsonPaths(_ destination: ArchiveJobFile.Destination?) -> String {
        let fallback = JSONPathsFile().key(controlPrefix: destination?.controlPrefix ?? "")
        guard
            let key = section.checked(
                section.scalar("jsonpaths"), isNot: "a key that ends with .json",
                remedy: "give a key in the destination's bucket, of letters, digits, - _ . = and single /: \(fallback)",
                accepts: RedshiftNames.isJSONKey)
        else { return fallback }
        if let destination, !destination.prefix.literalPrefix.isEmpty, key.hasPrefix(destination.prefix.literalPrefix) {
            report("jsonpaths", "lies among the rows", "keep it outside \(destination.prefix.literalPrefix)")
        }
        return key
    }

    private func report(_ name: String, _ message: String, _ remedy: String) {
        section.reader.add(section.place(of: name), key: section.key(name), message, remedy: remedy)
    }
}
