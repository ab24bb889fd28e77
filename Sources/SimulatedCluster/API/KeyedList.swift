/// Elements with a key each, found, added and removed at once, and in an order that follows from what was done.
///
/// Removing moves the last element to the gap: the order is no one's wish, but the same in every run.
struct KeyedList<Key: Hashable, Element> {
    private(set) var elements: [Element] = []
    private var keys: [Key] = []
    private var positions: [Key: Int] = [:]

    var count: Int { elements.count }
    var isEmpty: Bool { elements.isEmpty }

    subscript(key: Key) -> Element? { positions[key].map { elements[$0] } }

    func contains(_ key: Key) -> Bool { positions[key] != nil }

    /// Adds an element, or replaces the one of that key.
    mutating func set(_ element: Element, for key: Key) {
        if let position = positions[key] {
            elements[position] = element
            return
        }
        positions[key] = elements.count
        elements.append(element)
        keys.append(key)
    }

    /// Adds an element unless one of that key is there; true if it was added.
    @discardableResult
    mutating func insert(_ element: Element, for key: Key) -> Bool {
        guard positions[key] == nil else { return false }
        set(element, for: key)
        return true
    }

    @discardableResult
    mutating func remove(_ key: Key) -> Element? {
        guard let position = positions.removeValue(forKey: key) else { return nil }
        let element = elements[position]
        let last = elements.count - 1
        if position != last {
            elements[position] = elements[last]
            keys[position] = keys[last]
            positions[keys[position]] = position
        }
        elements.removeLast()
        keys.removeLast()
        assert(elements.count == positions.count, "\(elements.count) elements have \(positions.count) keys")
        return element
    }

    mutating func removeAll() {
        elements = []
        keys = []
        positions = [:]
    }
}
