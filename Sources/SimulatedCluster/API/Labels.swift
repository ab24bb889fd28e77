/// A label of an object.
package struct Label: Hashable, Sendable, Comparable {
    package let key: String
    package let value: String

    package init(_ key: String, _ value: String) {
        self.key = key
        self.value = value
    }

    package static func < (left: Label, right: Label) -> Bool {
        (left.key, left.value) < (right.key, right.value)
    }
}

/// The labels of an object, or those that a selector demands.
package struct Labels: Hashable, Sendable, ExpressibleByDictionaryLiteral, CustomStringConvertible {
    /// The labels in the order of their keys.
    package private(set) var pairs: [Label] = []

    package init() {}

    package init(_ pairs: [Label]) {
        for pair in pairs { self[pair.key] = pair.value }
    }

    package init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements.map { Label($0, $1) })
    }

    package var isEmpty: Bool { pairs.isEmpty }

    package subscript(key: String) -> String? {
        get { pairs.first { $0.key == key }?.value }
        set {
            pairs.removeAll { $0.key == key }
            guard let newValue else { return }
            let place = pairs.firstIndex { $0.key > key } ?? pairs.count
            pairs.insert(Label(key, newValue), at: place)
        }
    }

    /// Whether all labels of a selector are among these.
    package func matches(_ selector: Labels) -> Bool {
        selector.pairs.allSatisfy { pairs.contains($0) }
    }

    /// As selectors are written: `app=gateway,tier=web`.
    package var description: String { pairs.map { "\($0.key)=\($0.value)" }.joined(separator: ",") }
}
