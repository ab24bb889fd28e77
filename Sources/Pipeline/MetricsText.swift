/// What services tell of themselves, in Prometheus' text format.
struct MetricsText {
    private(set) var text: String = ""

    /// Something that only grows.
    mutating func counter(_ name: String, _ count: Int, _ help: String) {
        add("\(name)_total", "counter", help, [("", String(count))])
    }

    /// Something that goes up and down, for each of some labels.
    mutating func gauge(_ name: String, _ help: String, _ samples: [(labels: String, value: Double)]) {
        add(name, "gauge", help, samples.map { ($0.labels, String($0.value)) })
    }

    private mutating func add(
        _ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: String)]
    ) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        for sample in samples { text += "\(name)\(sample.labels) \(sample.value)\n" }
    }
}
