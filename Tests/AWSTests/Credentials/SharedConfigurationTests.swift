import AWS
import Diagnostics
import Testing

struct SharedConfigurationTests {
    private let config = """
        [default]
        region = us-east-1
        [profile web]
        region = eu-west-1
        aws_access_key_id = FROMCONFIG
        s3 =
          addressing_style = path
        [profile "two words"]
        region = ap-south-1
        [web2]
        region = nowhere
        """

    @Test(arguments: [
        ([:], "default", "us-east-1"),
        (["AWS_PROFILE": "web"], "web", "eu-west-1"),
        (["AWS_DEFAULT_PROFILE": "web"], "web", "eu-west-1"),
        (["AWS_PROFILE": "two words", "AWS_DEFAULT_PROFILE": "web"], "two words", "ap-south-1"),
        (["AWS_PROFILE": "", "AWS_DEFAULT_PROFILE": ""], "default", "us-east-1"),
    ])
    func theProfileInForceIsTheNamedOne(_ variables: [String: String], _ name: String, _ region: String) throws {
        let configuration = try FakeMachine(variables, config: config).configuration()
        #expect(configuration.profileName == name)
        #expect(configuration.currentProfile.text("region") == region)
        #expect(configuration.wantsPathStyleS3 == (name == "web"))
    }

    @Test func keysOfTheCredentialsFileWin() throws {
        let machine = FakeMachine(
            ["AWS_PROFILE": "web"], config: config, credentials: "[web]\naws_access_key_id = FROMCREDENTIALS\n")
        let profile = try machine.configuration().currentProfile
        #expect(profile.text("aws_access_key_id") == "FROMCREDENTIALS")
        #expect(profile.text("region") == "eu-west-1")
    }

    @Test func theProfilePrefixWinsForDefault() throws {
        for text in [
            "[default]\nregion = a\n[profile default]\nregion = b",
            "[profile default]\nregion = b\n[default]\nregion = a",
        ] {
            #expect(try FakeMachine(config: text).configuration().currentProfile.text("region") == "b")
        }
    }

    @Test func variablesNameOtherFilesAndHomeIsExpanded() throws {
        let machine = FakeMachine(
            ["AWS_CONFIG_FILE": "~/other", "AWS_SHARED_CREDENTIALS_FILE": "/etc/keys", "AWS_PROFILE": "p"],
            files: ["/home/op/other": "[profile p]\nregion = r1", "/etc/keys": "[p]\naws_access_key_id = K"])
        let configuration = try machine.configuration()
        #expect(configuration.configPath == "/home/op/other")
        #expect(configuration.currentProfile.values.keys.sorted() == ["aws_access_key_id", "region"])
    }

    @Test func withoutFilesThereIsAnEmptyDefaultProfile() throws {
        let configuration = try FakeMachine().configuration()
        #expect(configuration.currentProfile.values.isEmpty)
        #expect(configuration.profileName == "default")
    }

    @Test(arguments: [
        (["AWS_PROFILE": "web2"], "[web2]\nregion = x", "there is no such profile"),
        (["AWS_PROFILE": "a b"], "[x]\n[profile a b]\nregion = x", "header at /home/op/.aws/config:2 is malformed"),
    ])
    func badFilesAndUnknownProfilesAreErrors(_ variables: [String: String], _ config: String, _ says: String) throws {
        let machine = FakeMachine(variables, config: config)
        let error = try #require(throws: AWSConfigurationError.self) { _ = try machine.configuration() }
        #expect(error.diagnostic.summary.contains(says), "\(error.diagnostic.summary)")
    }

    @Test func malformedHeadersThatNobodyAsksForArePassedOver() throws {
        let machine = FakeMachine(config: "[sso-session \"x]\n[profile a b]\nregion = y\n[default]\nregion = z")
        #expect(try machine.configuration().currentProfile.text("region") == "z")
    }

    @Test func anUnreadableFileIsAnErrorAndNotAMissingOne() throws {
        let machine = FakeMachine(credentials: "[default]\n")
        machine.makeUnreadable("/home/op/.aws/credentials")
        let error = try #require(throws: AWSConfigurationError.self) { _ = try machine.configuration() }
        #expect(error.diagnostic.subject == "/home/op/.aws/credentials")
        #expect(error.diagnostic.cause == "Permission denied")
    }

    @Test func nothingThatIsPrintedShowsAValue() throws {
        let machine = FakeMachine(
            ["AWS_SECRET_ACCESS_KEY": plant],
            config: "[default]\naws_secret_access_key = \(plant)\ns3 =\n  a = \(plant)",
            credentials: "[default]\naws_session_token = \(plant)")
        #expect(!printable(try machine.configuration()).contains(plant))
        #expect(!printable(machine.environment).contains(plant))
        #expect(printable(machine.environment).contains("AWS_SECRET_ACCESS_KEY"))
    }

    @Test(arguments: [
        ("eu-north-1", ["AWS_REGION": "r1", "AWS_DEFAULT_REGION": "r2"], "eu-north-1"),
        (nil, ["AWS_REGION": "r1", "AWS_DEFAULT_REGION": "r2"], "r1"),
        (nil, ["AWS_DEFAULT_REGION": "r2"], "r2"),
        (nil, [:], "us-east-1"),
        ("", ["AWS_REGION": ""], "us-east-1"),
    ])
    func theRegionIsTheFirstThatIsSet(_ explicit: String?, _ variables: [String: String], _ region: String) throws {
        let machine = FakeMachine(variables, config: config)
        let found = try RegionRules.region(
            explicit: explicit, environment: machine.environment, configuration: machine.configuration())
        #expect(found == region)
    }

    @Test(arguments: [
        "us-east-1.evil.example/", "a b", "us_east_1", "-us", "us-", "US-EAST-1", "us-east-1\n", "fips-us-east-1",
        "us-east-1-fips", "aws-global", "ü", String(repeating: "a", count: 64),
    ])
    func aTextThatIsNoRegionIsRefused(_ region: String) throws {
        let error = try #require(throws: AWSConfigurationError.self) {
            try RegionRules.validate(region, origin: "AWS_REGION")
        }
        #expect(error.diagnostic.subject == "AWS_REGION")
        #expect(throws: Never.self) { try RegionRules.validate(String(repeating: "a", count: 63), origin: "x") }
    }

    @Test func withoutAnyRegionTheHintSaysWhereToSetOne() throws {
        let machine = FakeMachine()
        let error = try #require(throws: AWSConfigurationError.self) {
            _ = try RegionRules.region(
                explicit: nil, environment: machine.environment, configuration: machine.configuration())
        }
        #expect(error.diagnostic.hint?.contains("AWS_REGION") == true)
    }
}
