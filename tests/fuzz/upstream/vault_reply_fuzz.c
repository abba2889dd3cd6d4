/* What a secrets server says, or whoever answers in its place.  The first byte says whether to a
 * read (s) or a login.  Laws: what is taken is a text within its bound, with its end; what is
 * refused leaves nothing behind; no error quotes what came. */
#include <assert.h>
#include <string.h>

#include "edges/upstream/vault_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct vault_value none = {.size = 0};
	struct vault_value value = {.size = 1, .bytes = "x"};
	struct text body = {(const char *)data + 1, size == 0 ? 0 : size - 1};
	struct error err = {0};
	int64_t lease_s = -1;
	bool ok;

	if (size == 0)
		return 0;
	ok = data[0] == 's' ? vault_read_secret(body, TEXT("token"), &value, &lease_s, &err)
			    : vault_read_login(body, &value, &lease_s, &err);
	if (ok) {
		assert(value.size > 0 && value.size <= SECRET_BYTES_MAX);
		assert(value.bytes[value.size] == '\0' && lease_s >= 0);
	} else {
		assert(err.code != ERROR_NONE);
		assert(memcmp(&value, &none, sizeof none) == 0);
	}
	return 0;
}
