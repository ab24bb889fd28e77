import Documents
import Experiments
import Faults

extension ActivityDefinition {
    /// The module of all activities of our own; each family of faults is a module in it.
    public static var root: String { "windkanal" }

    /// An action for each kind of fault: `windkanal.network.cut` and all others.
    ///
    /// - Parameter controller: Who applies faults in a context.
    /// - Returns: The activities.
    public static func faults(
        by controller: @escaping @Sendable (Context) -> any FaultController
    ) -> [ActivityDefinition] {
        FaultDefinition.all.filter { $0.name.contains(".") }.map { definition in
            let parts = definition.name.split(separator: ".")
            return .action(
                "\(root).\(parts[0])", String(parts[1]), definition.summary, definition.parameters,
                checking: { definition.problem(of: $0, names: nil).map { "\(root).\($0)" } }
            ) { arguments, context async throws(ActivityError) in
                do throws(FaultError) {
                    try await controller(context).apply(try definition.fault(arguments.values))
                } catch {
                    throw .failed(error.description)
                }
            }
        }
    }

    /// The actions that take faults back: `windkanal.network.heal`, `windkanal.service.start` and others.
    ///
    /// - Parameter controller: Who applies faults in a context.
    /// - Returns: The activities.
    public static func healing(
        by controller: @escaping @Sendable (Context) -> any FaultController
    ) -> [ActivityDefinition] {
        let process = Parameter.required("service", "a service, a replica of one, or a node", .process)
        return [
            .action("\(root).network", "heal", "Takes the network faults of a machine back.", FaultRoute.healing) {
                arguments, context async throws(ActivityError) in
                await healNetwork(controller(context), arguments.target("service"), arguments.target("other"))
            },
            heal("service", "start", "Starts a service that is down.", [process], controller) { fault, arguments in
                guard case .process(let kind, arguments.target("service")) = fault else { return false }
                return kind != .pause
            },
            heal("service", "resume", "Lets a paused service go on.", [process], controller) { fault, arguments in
                fault == .process(.pause, arguments.target("service"))
            },
            heal("clock", "heal", "Sets a machine's wall clock right.", [process], controller) { fault, arguments in
                guard case .clock(_, arguments.target("service")) = fault else { return false }
                return true
            },
            heal(
                "disk", "heal", "Takes back what was done to a disk, but for what is lost.",
                [.required("service", "a service with a disk", .disk)], controller
            ) { fault, arguments in
                guard case .disk(_, arguments.target("service")) = fault else { return false }
                return true
            },
            .action(root + ".fault", "heal_all", "Takes everything back.", []) {
                _, context async throws(ActivityError) in
                await controller(context).revertAll()
            },
        ]
    }

    /// Takes back what acts between a machine and another, or all others; a fault of the machine and everybody goes on elsewhere.
    private static func healNetwork(
        _ controller: any FaultController, _ one: FaultTarget, _ two: FaultTarget
    ) async {
        for applied in controller.applied where applied.until == nil {
            switch applied.fault {
            case .link(_, let route) where two == .everybody && (route.target == one || route.other == one),
                .link(_, let route) where route.target == one && route.other == two,
                .link(_, let route) where route.target == two && route.other == one:
                await controller.revert(applied.id, on: nil)
            case .link(_, let route) where route.other == .everybody && [one, two].contains(route.target):
                await controller.revert(applied.id, on: FaultRoute(one, two))
            case .listener(_, let target) where two == .everybody && target == one:
                await controller.revert(applied.id, on: nil)
            case .link, .listener, .process, .clock, .disk, .custom: break
            }
        }
    }

    private static func heal(
        _ module: String, _ function: String, _ summary: String, _ parameters: [Parameter],
        _ controller: @escaping @Sendable (Context) -> any FaultController,
        which: @escaping @Sendable (Fault, FaultArguments) -> Bool
    ) -> ActivityDefinition {
        .action("\(root).\(module)", function, summary, parameters) {
            arguments, context async throws(ActivityError) in
            let controller = controller(context)
            for applied in controller.applied where applied.until == nil && which(applied.fault, arguments) {
                await controller.revert(applied.id, on: nil)
            }
        }
    }
}

extension FaultRoute {
    static let healing: [Parameter] = [
        .required("service", "a machine, by its name or its service's", .host),
        .optional("other", "the other machine: all others", .host),
    ]
}
