import ArgumentParser
import Documents
import Pipeline
import RealWorld

/// Asks a measurement server once.
struct Probe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Asks a measurement server once and shows what its answer means.",
        discussion: """
            Sends one GET. The user's name and password are taken from WINDKANAL_USER and WINDKANAL_PASSWORD, never from the \
            command line. Exits with 0 when readings were understood, with 1 when not.
            """)

    @Option(help: ArgumentHelp("The server's address.", valueName: "address"))
    var url: String

    @Option(help: "The flat to ask for.")
    var flat: String

    @Option(
        help: ArgumentHelp(
            "What answers look like: \(MeasurementContract.presets.keys.sorted().joined(separator: ", ")), or a file.",
            valueName: "name or file"), completion: .file())
    var contract: String = "iee-flat"

    @Option(
        name: .customLong("ca-file"),
        help: ArgumentHelp("Trust the certificates of this PEM file.", valueName: "file"), completion: .file())
    var certificates: String?

    func run() async throws {
        let environment = ProcessEnvironment.current
        var credentials: (user: String, password: String)?
        if let user = environment["WINDKANAL_USER"] { credentials = (user, environment["WINDKANAL_PASSWORD"] ?? "") }
        let contract: MeasurementContract
        do {
            contract = try readContract()
        } catch {
            throw failure("\(self.contract): \(error)", status: 2)
        }
        let probe = MeasurementProbe(url: url, contract: contract, certificates: certificates, credentials: credentials)
        let report: MeasurementProbe.Report
        do {
            report = try await probe.run(flat: flat)
        } catch {
            throw failure("\(error)", status: 1)
        }
        print("status \(report.status) after \(report.milliseconds) ms")
        for reading in report.measurements.readings {
            let unit = contract.channels.first { $0.name == reading.id.channel }?.unit ?? ""
            print("\(reading.id) = \(reading.value) \(unit)")
        }
        for problem in report.measurements.problems { print("not understood: \(problem)") }
        for place in report.unmapped { print("not mapped: \(place)") }
        if let offset = report.clockOffset {
            print("the server's clock is \(offset.lowerBound) to \(offset.upperBound) ms ahead of ours")
        }
        guard !report.measurements.readings.isEmpty else { throw ExitCode(1) }
    }

    private func readContract() throws -> MeasurementContract {
        if let preset = MeasurementContract.presets[contract] { return preset }
        return try MeasurementContract(try JSONReader.read(try Files.read(contract)))
    }
}
