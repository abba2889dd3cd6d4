#include "support/fake_values.h"

static bool digest(
	void *context, struct text task, struct text value, struct sha256 *out, struct error *err)
{
	(void)context;
	(void)err;
	*out = sha256_of_parts((const struct text[]){task, value}, 2);
	return true;
}

static bool seal(void *context, struct text task, struct text plain, struct arena *arena,
	struct content_sealed *out, struct error *err)
{
	(void)context;
	(void)task;
	out->bytes = text_copy(arena, plain);
	out->digest = sha256_of(plain.data, plain.length);
	return out->bytes.data != NULL || error_set(err, ERROR_LIMIT, "no room");
}

static bool attach(void *context, struct text task, struct record_append *append, struct error *err)
{
	(void)context;
	(void)task;
	(void)append;
	(void)err;
	return true;
}

const struct contents_port fake_values = {NULL, digest, seal, attach};
