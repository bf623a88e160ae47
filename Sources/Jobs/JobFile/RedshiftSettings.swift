// The `redshift:` of an archive job as plain values: where its rows are loaded to and who loads them.
// Every name was checked when the file was read, so that it may stand in a statement between double quotes.

package struct RedshiftSettings: Sendable, Equatable {
    package var target: Target
    /// Where cluster or workgroup lie; COPY says so when the bucket lies elsewhere.
    package var region: String
    package var database: String
    package var schema: String
    package var table: String
    /// Table in `schema` in which each load leaves what it loaded.
    package var ledgerTable: String
    /// The role with which Redshift reads the bucket, or several joined by commas (role chaining).
    package var roleARN: String
    /// Key in the destination bucket at which COPY finds the JSONPaths file.
    package var jsonPaths: String

    package enum Target: Sendable, Equatable {
        /// A provisioned cluster.
        case cluster(identifier: String, login: Login)
        /// A serverless workgroup. Without a secret the caller's IAM identity is the database user.
        case workgroup(name: String, secretARN: String?)
    }

    /// Who a statement runs as on a cluster.
    package enum Login: Sendable, Equatable {
        /// Temporary credentials of this database user (`redshift:GetClusterCredentials`).
        case databaseUser(String)
        /// User and password from AWS Secrets Manager.
        case secret(arn: String)
    }

    package init(
        target: Target, region: String, database: String, schema: String, table: String, ledgerTable: String,
        roleARN: String, jsonPaths: String
    ) {
        self.target = target
        self.region = region
        self.database = database
        self.schema = schema
        self.table = table
        self.ledgerTable = ledgerTable
        self.roleARN = roleARN
        self.jsonPaths = jsonPaths
    }
}
