// One easy handle and its options. It remembers the first option that libcurl refused, so that a caller sets a list
// and asks once. Confined to the event loop, except that freeing an idle handle is safe on any thread.
import CCurl
import Glibc

final class CurlEasy {
    let handle: UnsafeMutableRawPointer
    /// libcurl writes its words for an error here.
    private let errorText: UnsafeMutablePointer<CChar>
    private var lists: [UnsafeMutablePointer<curl_slist>] = []
    private(set) var refusedOption: CURLcode = CURLE_OK

    init?() {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    deinit {
        curl_easy_cleanup(handle)
        freeLists()
        errorText.deallocate()
    }

    /// Back to libcurl's defaults; its name and TLS session caches stay.
    func reset() {
        curl_easy_reset(handle)
        freeLists()
        refusedOption = CURLE_OK
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        note(sluice_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText))
    }

    var errorMessage: String { String(cString: errorText) }

    func set(_ option: CURLoption, _ value: Int) { note(sluice_curl_set_long(handle, option, value)) }
    func set(_ option: CURLoption, offset value: Int) {
        note(sluice_curl_set_offset(handle, option, curl_off_t(value)))
    }
    func set(_ option: CURLoption, _ value: String?) { note(sluice_curl_set_string(handle, option, value)) }
    func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer) {
        note(sluice_curl_set_pointer(handle, option, pointer))
    }
    func set(_ option: CURLoption, function: @escaping sluice_curl_io) {
        note(sluice_curl_set_io(handle, option, function))
    }
    func setSeek(_ function: @escaping sluice_curl_seek) { note(sluice_curl_set_seek(handle, function)) }
    func setSocketOptions(_ function: @escaping sluice_curl_sockopt) { note(sluice_curl_set_sockopt(handle, function)) }
    func setProtocol(_ name: String) { note(sluice_curl_set_protocol(handle, name, name == "https" ? 1 : 0)) }
    func setQuickExit() { note(sluice_curl_set_quick_exit(handle)) }

    /// The lines are copied, and freed with the next reset.
    func set(_ option: CURLoption, list lines: [String]) {
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            guard let longer = curl_slist_append(list, line) else {
                curl_slist_free_all(list)
                return note(CURLE_OUT_OF_MEMORY)
            }
            list = longer
        }
        if let list { lists.append(list) }
        note(sluice_curl_set_list(handle, option, list))
    }

    func number(_ info: CURLINFO) -> Int {
        var value = 0
        return sluice_curl_get_long(handle, info, &value) == CURLE_OK ? value : 0
    }

    func offset(_ info: CURLINFO) -> Int {
        var value: curl_off_t = 0
        return sluice_curl_get_offset(handle, info, &value) == CURLE_OK ? Int(value) : 0
    }

    private func note(_ code: CURLcode) {
        if code != CURLE_OK && refusedOption == CURLE_OK { refusedOption = code }
    }

    private func freeLists() {
        for list in lists { curl_slist_free_all(list) }
        lists = []
    }
}
