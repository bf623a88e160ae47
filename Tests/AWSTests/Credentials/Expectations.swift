import AWS
import Diagnostics
import Testing

/// One failing set-up: the error's text must hold `says`, name `source`, end the run with 77 and hold no secret.
struct Refusal: CustomTestStringConvertible, Sendable {
    var name: String
    var machine: @Sendable () -> FakeMachine
    var source: String
    var says: String
    var isTransient = false
    var testDescription: String { name }
}

/// Everything that a program could print of an error.
func printable(_ value: Any) -> String {
    var text = "\(value) \(String(reflecting: value)) "
    dump(value, to: &text)
    return text
}

func expectRefusal(_ refusal: Refusal) async throws {
    let machine = refusal.machine()
    let chain = try machine.chain()
    do {
        let credentials = try await chain.credentials()
        Issue.record("\(refusal.name): got credentials from \(credentials.source)")
    } catch {
        let failure = try #require(error as? any DiagnosticError)
        #expect(failure.diagnostic.subject == refusal.source)
        let text = failure.diagnostic.summary + " hint: " + (failure.diagnostic.hint ?? "")
        #expect(text.contains(refusal.says), "\(text)")
        #expect(failure.exitCode == .permission)
        #expect(failure.isTransient == refusal.isTransient)
        let shown = [printable(error), text, printable(chain), printable(machine.environment)] + machine.log
        for part in shown { #expect(!part.contains(plant), "\(part)") }
        #expect(!text.contains("\n"))
    }
}
