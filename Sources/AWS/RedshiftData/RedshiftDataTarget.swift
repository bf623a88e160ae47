/// Where statements run, and as whom.
/// https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ExecuteStatement.html, "Temporary credentials" and
/// "Secrets Manager"
package struct RedshiftDataTarget: Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        /// A provisioned cluster, as this database user with temporary credentials.
        case cluster(String, databaseUser: String)
        /// A provisioned cluster, with name and password from Secrets Manager.
        case clusterWithSecret(String, secretARN: String)
        /// A serverless workgroup; without a secret the database user is the caller's IAM identity.
        case workgroup(String, secretARN: String?)
    }

    package var place: Place
    package var database: String

    package init(_ place: Place, database: String) {
        self.place = place
        self.database = database
    }

    /// For messages: `cluster my-cluster/logs`.
    package var text: String {
        switch place {
        case .cluster(let name, _), .clusterWithSecret(let name, _): "cluster \(name)/\(database)"
        case .workgroup(let name, _): "workgroup \(name)/\(database)"
        }
    }

    /// What the Data API asks of the caller besides its own action.
    var companions: [Companion] {
        switch place {
        case .cluster: [.clusterCredentials]
        case .clusterWithSecret, .workgroup(_, .some): [.secretValue]
        case .workgroup(_, nil): [.workgroupCredentials]
        }
    }

    func write(to json: inout JSONText) {
        switch place {
        case .cluster(let name, let user):
            json.member("ClusterIdentifier", name)
            json.member("DbUser", user)
        case .clusterWithSecret(let name, let secret):
            json.member("ClusterIdentifier", name)
            json.member("SecretArn", secret)
        case .workgroup(let name, let secret):
            json.member("WorkgroupName", name)
            json.member("SecretArn", secret)
        }
        json.member("Database", database)
    }
}
