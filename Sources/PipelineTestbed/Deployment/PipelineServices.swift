import HTTP
import HTTPTypes
import MeasurementServer
import Measurements
import Pipeline
import Ports
import Randomness
import Testbed

/// The pipeline's services as definitions: they run on simulated nodes, on this machine's sockets, in pods.
struct PipelineServices {
    let scenario: Scenario
    let seed: Seed
    /// Lets the measurement server do what device schedules say.
    let schedules: DeviceScheduleFaults

    /// The names of the services.
    enum Name {
        static let measurementServer: ServiceName = "measurement-server"
        static let poller: ServiceName = "poller"
        static let broker: ServiceName = "broker"
        static let ingester: ServiceName = "ingester"
        static let storage: ServiceName = "storage"
        static let gateway: ServiceName = "gateway"
    }

    /// The files of the services that have a disk.
    enum File {
        static let broker: String = "broker.db"
        static let storage: String = "storage.db"
        static let outbox: String = "outbox.db"
    }

    /// The header by which requests ask the gateway to answer late.
    static let injectionHeader: String = "x-envoy-fault-delay-request"

    /// The deployment of a scenario: the measurement server, what keeps readings if anything does, the poller, the gateway.
    var deployment: Deployment {
        var deployment = Deployment(latency: scenario.latency)
        deployment.add(measurementServer)
        if let persistence = scenario.persistence {
            deployment.add(broker(persistence))
            deployment.add(ingester(persistence), replicas: persistence.ingesters)
            deployment.add(poller)
            deployment.add(storage(persistence))
        } else {
            deployment.add(poller)
        }
        deployment.add(gateway)
        return deployment
    }

    /// Tells the test-bed which points of its code a service passes.
    private static func reach(_ context: ServiceContext) -> Waypoint.Listener {
        { context.reach(Mark($0.rawValue)) }
    }

    /// Tells the test-bed how much waits in a service.
    private static func measure(_ context: ServiceContext) -> Gauge.Listener {
        { context.report(PipelineObservation.gauge($0)) }
    }

    private var measurementServer: ServiceDefinition {
        let (scenario, seed, schedules) = (scenario, seed, schedules)
        return ServiceDefinition(Name.measurementServer) { context in
            var options = MeasurementServer.Options()
            options.contract = scenario.contract
            options.flats = scenario.flats
            options.rooms = scenario.rooms
            options.credentials = scenario.credentials
            options.series = scenario.series
            options.observer = { context.report(PipelineObservation.schedule($0)) }
            let server = try await MeasurementServer.start(
                context.ports, at: context.endpoint, seed: seed, options: options)
            await schedules.attach(server)
        }
    }

    private func broker(_ persistence: Persistence) -> ServiceDefinition {
        ServiceDefinition(Name.broker, volumes: [.data], readiness: .http(path: "/ready")) { context in
            let broker = try await Broker(
                context.file(File.broker), topics: [persistence.topic] + DeviceEventListener.topics(),
                rules: persistence.brokerRules, reach: Self.reach(context), measure: Self.measure(context))
            try await BrokerService.start(context.ports, at: context.endpoint, broker: broker).run()
        }
    }

    private func storage(_ persistence: Persistence) -> ServiceDefinition {
        ServiceDefinition(Name.storage, volumes: [.data], readiness: .http(path: "/ready")) { context in
            let store = try await SQLiteReadingStore(
                context.file(File.storage), rules: persistence.storageRules,
                waitingMax: persistence.storageQueue ?? SQLiteReadingStore.waitingMax, reach: Self.reach(context))
            try await StorageService.start(context.ports, at: context.endpoint, store: store).run()
        }
    }

    private func ingester(_ persistence: Persistence) -> ServiceDefinition {
        ServiceDefinition(Name.ingester, port: nil, uses: [Name.broker, Name.storage]) { context in
            var consumer = GroupConsumer.Options(
                topic: persistence.topic.name, group: Ingester.group, member: "ingester-\(context.replica)")
            if let batch = persistence.batch { consumer.recordsMax = batch }
            consumer.commitsBeforeProcessing = persistence.commitsBeforeProcessing
            consumer.offsetReset = persistence.resetsToEarliest ? .earliest : .latest
            consumer.rejoinsWhenFenced = persistence.rejoinsWhenFenced
            consumer.reach = Self.reach(context)
            let broker = try await HTTPBrokerClient.make(
                context.ports, endpoint: context.endpoint(of: Name.broker))
            var options = Ingester.Options(storage: try context.endpoint(of: Name.storage))
            options.reach = Self.reach(context)
            try await Ingester.make(
                context.ports, source: GroupConsumer(broker, options: consumer), options: options
            ).run()
        }
    }

