public import Activities
import Documents
import Durations
import Experiments
import HTTPTypes
public import Measurements
import NIOCore
import NIOSSL
import Ports
import SocketWorld

/// Asks a measurement server once, politely, and says what its answer means by a contract.
public struct MeasurementProbe: Sendable {
    /// What was found.
    public struct Report: Sendable {
        /// The answer's status.
        public let status: Int
        /// What was understood, and what not.
        public let measurements: ParsedPayload
        /// Places that the contract does not look at.
        public let unmapped: [String]
        /// How far the server's clock is ahead of ours, in ms, at least and at most; nil if it does not say what time it is.
        ///
        /// Its time is of some moment between request and answer, and without its fraction of a second.
        public let clockOffset: ClosedRange<Int64>?
        /// How long the answer took, in ms.
        public let milliseconds: Int64
    }

    /// The server's address, without the path of measurements.
    private let url: String
    private let contract: MeasurementContract
    private let certificates: String?
    private let credentials: (user: String, password: String)?

    /// The request is given up after so long, wherever it is.
    private static let timeout: TimeAmount = .seconds(40)

    /// Prepares a probe.
    ///
    /// - Parameters:
    ///   - url: The server's address, such as `https://measurements.example:8443`.
    ///   - contract: What its answers look like.
    ///   - certificates: A PEM file of the certificates to trust; nil takes the system's.
    ///   - credentials: The user's name and password; nil asks without.
    public init(
        url: String, contract: MeasurementContract, certificates: String?,
        credentials: (user: String, password: String)?
    ) {
        self.url = url
        self.contract = contract
        self.certificates = certificates
        self.credentials = credentials
    }

    /// Looks whether a file of certificates can be used.
    ///
    /// - Throws: ``FileError`` when it is not there, or holds none.
    public static func check(certificates file: String) throws(FileError) {
        _ = try Files.read(file)
        guard let found = try? NIOSSLCertificate.fromPEMFile(file), !found.isEmpty else {
            throw FileError("\(file) holds no certificate in PEM form, -----BEGIN CERTIFICATE-----")
        }
    }

    /// Sends one GET for a flat.
    ///
    /// - Returns: What was found.
    /// - Throws: ``ActivityError`` when there is no answer, ``PayloadProblem`` when it is not understood at all, ``FlatName/Invalid``.
    public func run(flat: String) async throws -> Report {
        try FlatName.check(flat)
        var headers: Value.Object = ["Accept": "application/json"]
        if let credentials {
            headers["Authorization"] = .string(
                HTTPActivityProvider.basicAuthorization(user: credentials.user, password: credentials.password))
        }
        let base = url.hasSuffix("/") ? String(url.dropLast()) : url
        let call = HTTPCall(
            url: .string(base + contract.path(of: flat)), method: "GET", headers: headers, arguments: nil,
            timeout: .integer(Int(Self.timeout.nanoseconds / 1_000_000_000)), verifiesTLS: true, retriesMax: 0)
        let certificates = certificates
        let provider = HTTPActivityProvider(LazySockets().ports) { verifies in
            guard let certificates else { return try TLSSecurity.system(verifies: verifies) }
            return try TLSSecurity(trusting: certificates)
        }
        let before = WallClock.milliseconds
        let began = ContinuousClock.now
        // A redirection is for a person to look at: nobody else's server is asked.
        let answer = try await provider.fetch(call, total: Self.timeout, followsRedirects: false)
        let duration = began.duration(to: .now)
        let offset = answer.response.headerFields[.date].flatMap(HTTPDate.milliseconds).map { date in
            (date - before - duration.milliseconds)...(date + 999 - before)
        }
        let bytes = answer.body.readableBytesView
        guard answer.response.status.code == 200 else {
            return Report(
                status: answer.response.status.code, measurements: ParsedPayload(), unmapped: [], clockOffset: offset,
                milliseconds: duration.milliseconds)
        }
        let measurements = try contract.read(bytes, of: flat)
        let document = (try? JSONReader.read(bytes.withoutByteOrderMark)) ?? .null
        return Report(
            status: 200, measurements: measurements, unmapped: contract.unmapped(in: document), clockOffset: offset,
            milliseconds: duration.milliseconds)
    }
}
