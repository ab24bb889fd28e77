/// Every state in which a power cut may leave a disk: each combination of what was kept of each sector and of each file's size.
public struct PowerCutStates: Sequence {
    /// What is found when the power is back.
    public struct State: Hashable, Sendable {
        /// The files' bytes, by name, in order.
        public let files: [(name: String, bytes: [UInt8])]

        /// Whether the same files have the same bytes.
        public static func == (left: State, right: State) -> Bool {
            left.files.elementsEqual(right.files) { $0.name == $1.name && $0.bytes == $1.bytes }
        }

        /// Feeds names and bytes.
        public func hash(into hasher: inout Hasher) {
            for (name, bytes) in files {
                hasher.combine(name)
                hasher.combine(bytes)
            }
        }
    }

    private let files: [(name: String, file: DiskFile)]
    private let sectorBytes: Int
    /// How many choices there are at each place: the sectors and the size of each file, one after the other.
    private let choices: [Int]

    init(files: [(name: String, file: DiskFile)], sectorBytes: Int) {
        self.files = files
        self.sectorBytes = sectorBytes
        choices = files.flatMap { _, file in
            file.touchedSectors(sectorBytes).map { $0.writes.count + 1 } + [Set(file.sizes).count]
        }
    }

    /// How many there are; the largest number where there are more.
    public var count: Int {
        choices.reduce(1) { product, choice in
            let (result, overflows) = product.multipliedReportingOverflow(by: choice)
            return overflows ? .max : result
        }
    }

    /// Counts through all of them.
    public func makeIterator() -> AnyIterator<State> {
        var digits: [Int]? = choices.map { _ in 0 }
        return AnyIterator {
            guard let current = digits else { return nil }
            digits = next(current)
            return state(current)
        }
    }

    private func next(_ digits: [Int]) -> [Int]? {
        assert(zip(digits, choices).allSatisfy { $0 < $1 }, "a choice that there is not")
        var digits = digits
        for place in digits.indices.reversed() {
            digits[place] += 1
            if digits[place] < choices[place] { return digits }
            digits[place] = 0
        }
        return nil
    }

    private func state(_ digits: [Int]) -> State {
        var rest = digits[...]
        return State(
            files: files.map { name, file in
                let sectors = file.touchedSectors(sectorBytes).count
                let kept = Array(rest.prefix(sectors))
                rest = rest.dropFirst(sectors)
                let sizes = file.sizes
                // The last write that left each of the sizes that differ.
                let different = Set(sizes).sorted().compactMap { size in sizes.lastIndex(of: size) }
                let size = different[rest.removeFirst()]
                assert(kept.count == sectors, "a state says too little of '\(name)'")
                return (name, file.image(sectorBytes, kept: kept, size: size) { _, _, _ in })
            })
    }
}
