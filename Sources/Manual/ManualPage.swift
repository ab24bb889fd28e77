public import Documents

/// The command's manual page, made of what its parser says of itself, so that neither can know more than the other.
public struct ManualPage: Sendable {
    private let root: CommandDescription
    private let version: String

    /// Prepares a page; nil if the description has another form.
    ///
    /// - Parameters:
    ///   - dump: The parser's description of the command, as `--experimental-dump-help` prints it.
    ///   - version: The command's name and version.
    public init?(dump: Value, version: String) {
        guard let command = dump["command"].flatMap(CommandDescription.init) else { return nil }
        root = command
        self.version = version
    }

    /// The page, for `man`.
    public var roff: String {
        var page = Roff()
        page.macro("TH", [root.name.uppercased(), "1", "", version, "User Commands"])
        page.section("NAME")
        page.paragraph("\(root.name) - \(root.abstract.sentenceStart)")
        page.section("SYNOPSIS")
        page.bold(root.name, rest: " command [options]")
        page.section("DESCRIPTION")
        let help = root.discussion.firstRange(of: CommandReference.exitStatusHeading)
        page.text(String(root.discussion[..<(help?.lowerBound ?? root.discussion.endIndex)]))
        page.section("COMMANDS")
        let leaves = root.leaves
        for leaf in leaves { write(leaf, to: &page, besides: commonOptions) }
        page.section("COMMON OPTIONS")
        page.paragraph("Most commands take these, behind the command or before it.")
        for argument in commonOptions { page.entry(argument.label, argument.text) }
        for (title, entries) in [
            ("EXIT STATUS", CommandReference.exitStatuses), ("ENVIRONMENT", CommandReference.environment),
            ("FILES", CommandReference.files),
        ] {
            page.section(title)
            for entry in entries { page.entry(entry.name, entry.meaning) }
        }
        return page.source
    }

    /// Options that more than half of the commands have.
    private var commonOptions: [ArgumentDescription] {
        let leaves = root.leaves
        var common: [ArgumentDescription] = []
        for argument in leaves.flatMap(\.arguments) where !common.contains(argument) {
            if leaves.count(where: { $0.arguments.contains(argument) }) * 2 > leaves.count { common.append(argument) }
        }
        return common
    }

    private func write(_ command: CommandDescription, to page: inout Roff, besides common: [ArgumentDescription]) {
        page.subsection(command.path)
        page.paragraph(command.abstract)
        let positions = command.arguments.filter(\.isPositional).map(\.usage)
        page.bold(command.path, rest: (positions + ["[options]"]).map { " \($0)" }.joined())
        page.text(command.discussion)
        for argument in command.arguments where !common.contains(argument) { page.entry(argument.label, argument.text) }
    }
}

/// A command as the parser describes it.
struct CommandDescription {
    let name: String
    /// The command with those that it belongs to, as it is typed.
    let path: String
    let abstract: String
    let discussion: String
    let arguments: [ArgumentDescription]
    let subcommands: [CommandDescription]

    init?(_ value: Value) { self.init(value, below: []) }

    private init?(_ value: Value, below parents: [String]) {
        guard let name = value["commandName"]?.string else { return nil }
        let words = parents + [name]
        self.name = name
        path = words.joined(separator: " ")
        abstract = value["abstract"]?.string ?? ""
        discussion = value["discussion"]?.string ?? ""
        arguments = (value["arguments"]?.array ?? []).compactMap(ArgumentDescription.init)
        subcommands = (value["subcommands"]?.array ?? []).compactMap { subcommand in
            // The parser adds `help`, which every command has as an option.
            guard subcommand["commandName"] != "help", subcommand["shouldDisplay"] != false else { return nil }
            return CommandDescription(subcommand, below: words)
        }
    }

    /// The commands that do something: those without commands of their own.
    var leaves: [CommandDescription] { subcommands.isEmpty ? [self] : subcommands.flatMap(\.leaves) }
}

/// An argument as the parser describes it.
struct ArgumentDescription: Hashable {
    let isPositional: Bool
    let names: [String]
    let value: String?
    let abstract: String
    let defaultValue: String?
    let isRepeating: Bool
    let isOptional: Bool

    init?(_ value: Value) {
        guard value["shouldDisplay"] != false, let kind = value["kind"]?.string else { return nil }
        isPositional = kind == "positional"
        names = (value["names"]?.array ?? []).compactMap { name in
            name["name"]?.string.map { (name["kind"] == "long" ? "--" : "-") + $0 }
        }
        self.value = kind == "flag" ? nil : value["valueName"]?.string
        abstract = value["abstract"]?.string ?? ""
        defaultValue = value["defaultValue"]?.string
        isRepeating = value["isRepeating"] == true
        isOptional = value["isOptional"] == true
    }

    /// The argument as it is typed, with all its names.
    var label: String {
        guard !isPositional else { return "<\(value ?? "")>" }
        return names.joined(separator: ", ") + (value.map { " <\($0)>" } ?? "")
    }

    /// A positional argument in a line of usage.
    var usage: String {
        let text = label + (isRepeating ? " ..." : "")
        return isOptional ? "[\(text)]" : text
    }

    /// What the argument means, and what it is when nobody says.
    var text: String {
        abstract + (defaultValue.map { " (\($0) if it is left out)" } ?? "")
            + (isRepeating && !isPositional ? " Can be repeated." : "")
    }
}

extension String {
    /// The text as it goes on in the middle of a line: without a capital at its start and a stop at its end.
    fileprivate var sentenceStart: String {
        let text = hasSuffix(".") ? dropLast() : self[...]
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}
