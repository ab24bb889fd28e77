public import Documents

/// A fault that only a service itself can do, by a name that the deployment knows: a mock's schedule, a feature that is switched off.
public struct CustomFault: Hashable, Sendable {
    /// What it is called in the deployment.
    public var name: String
    /// Whom it hits; what that may be, the deployment says.
    public var target: FaultTarget
    /// How; the deployment checks it.
    public var parameters: Value.Object

    /// Makes a fault of its parts.
    public init(_ name: String, _ target: FaultTarget, _ parameters: Value.Object = [:]) {
        self.name = name
        self.target = target
        self.parameters = parameters
    }

    var arguments: Value.Object {
        ["name": .string(name), "target": .string(target.name), "parameters": .object(parameters)]
    }

    static let definition: FaultDefinition = FaultDefinition(
        "custom", "Lets a service do what only it can do wrong.",
        [
            .required("name", "what the deployment calls it", .string),
            .required("target", "whom it hits, by a name that it knows", .string),
            .optional("parameters", "how", .object),
        ]
    ) { arguments in
        .custom(
            CustomFault(
                arguments.string("name") ?? "", arguments.target("target"),
                arguments.values["parameters"]?.object ?? [:]))
    }
}
