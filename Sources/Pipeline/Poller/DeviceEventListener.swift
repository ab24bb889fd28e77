import Documents
import Durations
import Measurements

/// Tells a poller of the devices that come and go, as the broker's topics have it, and answers when the first values are there.
///
/// `device-create-event`, `device-delete-event` and `device-pull-event` come in; `device-created-event` goes out, with `CREATED` and the rooms or with
/// `FAILED`. A poller that begins anew hears all that was before once more, and answers none of it.
public struct DeviceEventListener: Sendable {
    /// How it listens.
    public struct Options: Sendable {
        /// What the topics' names begin with, as in `prod-`.
        public var prefix: String = ""
        /// Partitions of the topic of answers.
        public var partitions: Int = 1
        /// How long a flat may take to be fetched for the first time.
        public var firstFetchMax: Duration = .seconds(60)

        /// Topics without a prefix.
        public init() {}
    }

    /// What the topics are about.
    enum Topic: String, CaseIterable {
        case create = "device-create-event"
        case delete = "device-delete-event"
        case pull = "device-pull-event"
        case created = "device-created-event"
    }

    private let poller: Poller
    private let sources: [any RecordSource]
    private let answers: any MessageSink
    private let options: Options
    private let flats: KnownFlats = KnownFlats()

    /// How often it looks whether the first values are there.
    private static let lookInterval: Duration = .seconds(1)

    /// Listens for a poller.
    ///
    /// - Parameters:
    ///   - poller: The poller.
    ///   - sources: Where events come from; each begins with all that was before, as replays.
    ///   - answers: Where answers go.
    ///   - options: How it listens.
    public init(
        _ poller: Poller, sources: [any RecordSource], answers: any MessageSink, options: Options = Options()
    ) {
        self.poller = poller
        self.sources = sources
        self.answers = answers
        self.options = options
    }

    /// Listens to the topics of our broker.
    public init(_ poller: Poller, broker: any BrokerClient, options: Options = Options()) {
        let sources = [Topic.create, .delete, .pull].map { topic in
            var consumer = GroupConsumer.Options(
                topic: options.prefix + topic.rawValue, group: "poller-\(topic.rawValue)", member: "poller-1")
            consumer.replaysCommitted = true
            // Devices come and go in minutes.
            consumer.fetchWait = .seconds(5)
            return GroupConsumer(broker, options: consumer)
        }
        self.init(poller, sources: sources, answers: BrokerMessageSink(broker), options: options)
    }

    /// The topics that it needs.
    public static func topics(prefix: String = "") -> [BrokerTopic] {
        Topic.allCases.map { BrokerTopic(prefix + $0.rawValue) }
    }

    /// Listens for as long as the task lives.
    public func run() async {
        await withDiscardingTaskGroup { group in
            for source in sources {
                group.addTask { await source.run { (batch) throws(BrokerError) in try await handle(batch) } }
            }
        }
    }

    private func handle(_ batch: RecordBatch) async throws(BrokerError) {
        var created: [(flat: String, offset: Int64)] = []
        for record in batch.records {
            // What is no event is nobody's to answer.
            guard let event = try? DeviceEvent(record.message.value.utf8) else { continue }
            for change in await flats.note(event, at: record.time) { await poller.handle(change) }
            if case .create(let flat) = event, !batch.isReplay { created.append((flat, record.offset)) }
        }
        try await answer(created, batch)
    }

    /// Waits for the first values of flats, all at the same time, and says of each that it is there or not.
    private func answer(
        _ created: [(flat: String, offset: Int64)], _ batch: RecordBatch
    ) async throws(BrokerError) {
        let end = ContinuousClock.now + options.firstFetchMax
        var left = created
        while !left.isEmpty {
            let isOver = ContinuousClock.now >= end
            var waiting: [(flat: String, offset: Int64)] = []
            for (flat, offset) in left {
                let readings = await poller.latest(of: flat) ?? []
                guard !readings.isEmpty || isOver else {
                    waiting.append((flat, offset))
                    continue
                }
                let id = "\(batch.partition)@\(offset)"
                guard await flats.isUnanswered(id) else { continue }
                try await send(flat, readings, id)
                await flats.noteAnswer(id)
            }
            left = waiting
            guard !left.isEmpty else { return }
            try? await Task.sleep(for: Self.lookInterval)
            guard !Task.isCancelled else { throw .unreachable("the poller ends") }
            try await batch.heartbeat()
        }
    }

    /// Says that a flat is there, with the rooms that have numbers, or not.
    private func send(_ flat: String, _ readings: [Reading], _ id: String) async throws(BrokerError) {
        let rooms = Set(readings.compactMap { Int($0.id.room) }).sorted()
        let event: Value = [
            // The same for the same event: who gets it twice can tell.
            "id": .string(id), "type": "event", "action": "DeviceCreated",
            "timestamp": .integer(Int(WallClock.milliseconds)),
            "data": [
                "flatId": .string(flat), "devicesStatus": readings.isEmpty ? "FAILED" : "CREATED",
                "rooms": .array(rooms.map(Value.integer)),
            ],
        ]
        let topic = BrokerTopic(options.prefix + Topic.created.rawValue, partitions: options.partitions)
        try await answers.send(BrokerMessage(key: flat, value: JSONWriter.write(event)), to: topic)
    }
}

/// What the topics' events come to: they arrive in the order of each topic, and not in the order in which they were sent.
private actor KnownFlats {
    private struct Flat {
        var exists: (value: Bool, since: Int64)?
        var isPulled: (value: Bool, since: Int64)?
    }

    private var flats: [String: Flat] = [:]
    /// Events that were answered and may come again, the latest of them.
    private var answered: [String] = []
    private static let answeredMax: Int = 10_000

    func isUnanswered(_ id: String) -> Bool { !answered.contains(id) }

    func noteAnswer(_ id: String) {
        if answered.count == Self.answeredMax { answered.removeFirst() }
        answered.append(id)
    }

    /// Notes an event that the broker got at a moment; what is to be done.
    func note(_ event: DeviceEvent, at time: Int64) -> [DeviceEvent] {
        let name = event.flat
        var flat = flats[name] ?? Flat()
        switch event {
        case .create: if flat.exists.map({ $0.since <= time }) ?? true { flat.exists = (true, time) }
        case .delete: if flat.exists.map({ $0.since <= time }) ?? true { flat.exists = (false, time) }
        case .pull(_, let isPulled):
            if flat.isPulled.map({ $0.since <= time }) ?? true { flat.isPulled = (isPulled, time) }
        }
        flats[name] = flat
        // A flat that is only pulled or not may be one of the configuration.
        guard let exists = flat.exists?.value else { return flat.isPulled.map { [.pull(flat: name, $0.value)] } ?? [] }
        guard exists else { return [.delete(flat: name)] }
        return [.create(flat: name)] + (flat.isPulled.map { [.pull(flat: name, $0.value)] } ?? [])
    }
}
