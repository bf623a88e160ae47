// From libcurl's error code to what the layers above decide by: which step failed, and whether the request can have
// reached the server.
import CCurl
import HTTP

/// What is known about a transfer that failed.
struct CurlFailure {
    var code: CURLcode
    /// libcurl's error buffer; may be empty.
    var text: String
    var usesProxy: Bool
    /// Status of the proxy's answer to CONNECT; 0 for none.
    var connectStatus: Int
    /// Connections that this transfer had to open; 0 when it used a kept one.
    var newConnections: Int
    /// Microseconds from the start until each step was done; 0 when it was not reached.
    var nameLookupTime: Int
    var preTransferTime: Int

    var message: String { text.isEmpty ? String(cString: curl_easy_strerror(code)) : text }

    var kind: HTTPTransportError.Kind {
        // The request goes out only after the tunnel stands: what fails before is between us and the proxy.
        let isAtProxy = usesProxy && newConnections > 0 && connectStatus / 100 != 2
        switch code {
        case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY: return .proxy
        case CURLE_COULDNT_RESOLVE_HOST: return .resolve
        case CURLE_COULDNT_CONNECT: return usesProxy ? .proxy : .connect
        case CURLE_OPERATION_TIMEDOUT: return timeoutKind
        case CURLE_SSL_CONNECT_ERROR: return isBrokenOff ? .connect : .tls
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CRL_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_PINNEDPUBKEYNOTMATCH,
            CURLE_SSL_CLIENTCERT, CURLE_USE_SSL_FAILED:
            return .tls
        case CURLE_SEND_ERROR, CURLE_SEND_FAIL_REWIND: return isAtProxy ? .proxy : .send
        case CURLE_RECV_ERROR, CURLE_GOT_NOTHING: return isAtProxy ? .proxy : .receive
        // UNSUPPORTED_PROTOCOL: an answer that is not HTTP/1.x; what we ask for was checked before.
        case CURLE_PARTIAL_FILE, CURLE_WEIRD_SERVER_REPLY, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_CONTENT_ENCODING,
            CURLE_SSL_SHUTDOWN_FAILED, CURLE_WRITE_ERROR, CURLE_HTTP2, CURLE_HTTP2_STREAM:
            return .receive
        default: return .other
        }
    }

    /// Before the request could go out, a peer that stays silent is a matter of network and firewall, and the request
    /// has certainly not taken effect.
    private var timeoutKind: HTTPTransportError.Kind {
        guard preTransferTime == 0 else { return .timeout }
        if usesProxy { return .proxy }
        return nameLookupTime == 0 ? .resolve : .connect
    }

    /// The connection ended in the middle of the handshake: nothing was wrong with the certificate.
    private var isBrokenOff: Bool {
        ["SSL_ERROR_SYSCALL", "Connection reset", "Broken pipe", "unexpected eof"].contains { text.contains($0) }
    }
}
