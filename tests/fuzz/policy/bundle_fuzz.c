/* Laws of a folder of policies, charters and cases, any bytes in its files: files are cut
 * by NUL bytes, the first byte of each says of which kind it is.  Reading keeps problems,
 * each of which says what; checking and testing end, what they count is what they
 * list, and each case has passed or failed. */
#include <assert.h>
#include <string.h>

#include "services/policy/policy_bundle.h"

enum { FILES_MAX = 4 };

static const struct text names[] = {
	{"charters.yaml", 13}, {"cases.test.yaml", 15}, {"org/guardrail.cedar", 19}};

static size_t cut(const uint8_t *data, size_t size, struct plan_source sources[FILES_MAX])
{
	size_t count = 0;

	while (size > 0 && count < FILES_MAX) {
		const uint8_t *end = memchr(data, 0, size);
		size_t length = end == NULL ? size : (size_t)(end - data);

		if (length > 0)
			sources[count++] = (struct plan_source){
				names[data[0] % (sizeof names / sizeof *names)],
				{(const char *)data + 1, length - 1}};
		if (end == NULL)
			break;
		data += length + 1;
		size -= length + 1;
	}
	return count;
}

/* By how bad each is.  What found a list full is only counted. */
static void check_listed(const struct json *findings, size_t errors, int64_t warnings, bool is_full)
{
	size_t listed = 0;

	for (uint32_t i = 0; i < findings->count; i++)
		listed += text_is(json_text_or(&findings->items[i], "severity", ""), "error");
	assert(warnings == (int64_t)(findings->count - listed));
	if (is_full || findings->count >= POLICY_FINDINGS_MAX)
		assert(listed <= errors);
	else
		assert(listed == errors);
}

static void check_findings(struct policy_bundle *bundle)
{
	struct json out;
	struct error err = {0};
	size_t errors = 0;

	if (!policy_bundle_check(bundle, &out, &errors, &err)) {
		assert(err.code == ERROR_LIMIT);
		return;
	}
	assert(json_integer_or(&out, "errors", -1) == (int64_t)errors);
	check_listed(json_find(&out, "findings"), errors, json_integer_or(&out, "warnings", -1),
		bundle->problems.count < bundle->problems.total);
}

static void check_cases(struct policy_bundle *bundle)
{
	struct json out;
	struct error err = {0};
	size_t failed = 0;

	if (!policy_bundle_test(bundle, INT64_C(1800000000000), &out, &failed, &err)) {
		assert(err.code == ERROR_LIMIT || err.code == ERROR_INVALID);
		assert(err.text[0] != '\0');
		return;
	}
	assert(json_integer_or(&out, "failed", -1) == (int64_t)failed);
	assert(json_integer_or(&out, "passed", -1) + (int64_t)failed ==
		(int64_t)bundle->cases_count);
	assert(json_find(&out, "cases")->count == bundle->cases_count);
}

static void check_diff(struct policy_bundle *bundle)
{
	const struct policy_diff_base base = {.is_prune = true};
	struct json out;
	struct error err = {0};

	if (!policy_bundle_diff(bundle, &base, &out, &err))
		assert(err.code == ERROR_LIMIT);
	else
		assert(json_integer_or(&out, "unchanged", -1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan_source sources[FILES_MAX];
	size_t count = cut(data, size, sources);
	struct policy_bundle bundle = {.arena = NULL};
	struct error err = {0};

	if (policy_bundle_read(&bundle, sources, count, &err)) {
		for (size_t i = 0; i < bundle.problems.count; i++)
			assert(bundle.problems.items[i].what.length > 0);
		check_findings(&bundle);
		check_cases(&bundle);
		check_diff(&bundle);
	} else {
		assert(err.code == ERROR_LIMIT);
	}
	policy_bundle_deinit(&bundle);
	return 0;
}
