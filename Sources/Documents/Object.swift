extension Value {
    /// Values by name, in the order in which the names came; equal when names, values and order are.
    public struct Object: Hashable, Sendable {
        private var names: [String] = []
        private var members: [Value] = []
        /// Where names stand; kept as soon as looking through them takes longer.
        private var index: [String: Int] = [:]

        private static let indexedFrom: Int = 12

        /// An object without members.
        public init() {}

        private func position(of name: String) -> Int? {
            names.count < Self.indexedFrom ? names.firstIndex(of: name) : index[name]
        }

        /// The value under a name, or nil; setting a value keeps a name's place, setting nil takes the name out.
        public subscript(name: String) -> Value? {
            get { position(of: name).map { members[$0] } }
            set {
                switch (position(of: name), newValue) {
                case (let position?, let value?): members[position] = value
                case (let position?, nil):
                    names.remove(at: position)
                    members.remove(at: position)
                    rebuildIndex()
                case (nil, let value?):
                    names.append(name)
                    members.append(value)
                    if names.count == Self.indexedFrom { rebuildIndex() }
                    if names.count > Self.indexedFrom { index[name] = names.count - 1 }
                case (nil, nil): break
                }
            }
        }

        private mutating func rebuildIndex() {
            guard names.count >= Self.indexedFrom else { return index = [:] }
            index = Dictionary(zip(names, names.indices)) { first, _ in first }
        }

        /// The names, in order.
        public var keys: [String] { names }
        /// The values, in the order of their names.
        public var values: [Value] { members }

        /// An object with the same names and other values.
        public func mapValues(_ transform: (Value) throws -> Value) rethrows -> Object {
            var result = self
            result.members = try members.map(transform)
            return result
        }

        /// The present members and, behind them or in place of those of the same name, others.
        public func merging(_ other: Object) -> Object {
            var result = self
            for (name, value) in other { result[name] = value }
            return result
        }
    }
}

extension Value.Object: RandomAccessCollection, ExpressibleByDictionaryLiteral {
    /// Where the first member is.
    public var startIndex: Int { 0 }
    /// The index behind the last member.
    public var endIndex: Int { names.count }
    /// A member by its place.
    public subscript(position: Int) -> (key: String, value: Value) { (names[position], members[position]) }

    /// Members in order; of two of one name the last value stays, at the first one's place.
    public init(dictionaryLiteral elements: (String, Value)...) {
        self.init()
        for (name, value) in elements { self[name] = value }
    }
}
