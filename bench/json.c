/* Our strict JSON reader and canonical writer on one tools/call, beside cJSON
 * where it is installed (jansson's names are ours too, so it cannot be linked).  Each reads the
 * text, looks one member up and frees what it made. */
#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "bench.h"

#ifdef HAVE_CJSON
#include <cjson/cJSON.h>
#endif

static const char call_text[] =
	"{\"jsonrpc\":\"2.0\",\"id\":4711,\"method\":\"tools/call\",\"params\":{\"name\":"
	"\"create_entities\",\"arguments\":{\"entities\":[{\"name\":\"invoices-1732\","
	"\"entityType\""
	":\"incident\",\"observations\":[\"invoices show an old address\",\"three customers wrote"
	"\"]}],\"priority\":2,\"notify\":true,\"assignee\":null,\"note\":\"caf\\u00e9 \\\"north"
	"\\\", second floor; call back before noon\"},\"_meta\":{\"progressToken\":17}}}";

struct reading {
	struct arena *arena;
	bool is_ok;
};

static void read_ours(void *context)
{
	struct reading *reading = context;
	struct json value;
	struct error err;

	arena_reset(reading->arena);
	reading->is_ok &= json_parse(&value, reading->arena,
		(struct text){call_text, sizeof call_text - 1}, &json_limits_default, &err);
	reading->is_ok &= json_find(&value, "params") != NULL;
}

static void read_and_write_ours(void *context)
{
	struct reading *reading = context;
	struct json value;
	struct error err;

	arena_reset(reading->arena);
	reading->is_ok &= json_parse(&value, reading->arena,
		(struct text){call_text, sizeof call_text - 1}, &json_limits_default, &err);
	reading->is_ok &= json_canonical_text(reading->arena, &value).data != NULL;
}

#ifdef HAVE_CJSON
static void read_cjson(void *context)
{
	cJSON *value = cJSON_ParseWithLength(call_text, sizeof call_text - 1);

	*(bool *)context &= cJSON_GetObjectItemCaseSensitive(value, "params") != NULL;
	cJSON_Delete(value);
}
#endif

int main(void)
{
	struct reading reading = {.arena = arena_create((size_t)1 << 20), .is_ok = true};
	struct bench_figures ours;
	bool is_ok = true;

	if (reading.arena == NULL)
		return 1;
	printf("{\"bench\":\"json\",\"case\":\"bytes of the text\",\"bytes\":%zu}\n",
		sizeof call_text - 1);
	ours = bench_run(read_ours, &reading);
#ifndef HAVE_CJSON
	bench_print("json", "read and look up", ours, NULL, 0);
#else
	bench_print("json", "read and look up", ours, "cJSON (lax)",
		bench_run(read_cjson, &is_ok).p50_ns);
#endif
	bench_print("json", "read and write canonically", bench_run(read_and_write_ours, &reading),
		NULL, 0);
	arena_destroy(&reading.arena);
	return reading.is_ok && is_ok ? 0 : 1;
}
