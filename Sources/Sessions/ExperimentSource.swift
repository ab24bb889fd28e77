import Activities
import Documents
import Experiments
import HTTP
import HTTPTypes
import NIOCore

/// Reads experiments from files and addresses, as the reference does.
struct ExperimentSource {
    let providers: RealActivityProviders
    let environment: [String: String]
    let settings: Value
    let verifiesTLS: Bool

    /// Reads an experiment.
    ///
    /// - Throws: ``SourceError``.
    func load(_ source: String) async throws(SourceError) -> Experiment {
        if Files.exists(source) { return Experiment(try file(source), origin: source) }
        guard let end = source.range(of: "://") else { throw SourceError("Path \"\(source)\" does not exist.") }
        let scheme = source[..<end.lowerBound]
        guard scheme == "http" || scheme == "https" else {
            throw SourceError("'\(scheme)' is not a supported source scheme.")
        }
        return Experiment(try await fetch(source), origin: source)
    }

    private func file(_ path: String) throws(SourceError) -> Document {
        let bytes: [UInt8]
        do {
            bytes = try Files.read(path)
        } catch {
            throw SourceError(error.description)
        }
        if path.hasSuffix(".json") { return try json(bytes, path) }
        if path.hasSuffix(".yaml") || path.hasSuffix(".yml") { return try yaml(bytes, path) }
        throw SourceError("\(path): only files with .json, .yaml or .yml extensions are supported")
    }

    private func json(_ bytes: [UInt8], _ origin: String) throws(SourceError) -> Document {
        do {
            return try JSONReader.readDocument(bytes)
        } catch {
            throw SourceError("\(origin): Failed parsing JSON experiment: \(error)")
        }
    }

    private func yaml(_ bytes: [UInt8], _ origin: String) throws(SourceError) -> Document {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw SourceError("\(origin) is not UTF-8") }
        do {
            return try YAMLReader.readDocument(text)
        } catch {
            throw SourceError("\(origin): Failed parsing YAML experiment: \(error)")
        }
    }

    // MARK: Addresses

    private func fetch(_ source: String) async throws(SourceError) -> Document {
        var headers: Value.Object = ["Accept": "application/json, application/x-yaml"]
        if let authorization = authorization(for: source) { headers["Authorization"] = .string(authorization) }
        let call = HTTPCall(
            url: .string(source), method: "GET", headers: headers, arguments: nil, timeout: nil,
            verifiesTLS: verifiesTLS, retriesMax: 0)
        let answer: HTTPActivityProvider.Answer
        do {
            answer = try await providers.http().fetch(call)
        } catch {
            throw SourceError(error.description)
        }
        guard answer.response.status.code == 200 else {
            throw SourceError("Failed to fetch the experiment: \(source) answered \(answer.response.status.code)")
        }
        let type = answer.response.headerFields[.contentType] ?? ""
        let bytes = Array(answer.body.readableBytesView)
        if type.contains("application/json") { return try json(bytes, source) }
        if type.contains("application/x-yaml") || type.contains("text/yaml") { return try yaml(bytes, source) }
        guard type.contains("text/plain") else {
            throw SourceError("\(source) is '\(type)'; only JSON, YAML and plain text are supported")
        }
        if let document = try? JSONReader.readDocument(bytes) { return document }
        return try yaml(bytes, source)
    }

    private func authorization(for source: String) -> String? {
        if let token = environment["CHAOSTOOLKIT_LOADER_AUTH_BEARER_TOKEN"] { return "bearer \(token)" }
        let host = source.components(after: "://").prefix { !"/?#".contains($0) }
        guard let entry = settings["auths"]?[String(host)], let type = entry["type"]?.string,
            let value = entry["value"]?.string
        else { return nil }
        return "\(type) \(value)"
    }
}

/// Why there is no experiment.
public struct SourceError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension String {
    /// Where a text stands in this one first.
    fileprivate func range(of text: String) -> Range<String.Index>? { firstRange(of: text) }

    fileprivate func components(after text: String) -> Substring {
        firstRange(of: text).map { self[$0.upperBound...] } ?? self[...]
    }
}
