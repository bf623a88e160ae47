// The Redshift part of a job's policy: statements for one cluster or workgroup, and the way in.

import AWS

struct RedshiftPolicy {
    let settings: RedshiftSettings
    let needs: Set<PolicyNeed>

    func statements() -> [PolicyStatement] {
        guard needs.contains(.queryRedshift) else { return [] }
        var submits: Set<Permission> = [.executeStatement]
        if needs.contains(.loadRedshift) { submits.formUnion(PolicyNeed.loadRedshift.permissions) }
        return [
            PolicyStatement(sid: "RunStatements", actions: submits, resources: [settings.placeARN]),
            // Statements have no ARN. The condition that there is (`statement-owner-iam-userid`) binds a statement to one
            // session of a role, and the next run, in another session, asks after what this one handed in.
            // https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-access.html
            PolicyStatement(
                sid: "ReadStatements", actions: PolicyNeed.queryRedshift.permissions.subtracting(submits),
                resources: ["*"]),
            PolicyStatement(
                sid: "LogIntoRedshift", actions: [settings.login.permission], resources: settings.login.resources),
        ]
    }
}

extension RedshiftSettings {
    /// Cluster or workgroup. A workgroup's ARN has an id that the job file does not know, so all of the account stand for
    /// it. https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonredshiftdataapi.html
    var placeARN: String {
        switch target {
        case .cluster(let name, _): arn("redshift", "cluster:\(name)")
        case .workgroup: arn("redshift-serverless", "workgroup/*")
        }
    }

    /// What the Data API does in the caller's name to get into the database.
    /// https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-access.html
    var login: (permission: Permission, resources: [String]) {
        switch target {
        case .cluster(_, .secret(let secret)), .workgroup(_, .some(let secret)): (.secretValue, [secret])
        case .cluster(let name, .databaseUser(let user)):
            (
                .clusterCredentials,
                [arn("redshift", "dbuser:\(name)/\(user)"), arn("redshift", "dbname:\(name)/\(database)")]
            )
        case .workgroup(_, nil): (.workgroupCredentials, [placeARN])
        }
    }

    /// Cluster and workgroup belong to the account of the role that is attached to them: the first of a chain.
    private func arn(_ service: String, _ rest: String) -> String {
        let role = roleARN.split(separator: ":", omittingEmptySubsequences: false)
        return "arn:\(role[1]):\(service):\(region):\(role[4]):\(rest)"
    }
}
