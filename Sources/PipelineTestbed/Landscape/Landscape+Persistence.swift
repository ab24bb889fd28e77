import HTTP
import MeasurementServer
import Measurements
import Pipeline
import Ports
import SimulatedWorld
import SimulationKernel

extension Landscape {
    /// The services that keep readings, and the poller before them.
    func addPersistence(_ persistence: Persistence, _ scenario: Scenario, flats: [String]) throws {
        let (recorder, ledger) = (recorder, ledger)
        machines["broker"] = try Machine("broker", in: network, simulation, disk: persistence.disk) { ports, machine in
            let broker = try await Broker(
                machine.file("broker.db"), topics: [persistence.topic] + DeviceEventListener.topics())
            try await BrokerService.start(ports, at: Service.broker, broker: broker).run()
        }
        machines["storage"] = try Machine("storage", in: network, simulation, disk: persistence.disk) {
            ports, machine in
            let store = try await SQLiteReadingStore(machine.file("storage.db"), rules: persistence.storageRules)
            try await StorageService.start(ports, at: Service.storage, store: store).run()
        }
        machines["ingester"] = try Machine("ingester", in: network, simulation, disk: persistence.disk) { ports, _ in
            var consumer = GroupConsumer.Options(
                topic: persistence.topic.name, group: Ingester.group, member: "ingester-1")
            consumer.commitsBeforeProcessing = persistence.commitsFirst
            consumer.offsetReset = persistence.beginsAtEarliest ? .earliest : .latest
            consumer.rejoinsWhenFenced = persistence.rejoins
            let broker = try await HTTPBrokerClient.make(ports, endpoint: Service.broker)
            try await Ingester.make(
                ports, source: GroupConsumer(broker, options: consumer),
                options: Ingester.Options(storage: Service.storage)
            ).run()
        }
        machines["poller"] = try Machine("poller", in: network, simulation, disk: persistence.disk) { ports, machine in
            let broker = try await HTTPBrokerClient.make(ports, endpoint: Service.broker)
            let sink: any MeasurementSink
            let send: @Sendable () async throws -> Void
            switch persistence.sender {
            case .outbox(let acks, let keep):
                var options = Outbox.Options(topic: persistence.topic)
                options.keep = keep
                options.acks = acks
                let outbox = try await Outbox(
                    machine.file("outbox.db"), name: "poller", broker: broker, options: options)
                (sink, send) = (outbox, { try await outbox.run() })
            case .memory(let acks, let readingsMax, let deliveryTimeout):
                var options = VolatileProducer.Options(topic: persistence.topic)
                options.acks = acks
                options.readingsMax = readingsMax
                options.deliveryTimeout = deliveryTimeout
                let producer = VolatileProducer(broker: broker, options: options)
                (sink, send) = (producer, { await producer.run() })
            }
            let poller = try await Poller.make(
                ports, options: Self.pollerOptions(scenario, flats),
                sink: LedgerSink(ledger: ledger, next: sink), observer: { recorder.note($0) })
            let service = try await PollerService.start(ports, at: Service.poller, poller: poller)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await service.run() }
                group.addTask { await DeviceEventListener(poller, broker: broker).run() }
                group.addTask { try await send() }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
    }

    /// The poller's options in a scenario.
    static func pollerOptions(_ scenario: Scenario, _ flats: [String]) -> Poller.Options {
        Poller.Options(
            profile: scenario.profile, contract: scenario.contract, endpoint: Service.measurementServer, flats: flats,
            authorization: scenario.credentials?.authorization)
    }
}
