// The Ruby code that configurations hold in practice: reading the environment. Anything else is not run.

/// `ENV['X']`, `ENV["X"]`, `ENV.fetch('X')`, each with a text after `||` or as second argument of `fetch`.
func fluentdRubyPart(_ code: String) -> FluentdValue.Part {
    let name = ##"(?:'([A-Za-z_][A-Za-z0-9_]*)'|"([A-Za-z_][A-Za-z0-9_]*)")"##
    let text = ##"(?:'([^'\\}]*)'|"([^"\\#}]*)")"##
    let read = ##"ENV(?:\[\s*\##(name)\s*\]|\.fetch\(\s*\##(name)\s*(?:,\s*\##(text)\s*)?\))"##
    let pattern = ##"\s*\##(read)\s*(?:\|\|\s*\##(text)\s*)?"##
    guard code.utf8.count <= rubyCodeBytesMax, let regex = try? Regex(pattern), let match = code.wholeMatch(of: regex)
    else { return .code }
    let groups = match.output.map { $0.substring.map(String.init) }
    guard let found = groups[1...4].compactMap({ $0 }).first else { return .code }
    return .variable(name: found, fallback: groups[5...].compactMap { $0 }.first)
}

/// Longer code is not read.
private let rubyCodeBytesMax = 1_024
