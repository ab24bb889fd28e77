public import NIOCore
public import NIOSSL
public import Ports

/// TLS for channels, by BoringSSL; the same handlers serve real sockets and simulated links.
public struct TLSSecurity: ChannelSecurity {
    private let context: NIOSSLContext

    /// Takes a configuration as NIOSSL makes it; hostnames are checked unless it says otherwise.
    ///
    /// - Throws: What NIOSSL finds wrong with certificates or keys.
    public init(_ configuration: TLSConfiguration) throws {
        context = try NIOSSLContext(configuration: configuration)
    }

    /// A client that trusts the system's authorities, or does not look at the server's certificate.
    ///
    /// - Throws: What NIOSSL finds wrong with the system's certificates.
    @Sendable public static func system(verifies: Bool) throws -> (any ChannelSecurity)? {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = verifies ? .fullVerification : .none
        return try TLSSecurity(configuration)
    }

    /// A client that trusts the certificates in a PEM file.
    ///
    /// - Throws: What NIOSSL finds wrong with the file.
    public init(trusting file: String) throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(file)
        try self.init(configuration)
    }

    /// A server with a certificate chain and a key from PEM files.
    ///
    /// - Throws: What NIOSSL finds wrong with the files.
    public init(certificateChain: String, privateKey: String) throws {
        let chain = try NIOSSLCertificate.fromPEMFile(certificateChain).map { NIOSSLCertificateSource.certificate($0) }
        let key = try NIOSSLPrivateKey(file: privateKey, format: .pem)
        try self.init(.makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key)))
    }

    /// Adds the client's handler; an address as a name is checked against the certificate's addresses.
    ///
    /// - Throws: What NIOSSL finds wrong with the name, or NIO with the channel.
    public func secureClient(_ channel: any Channel, serverName: String) throws {
        let isAddress = (try? SocketAddress(ipAddress: serverName, port: 0)) != nil
        let handler = try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : serverName)
        try channel.pipeline.syncOperations.addHandler(handler, position: .first)
    }

    /// Adds the server's handler.
    ///
    /// - Throws: What NIO finds wrong with the channel.
    public func secureServer(_ channel: any Channel) throws {
        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context), position: .first)
    }
}
