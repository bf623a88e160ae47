// libcurl for Swift: typed wrappers around the variadic setopt and getinfo, which do not import. No logic, no policy.
#include <curl/curl.h>

// curl's typecheck macros shadow the functions of the same names.
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

static inline CURLcode sluice_curl_global_init(void) {
    return curl_global_init(CURL_GLOBAL_DEFAULT);
}

static inline CURLcode sluice_curl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode sluice_curl_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}
// libcurl copies the string. NULL takes the option back.
static inline CURLcode sluice_curl_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}
// libcurl keeps the pointer: it must live until the transfer is over.
static inline CURLcode sluice_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode sluice_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}
// For CURLOPT_WRITEFUNCTION, CURLOPT_HEADERFUNCTION and CURLOPT_READFUNCTION, which share one shape.
typedef size_t (*sluice_curl_io)(char *buffer, size_t size, size_t count, void *context);
static inline CURLcode sluice_curl_set_io(CURL *easy, CURLoption option, sluice_curl_io function) {
    return curl_easy_setopt(easy, option, function);
}
typedef int (*sluice_curl_seek)(void *context, curl_off_t offset, int origin);
static inline CURLcode sluice_curl_set_seek(CURL *easy, sluice_curl_seek function) {
    return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, function);
}

typedef int (*sluice_curl_sockopt)(void *context, curl_socket_t socket, curlsocktype purpose);
static inline CURLcode sluice_curl_set_sockopt(CURL *easy, sluice_curl_sockopt function) {
    return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, function);
}

// The one protocol that a transfer may use: "http" or "https".
static inline CURLcode sluice_curl_set_protocol(CURL *easy, const char *name, int is_https) {
#if LIBCURL_VERSION_NUM >= 0x075500
    (void)is_https;
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, name);
#else
    (void)name;
    return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(is_https ? CURLPROTO_HTTPS : CURLPROTO_HTTP));
#endif
}
// Do not wait for a hanging name look-up when a transfer ends. Older libraries do not have it.
static inline CURLcode sluice_curl_set_quick_exit(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075700
    return curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#else
    (void)easy;
    return CURLE_OK;
#endif
}

static inline CURLcode sluice_curl_get_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode sluice_curl_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode sluice_curl_get_pointer(CURL *easy, CURLINFO info, void **value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLMcode sluice_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
