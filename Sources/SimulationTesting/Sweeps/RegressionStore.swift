import Documents
import SimulationKernel

/// The failing seeds of one test, in a file: they are played first until they pass.
struct RegressionStore {
    /// A seed that failed, and how.
    struct Entry: Hashable {
        let seed: Seed
        let verdict: String
        let failure: String
        let digest: String
    }

    let path: String
    private let test: String
    private let trial: String
    private(set) var entries: [Entry] = []

    /// Reads what is kept of a test.
    ///
    /// - Throws: ``SweepError/keptFailures(path:problem:)``.
    init(folder: String, test: TestIdentity, trial: String, root: String) throws(SweepError) {
        // The file's place in its package, so that the name is the same wherever the package lies.
        let file = test.filePath.hasPrefix(root) ? String(test.filePath.dropFirst(root.count)) : test.filePath
        let key = Array("\(file)\n\(test.name)\n\(trial)".utf8)
        let hash = unsafe key.withUnsafeBytes { unsafe ContentDigest.hash($0) }
        let digits = String(hash, radix: 16)
        let padded = String(repeating: "0", count: 16 - digits.utf8.count) + digits
        path = "\(folder)/regress/\(KeptFiles.fileName(test.name))-\(padded).json"
        self.test = test.name
        self.trial = trial
        guard KeptFiles.exists(path) else { return }
        guard let bytes = KeptFiles.read(path) else {
            throw .keptFailures(path: path, problem: KeptFiles.problem)
        }
        entries = try Self.entries(bytes, path)
    }

    private static func entries(_ bytes: [UInt8], _ path: String) throws(SweepError) -> [Entry] {
        let document: Value
        do {
            document = try JSONReader.read(bytes)
        } catch {
            throw .keptFailures(path: path, problem: error.description)
        }
        guard let seeds = document["seeds"]?.array else {
            throw .keptFailures(path: path, problem: "it has no array 'seeds'")
        }
        var entries: [Entry] = []
        for value in seeds {
            guard let seed = value["seed"]?.string.flatMap({ Seed($0) }) else {
                throw .keptFailures(
                    path: path, problem: "an element of 'seeds' has no string 'seed' with a number in it")
            }
            entries.append(
                Entry(
                    seed: seed, verdict: value["verdict"]?.string ?? "", failure: value["failure"]?.string ?? "",
                    digest: value["digest"]?.string ?? ""))
        }
        return entries
    }

    /// Keeps a seed that failed, in place of what was known of it.
    mutating func keep(_ entry: Entry) {
        if let index = entries.firstIndex(where: { $0.seed == entry.seed }) {
            entries[index] = entry
        } else {
            entries.append(entry)
        }
    }

    /// Forgets a seed; what was known of it, or nil.
    mutating func forget(_ seed: Seed) -> Entry? {
        guard let index = entries.firstIndex(where: { $0.seed == seed }) else { return nil }
        return entries.remove(at: index)
    }

    /// Writes the file, or removes it when nothing is left in it; nil, or what is wrong.
    func save() -> String? {
        guard !entries.isEmpty else {
            KeptFiles.remove(path)
            return nil
        }
        let seeds = entries.map { entry -> Value in
            [
                // A string: a seed may be larger than every integer of JSON's readers.
                "seed": .string("\(entry.seed)"), "verdict": .string(entry.verdict),
                "failure": .string(entry.failure), "digest": .string(entry.digest),
            ]
        }
        let document: Value = ["test": .string(test), "trial": .string(trial), "seeds": .array(seeds)]
        guard KeptFiles.write(JSONWriter.write(document, .indented(2)) + "\n", to: path) else {
            return "failing seeds cannot be kept in \(path): \(KeptFiles.problem)"
        }
        return nil
    }
}
