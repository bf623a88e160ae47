// ~/.aws/config and ~/.aws/credentials with the profile that is in force. Loading is one read of two files; what it
// gives is a value. Keys of the credentials file win over the same keys of the config file, as in botocore.
import CivilTime

/// One setting and where it stands. The text may be a secret, so it has no description.
package struct ConfigurationValue: Sendable {
    private let hidden: Secret
    /// Settings indented below the key (`s3 =`, `kinesis =`).
    package let nested: [String: ConfigurationValue]
    package let file: String
    package let line: Int

    package var text: String { hidden.revealed }

    package init(text: String, nested: [String: ConfigurationValue] = [:], file: String, line: Int) {
        hidden = Secret(text)
        self.nested = nested
        self.file = file
        self.line = line
    }
}

/// The settings of one section.
package struct ConfigurationProfile: Sendable {
    package var name: String
    package var values: [String: ConfigurationValue]

    package init(name: String, values: [String: ConfigurationValue] = [:]) {
        self.name = name
        self.values = values
    }

    /// The text of a key; nil when it is absent or empty.
    package func text(_ key: String) -> String? {
        guard let text = values[key]?.text, !text.isEmpty else { return nil }
        return text
    }
}

package struct SharedConfiguration: Sendable {
    /// The profile in force: AWS_PROFILE, AWS_DEFAULT_PROFILE or `default`.
    package let profileName: String
    package let configPath: String
    package let credentialsPath: String

    let configProfiles: [String: ConfigurationProfile]
    let credentialsProfiles: [String: ConfigurationProfile]
    let ssoSessions: [String: ConfigurationProfile]
    let services: [String: ConfigurationProfile]
    /// `file:line` of section headers that cannot be read. The AWS tools pass over them, so they are no error by
    /// themselves; they are named when something is not found.
    private let unreadableHeaders: [String]
    private let modified: [String: Timestamp]

    /// Reads both files. A missing file is an empty one, unless a variable names it; a file that cannot be read or
    /// parsed, and a named profile that does not exist, are errors.
    package static func load(_ environment: AWSEnvironment) throws(AWSConfigurationError) -> SharedConfiguration {
        try SharedConfiguration(environment: environment)
    }

    private init(environment: AWSEnvironment) throws(AWSConfigurationError) {
        let configVariable = environment.variable("AWS_CONFIG_FILE")
        let credentialsVariable = environment.variable("AWS_SHARED_CREDENTIALS_FILE")
        let configPath = environment.expandingHome(configVariable ?? "~/.aws/config")
        let credentialsPath = environment.expandingHome(credentialsVariable ?? "~/.aws/credentials")
        var modified: [String: Timestamp] = [:]
        // The time is taken before the read: a change in between is then noticed, not missed.
        for path in [configPath, credentialsPath] { modified[path] = environment.fileModified(path) }
        let config = try Self.read(configPath, environment)
        let credentials = try Self.read(credentialsPath, environment)

        var tables = SectionTables()
        for section in config?.sections ?? [] { tables.addConfig(section, path: configPath) }
        for section in credentials?.sections ?? [] { tables.addCredentials(section) }

        let named = environment.variable("AWS_PROFILE") ?? environment.variable("AWS_DEFAULT_PROFILE")
        profileName = named ?? "default"
        self.configPath = configPath
        self.credentialsPath = credentialsPath
        configProfiles = tables.config
        credentialsProfiles = tables.credentials
        ssoSessions = tables.ssoSessions
        services = tables.services
        unreadableHeaders = tables.unreadableHeaders
        self.modified = modified
        if let named, profile(named) == nil {
            throw AWSConfigurationError(
                "use AWS profile", named,
                "there is no such profile in \(configPath) or \(credentialsPath)" + unreadableNote,
                hint: "correct AWS_PROFILE, or add a section [profile \(named)] to \(configPath)")
        }
    }

    /// The end of a sentence about something that was not found.
    var unreadableNote: String {
        guard !unreadableHeaders.isEmpty else { return "" }
        let places = unreadableHeaders.prefix(3).joined(separator: ", ")
        return "; the section header at \(places) is malformed (a NAME with spaces needs quotes)"
    }

    /// False when one of the files was changed, made or removed since this was loaded.
    func isCurrent(_ environment: AWSEnvironment) -> Bool {
        [configPath, credentialsPath].allSatisfy { environment.fileModified($0) == modified[$0] }
    }

    /// A profile with the keys of both files; nil when neither has it.
    package func profile(_ name: String) -> ConfigurationProfile? {
        let config = configProfiles[name]
        let credentials = credentialsProfiles[name]
        if config == nil, credentials == nil { return nil }
        let values = (config?.values ?? [:]).merging(credentials?.values ?? [:]) { _, winner in winner }
        return ConfigurationProfile(name: name, values: values)
    }

    /// The profile in force; without any settings when it does not exist.
    package var currentProfile: ConfigurationProfile { profile(profileName) ?? ConfigurationProfile(name: profileName) }

    /// True when the profile asks for path-style S3 addressing (`s3 =` / `addressing_style = path`).
    package var wantsPathStyleS3: Bool { currentProfile.values["s3"]?.nested["addressing_style"]?.text == "path" }

    private static func read(_ path: String, _ environment: AWSEnvironment) throws(AWSConfigurationError) -> INIFile? {
        let bytes: [UInt8]?
        do {
            bytes = try environment.readFile(path)
        } catch {
            throw AWSConfigurationError(
                "read AWS configuration file", path, (error as? FileFailure)?.message ?? "cannot be read",
                hint: "make it readable for the user that runs sluice")
        }
        guard let bytes else { return nil }
        return try INIFile(path: path, bytes: bytes)
    }
}

/// Sorts sections by what their header says.
private struct SectionTables {
    var config: [String: ConfigurationProfile] = [:]
    var credentials: [String: ConfigurationProfile] = [:]
    var ssoSessions: [String: ConfigurationProfile] = [:]
    var services: [String: ConfigurationProfile] = [:]
    var unreadableHeaders: [String] = []

    mutating func addConfig(_ section: INIFile.Section, path: String) {
        if section.header == "default" {
            // `[profile default]` wins over `[default]`.
            if config["default"] == nil { config["default"] = profile("default", section) }
            return
        }
        guard let kind = ["profile", "sso-session", "services"].first(where: { section.header.hasPrefix($0) }),
            let next = section.header.dropFirst(kind.count).first, next == " " || next == "\t"
        else { return }
        guard let words = ShellWords.split(section.header), words.count == 2 else {
            unreadableHeaders.append("\(path):\(section.line)")
            return
        }
        switch kind {
        case "profile": config[words[1]] = profile(words[1], section)
        case "sso-session": ssoSessions[words[1]] = profile(words[1], section)
        default: services[words[1]] = profile(words[1], section)
        }
    }

    mutating func addCredentials(_ section: INIFile.Section) {
        credentials[section.header] = profile(section.header, section)
    }

    private func profile(_ name: String, _ section: INIFile.Section) -> ConfigurationProfile {
        ConfigurationProfile(name: name, values: section.values)
    }
}
