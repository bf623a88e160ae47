// libcurl for Swift: typed wrappers around the variadic setopt and getinfo. No logic, no policy.
#include <curl/curl.h>
