public import Documents

/// Calls global controls around the reading of an experiment.
public struct LoaderControls: Sendable {
    private let controls: [Control]
    private let provider: any ControlProvider
    private let settings: Value?
    private let recorder: @Sendable (RunEvent) -> Void

    /// Prepares calls.
    ///
    /// - Parameters:
    ///   - controls: The controls of the settings and of files.
    ///   - provider: Who calls them.
    ///   - settings: The settings, which functions may ask for.
    ///   - recorder: Who records how calls ended.
    public init(
        _ controls: [Control], provider: any ControlProvider, settings: Value?,
        recorder: @escaping @Sendable (RunEvent) -> Void
    ) {
        self.controls = controls
        self.provider = provider
        self.settings = settings
        self.recorder = recorder
    }

    /// Calls the controls on one side of the reading.
    ///
    /// - Parameters:
    ///   - side: The side.
    ///   - source: The file or the address that is read.
    ///   - experiment: What was read, nil if nothing was; controls may change it.
    /// - Throws: ``ActivityError/interrupted`` when a control asks for the end.
    public func call(
        _ side: Control.Side, _ source: String, _ experiment: inout Value?
    ) async throws(ActivityError) {
        let function = ControlCall.Function.around(.loader, side)
        for control in controls where control.scope == nil || control.scope == side {
            guard let module = control.module else { continue }
            let outcome = try await provider.call(
                ControlCall(
                    module: module, function: function, arguments: control.arguments, context: .source(source),
                    settings: settings, state: experiment))
            if let changed = outcome.state { experiment = changed }
            guard outcome.end != .absent, outcome.end != .noModule else { continue }
            recorder(
                .controlCalled(
                    ControlOccurrence(
                        name: control.name ?? "", function: function, end: outcome.end, isDuring: false)))
            if case .interrupted = outcome.end { throw .interrupted }
        }
    }
}
