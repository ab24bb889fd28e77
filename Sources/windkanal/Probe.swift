import Activities
import ArgumentParser
import Documents
import Experiments
import Measurements
import Pipeline
import Probing
import Sessions

/// Asks a measurement server once.
struct Probe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Asks a measurement server once and shows what its answer means.",
        discussion: """
            Sends one GET. The user's name and password are taken from WINDKANAL_USER and WINDKANAL_PASSWORD, never from the \
            command line. Exits with 0 when readings were understood, with 1 when not.

            Examples:
              windkanal probe --url http://127.0.0.1:8080 --flat SD0
              # a private certificate, another way to say things
              windkanal probe --url https://meters.example:8443 --flat SD0 --ca-file ca.pem
              windkanal probe --url http://127.0.0.1:8080 --flat SD0 --contract senml
            """)

    @Option(help: ArgumentHelp("The server's address.", valueName: "address"))
    var url: String

    @Option(help: "The flat to ask for.")
    var flat: String

    @Option(
        help: ArgumentHelp(
            "What answers look like: \(Self.presets), or a file.",
            valueName: "name or file"), completion: .file())
    var contract: String = "iee-flat"

    @Option(
        name: .customLong("ca-file"),
        help: ArgumentHelp("Trust the certificates of this PEM file.", valueName: "file"), completion: .file())
    var certificates: String?

    @OptionGroup var globals: GlobalOptions

    func run() async throws {
        let environment = ProcessEnvironment.current
        var credentials: (user: String, password: String)?
        if let user = environment["WINDKANAL_USER"] { credentials = (user, environment["WINDKANAL_PASSWORD"] ?? "") }
        let contract: MeasurementContract
        do {
            contract = try readContract()
        } catch let error as FileError {
            throw failure("--contract \(error); there are also \(Self.presets)", status: 2)
        } catch {
            throw failure("\(self.contract): \(error)", status: 2)
        }
        if let certificates {
            do {
                try MeasurementProbe.check(certificates: certificates)
            } catch {
                throw failure("--ca-file \(error)", status: 2)
            }
        }
        let probe = MeasurementProbe(url: url, contract: contract, certificates: certificates, credentials: credentials)
        let report: MeasurementProbe.Report
        do {
            report = try await probe.run(flat: flat)
        } catch {
            throw failure("\(error)", status: 1)
        }
        write(report, contract)
        if report.status == 401 || report.status == 403 {
            throw failure(refusal(report.status, credentials), status: 1)
        }
        guard !report.measurements.readings.isEmpty else { throw ExitCode(1) }
    }

    private static let presets: String = MeasurementContract.presets.keys.sorted().joined(separator: ", ")

    private func refusal(_ status: Int, _ credentials: (user: String, password: String)?) -> String {
        let remedy = "the user's name and password are taken from WINDKANAL_USER and WINDKANAL_PASSWORD"
        guard let credentials else {
            return "the server wants to know who asks (\(status)), and no name was given; \(remedy)"
        }
        let lacks = credentials.password.isEmpty ? ", for whom no password was given" : ""
        return "the server refuses the user '\(credentials.user)'\(lacks) (\(status)); \(remedy)"
    }

    private func write(_ report: MeasurementProbe.Report, _ contract: MeasurementContract) {
        let console = ConsoleRecorder(globals.mode)
        console.writeResult(
            "status \(report.status) after \(report.milliseconds) ms",
            ["event": "answer", "status": .integer(report.status), "milliseconds": .integer(Int(report.milliseconds))])
        for reading in report.measurements.readings {
            let unit = contract.channels.first { $0.name == reading.id.channel }?.unit ?? ""
            let time = WallTime.iso8601(milliseconds: reading.id.milliseconds)
            console.writeResult(
                "\(reading.id.series) at \(time) = \(reading.value) \(unit)",
                [
                    "event": "reading", "flat": .string(reading.id.flat), "room": .string(reading.id.room),
                    "channel": .string(reading.id.channel), "time": .string(time), "value": .real(reading.value),
                    "unit": .string(unit),
                ])
        }
        for problem in report.measurements.problems {
            console.writeResult("not understood: \(problem)", ["event": "problem", "text": .string("\(problem)")])
        }
        for place in report.unmapped {
            console.writeResult("not mapped: \(place)", ["event": "not-mapped", "place": .string(place)])
        }
        if let offset = report.clockOffset {
            console.writeResult(
                "the server's clock is \(offset.lowerBound) to \(offset.upperBound) ms ahead of ours",
                [
                    "event": "clock", "ahead-at-least": .integer(Int(offset.lowerBound)),
                    "ahead-at-most": .integer(Int(offset.upperBound)),
                ])
        }
        guard globals.json else { return }
        let isUnderstood = !report.measurements.readings.isEmpty
        console.writeResult("", ["event": "verdict", "verdict": isUnderstood ? "understood" : "not-understood"])
    }

    private func readContract() throws -> MeasurementContract {
        if let preset = MeasurementContract.presets[contract] { return preset }
        return try MeasurementContract(try JSONReader.read(try Files.read(contract).withoutByteOrderMark))
    }
}
