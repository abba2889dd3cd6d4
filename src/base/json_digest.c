#include "base/json.h"

bool json_digest(struct sha256 *out, const struct json *value, size_t bytes_max, struct error *err)
{
	struct buffer canonical;
	bool ok;

	buffer_init(&canonical, bytes_max);
	json_canonical(&canonical, value);
	ok = !buffer_failed(&canonical);
	if (ok)
		*out = sha256_of(buffer_text(&canonical).data, buffer_text(&canonical).length);
	buffer_deinit(&canonical);
	return ok || error_set(err, ERROR_LIMIT, "no memory for a digest");
}