    private var poller: ServiceDefinition {
        let (scenario, flats) = (scenario, MeasurementServer.flatNames(scenario.flats))
        let keeps = scenario.persistence != nil
        return ServiceDefinition(
            Name.poller, uses: [Name.measurementServer] + (keeps ? [Name.broker] : []), volumes: keeps ? [.data] : [],
            readiness: .http(path: "/ready")
        ) { context in
            let options = Poller.Options(
                profile: scenario.profile, contract: scenario.contract,
                endpoint: try context.endpoint(of: Name.measurementServer), flats: flats,
                authorization: scenario.credentials?.authorization)
            let observer: @Sendable (PollerEvent) -> Void = { event in
                context.report(PipelineObservation.poller(event))
                if let mark = StormMarks.mark(of: event) { context.reach(mark) }
            }
            guard let persistence = scenario.persistence else {
                let poller = try await Poller.make(
                    context.ports, options: options, sink: NoSink(), observer: observer)
                return try await PollerService.start(context.ports, at: context.endpoint, poller: poller).run()
            }
            let broker = try await HTTPBrokerClient.make(
                context.ports, endpoint: context.endpoint(of: Name.broker))
            let (sink, send) = try await sender(persistence, broker, context)
            let poller = try await Poller.make(
                context.ports, options: options, sink: WatchedSink(next: sink, context: context), observer: observer)
            let service = try await PollerService.start(context.ports, at: context.endpoint, poller: poller)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await service.run() }
                group.addTask { await DeviceEventListener(poller, broker: broker).run() }
                group.addTask { try await send() }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
    }

    /// What takes the poller's readings, and what sends them.
    private func sender(
        _ persistence: Persistence, _ broker: HTTPBrokerClient, _ context: ServiceContext
    ) async throws -> (any MeasurementSink, @Sendable () async throws -> Void) {
        switch persistence.sender {
        case .outbox(let acks, let keep):
            var options = Outbox.Options(topic: persistence.topic)
            options.retainsAfterAck = keep
            options.acks = acks
            options.reach = Self.reach(context)
            options.measure = Self.measure(context)
            let outbox = try await Outbox(
                context.file(File.outbox), name: "poller", broker: broker, options: options,
                rules: persistence.outboxRules)
            return (outbox, { try await outbox.run() })
        case .memory(let acks, let readingsMax, let deliveryTimeout):
            var options = VolatileProducer.Options(topic: persistence.topic)
            options.acks = acks
            options.readingsMax = readingsMax
            options.deliveryTimeout = deliveryTimeout
            options.measure = Self.measure(context)
            let producer = VolatileProducer(broker: broker, options: options)
            return (producer, { await producer.run() })
        }
    }

    private var gateway: ServiceDefinition {
        let hasStorage = scenario.persistence != nil
        return ServiceDefinition(
            Name.gateway, uses: [Name.poller] + (hasStorage ? [Name.storage] : []), readiness: .http(path: "/ready")
        ) { context in
            var options = Gateway.Options(upstream: try context.endpoint(of: Name.poller))
            options.storage = hasStorage ? try context.endpoint(of: Name.storage) : nil
            options.reach = Self.reach(context)
            options.injection = LatencyInjection(header: HTTPField.Name(Self.injectionHeader))
            _ = try await Gateway.start(context.ports, at: context.endpoint, options: options)
        }
    }
}

/// Nobody takes readings; the poller keeps the latest.
private struct NoSink: MeasurementSink {
    func publish(_ readings: [Reading]) async throws {}
}

/// Tells what goes through it.
private struct WatchedSink: MeasurementSink {
    let next: any MeasurementSink
    let context: ServiceContext

    func publish(_ readings: [Reading]) async throws {
        context.report(PipelineObservation.read(readings))
        try await next.publish(readings)
        context.report(PipelineObservation.acknowledged(readings))
    }
}
