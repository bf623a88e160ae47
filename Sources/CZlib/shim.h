// zlib for Swift. Macros that compute do not import, so the few that Gzip needs are inline functions.
#include <zlib.h>
