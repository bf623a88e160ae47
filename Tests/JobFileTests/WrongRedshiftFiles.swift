// Each way to get the `redshift:` group of an archive job wrong.

/// A group with a database and a role, and `rest` besides. Reported is `key`, at its value if it has one.
private func wrong(
    _ rest: String, key: String, says: String, remedy: String, schemaSees: Bool = true
) -> WrongFile {
    let group = "redshift: {database: d, role_arn: \(role), \(rest)}"
    let before = group.split(separator: "\(key): ", maxSplits: 1, omittingEmptySubsequences: false)
    let column = before.count == 2 ? before[0].count + key.count + 3 : 1
    return WrongFile(
        "source:", "\(group)\nsource:", at: 3, column, key: "redshift.\(key)", says: says, remedy: remedy,
        schemaSees: schemaSees)
}

private let role = "arn:aws:iam::111122223333:role/r"
private let secret = "arn:aws:secretsmanager:us-east-1:111122223333:secret:s"

let wrongRedshiftFiles: [WrongFile] = [
    wrong("user: u", key: "cluster", says: "is missing", remedy: "workgroup: my-workgroup"),
    wrong("cluster: c", key: "user", says: "is missing", remedy: "user: sluice_loader"),
    wrong(
        "cluster: c, workgroup: www, user: u", key: "workgroup", says: "beside cluster", remedy: "keep the one",
        schemaSees: false),
    wrong("workgroup: www, user: u", key: "user", says: "for a cluster", remedy: "take it out", schemaSees: false),
    wrong(
        "cluster: c, user: u, secret_arn: \(secret)", key: "secret_arn", says: "beside user", remedy: "keep one",
        schemaSees: false),
    wrong(
        "workgroup: www, secret_arn: hunter2", key: "secret_arn", says: "not the ARN of a secret",
        remedy: "never the secret itself"),
    wrong(
        "cluster: Prod, user: u", key: "cluster", says: "not a cluster identifier", remedy: "as the console shows it"),
    wrong("workgroup: w_w", key: "workgroup", says: "not a workgroup name", remedy: "as the console shows it"),
    wrong("cluster: c, user: a b", key: "user", says: "not a database user", remedy: "letters, digits"),
    wrong("workgroup: www, table: drupal-log", key: "table", says: "not a name", remedy: "a-z, 0-9 and _"),
    wrong("workgroup: www, schema: 'a\"b'", key: "schema", says: "not a name", remedy: "a-z, 0-9 and _"),
    wrong(
        "workgroup: www, table: t, ledger_table: t", key: "ledger_table", says: "name of the table", remedy: "its own",
        schemaSees: false),
    wrong(
        "workgroup: www, jsonpaths: /x.json", key: "jsonpaths", says: "not a key", remedy: "_sluice/drupal/redshift/"),
    wrong(
        "workgroup: www, jsonpaths: drupal/dt=x.json", key: "jsonpaths", says: "among the rows",
        remedy: "outside drupal/dt=", schemaSees: false),
    WrongFile(
        "source:", "redshift: {workgroup: www, role_arn: \(role)}\nsource:", at: 3, 1, key: "redshift.database",
        says: "is missing", remedy: "database: logs"),
    WrongFile(
        "source:", "redshift: {workgroup: www, database: d, role_arn: role/r}\nsource:", at: 3, 51,
        key: "redshift.role_arn", says: "not the ARN of a role", remedy: "arn:aws:iam::"),
]
