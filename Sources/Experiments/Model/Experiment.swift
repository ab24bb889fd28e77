public import Documents

/// A Chaos Toolkit experiment, as its file says it.
public struct Experiment: Sendable {
    /// What the file holds and where its parts stand.
    public var document: Document
    /// The file or the address that it was read from, for messages.
    public let origin: String

    /// Makes an experiment of a document.
    public init(_ document: Document, origin: String) {
        self.document = document
        self.origin = origin
    }

    /// A part by its name at the top.
    public subscript(name: String) -> Value? { document.value[name] }

    /// The activities of a part, without those that are none.
    public func activities(of section: Section) -> [Activity] {
        let values = document.value[section.pointer]?.array ?? []
        return values.enumerated().compactMap { Activity($0.element, at: section.pointer.appending($0.offset)) }
    }

    /// Whether a hypothesis with at least one probe is declared.
    public var hasProbes: Bool { !(document.value[Section.hypothesis.pointer]?.array ?? []).isEmpty }

    /// The activity that a reference stands for: of those of one name a hypothesis' probe goes before the method's, and the
    /// last before the others; rollbacks cannot be referred to.
    public func activity(named name: String) -> Activity? {
        (activities(of: .method) + activities(of: .hypothesis)).last { $0.reference == nil && $0.name == name }
    }

    /// The options that a named extension holds.
    public func `extension`(_ name: String) -> Value? {
        self["extensions"]?.array?.first { $0["name"] == .string(name) }
    }
}
