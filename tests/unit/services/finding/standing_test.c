/* Standing access over a generated estate: each that stands is found, nothing else is, and what
 * was mended is closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/private_key.h"
#include "domain/charter/standing.h"
#include "domain/token/jwk.h"
#include "services/finding/finding.h"
#include "support/decide_bench.h"
#include "support/fake_log.h"

enum { NOW_S = 1800000000, IDENTITIES = 400, SERVERS = 100, YAML_BYTES_MAX = 4 << 20 };

struct bench {
	struct decide_bench world;
	struct fake_log log;
	struct loop *loop;
	struct fold *fold;
	struct finding_service *findings;
	struct text jwk; /* YAML */
	char thumbprint[JWK_THUMBPRINT_BYTES];
	/* What must be found: ids, and how often each was. */
	struct text due[2 * IDENTITIES + SERVERS + 8];
	size_t due_count;
	uint32_t seed;
};

static unsigned draw(struct bench *bench, unsigned below)
{
	bench->seed = bench->seed * 1664525u + 1013904223u;
	return (bench->seed >> 8) % below;
}

static void make_key(struct bench *bench)
{
	struct private_key *key = NULL;
	struct error err = {0};
	struct json jwk;

	assert_true(private_key_generate(&key, SIGNATURE_ES256, &err));
	assert_true(jwk_format(&jwk, bench->world.arena, private_key_public(key), &err));
	assert_true(jwk_thumbprint(bench->thumbprint, private_key_public(key), &err));
	bench->jwk = json_canonical_text(bench->world.arena, &jwk);
	private_key_destroy(&key);
}

static int setup(void **state)
{
	static struct bench bench;
	struct fold_log port;
	struct error err = {0};

	memset(&bench, 0, sizeof bench);
	bench.seed = 7;
	decide_bench_init(&bench.world);
	fake_log_init(&bench.log);
	bench.log.now_utc_ms = (int64_t)NOW_S * 1000;
	assert_true(loop_create(&bench.loop, &err));
	port = fake_log_port(&bench.log);
	assert_true(fold_create(&bench.fold, &port, bench.loop, &err));
	assert_true(
		finding_service_create(&bench.findings, bench.world.registry, bench.fold, &err));
	assert_true(fold_finish_loading(bench.fold, &err));
	make_key(&bench);
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	finding_service_destroy(&bench->findings);
	fold_destroy(&bench->fold);
	loop_destroy(&bench->loop);
	fake_log_deinit(&bench->log);
	decide_bench_deinit(&bench->world);
	return 0;
}

/* ---- the estate ---- */

static void due_add(struct bench *bench, struct text id)
{
	assert_non_null(id.data);
	assert_true(bench->due_count < sizeof bench->due / sizeof *bench->due);
	bench->due[bench->due_count++] = id;
}

/* 0: none; 1: within the bound; 2: one day past it. */
static const char *const ends[] = {NULL, "2027-06-30", "2028-02-20"};

static void put_identity(struct bench *bench, struct buffer *out, unsigned number)
{
	unsigned charter_end = draw(bench, 3), key_end = draw(bench, 3), keys = draw(bench, 4);
	bool is_prod = draw(bench, 2), is_unbound = draw(bench, 3) == 0, is_high = draw(bench, 2);
	bool has_end = charter_end == 1 || key_end == 1;
	struct arena *arena = bench->world.arena;
	struct text end =
		key_end == 0 ? TEXT("") : text_format(arena, ", expires: %s", ends[key_end]);

	buffer_append_format(out,
		"---\nobject: identity\nname: i%u\nkind: agent\nclass: retrieve\nrisk: %s\n"
		"owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\nenvironments: "
		"[staging%s]\n",
		number, is_high ? "high" : "low", is_prod ? ", prod" : "");
	if (charter_end != 0)
		buffer_append_format(out, "expires: %s\n", ends[charter_end]);
	if (is_unbound)
		buffer_append_string(out, "binding: none\n");
	if (keys != 0)
		buffer_append_string(out, "keys:\n");
	if ((keys & 1) != 0)
		buffer_append_format(out, "  - {environment: staging, jwk: %.*s%.*s}\n",
			TEXT_ARGS(bench->jwk), TEXT_ARGS(end));
	if ((keys & 2) != 0)
		buffer_append_format(out,
			"  - {environment: staging, certificate: 'sha256:%064u'%.*s}\n", number,
			TEXT_ARGS(end));
	if ((keys & 1) != 0 && !has_end)
		due_add(bench, text_format(arena, "i%u/key/%s", number, bench->thumbprint));
	if ((keys & 2) != 0 && !has_end)
		due_add(bench, text_format(arena, "i%u/certificate/sha256:%064u", number, number));
	if (is_unbound && is_prod && is_high)
		due_add(bench, text_format(arena, "i%u/binding", number));
}

static void put_server(struct bench *bench, struct buffer *out, unsigned number)
{
	static const char *const references[] = {"", "kept", "env:KEY", "vault:kv/a#b"};
	unsigned at = draw(bench, 4);

	buffer_append_format(out,
		"---\nobject: server\nname: s%u\nunit: support\nenvironment: staging\n"
		"transport: {url: 'https://s.example/mcp'%s%s%s}\n",
		number, at == 0 ? "" : ", credential: '", references[at], at == 0 ? "" : "'");
	if (at == 1 || at == 2)
		due_add(bench, text_format(bench->world.arena, "s%u/secret", number));
}

static void put_estate(struct bench *bench)
{
	struct buffer yaml;

	buffer_init(&yaml, YAML_BYTES_MAX);
	buffer_append_string(&yaml, "object: unit\nname: other\npurpose: p\n");
	for (unsigned i = 0; i < IDENTITIES; i++)
		put_identity(bench, &yaml, i);
	for (unsigned i = 0; i < SERVERS; i++)
		put_server(bench, &yaml, i);
	buffer_append(&yaml, "", 1);
	assert_false(buffer_failed(&yaml));
	assert_true(decide_bench_put(&bench->world, buffer_text(&yaml).data));
	buffer_deinit(&yaml);
}

/* ---- looking ---- */

static void look(struct bench *bench)
{
	unsigned steps = 0;

	while (finding_look_standing(bench->findings))
		assert_true(++steps < 100);
}

static bool is_due(const struct bench *bench, struct text id)
{
	for (size_t i = 0; i < bench->due_count; i++)
		if (text_equal(bench->due[i], id))
			return true;
	return false;
}

static size_t count_found(const struct bench *bench)
{
	const struct finding *finding = finding_next(bench->findings, NULL);
	size_t count = 0;

	for (; finding != NULL; finding = finding_next(bench->findings, finding))
		count += finding->kind == FINDING_STANDING_ACCESS;
	return count;
}

/* Those of the estate are exactly what is due; the bench's own world counts for nothing. */
static void assert_found_exactly(const struct bench *bench)
{
	const struct finding *finding = finding_next(bench->findings, NULL);
	size_t right = 0;

	for (; finding != NULL; finding = finding_next(bench->findings, finding)) {
		if (finding->kind != FINDING_STANDING_ACCESS)
			continue;
		if (!is_due(bench, finding->subject))
			fail_msg("%.*s does not stand", TEXT_ARGS(finding->subject));
		right++;
	}
	assert_int_equal(right, bench->due_count);
}

static void what_stands_of_an_estate_is_found_and_nothing_else(void **state)
{
	struct bench *bench = *state;

	look(bench);
	assert_int_equal(count_found(bench), 0); /* nothing of the small world stands */
	put_estate(bench);
	look(bench);
	assert_true(bench->due_count > 100);
	assert_found_exactly(bench);
}

static void what_was_mended_is_closed_by_remit_itself(void **state)
{
	struct bench *bench = *state;

	put_estate(bench);
	look(bench);
	/* Another draw of the same names: some are mended, some begin to stand. */
	bench->due_count = 0;
	put_estate(bench);
	look(bench);
	assert_found_exactly(bench);
	bench->due_count = 0;
	for (unsigned i = 0; i < IDENTITIES; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "i%u", i);
		decide_bench_set_state(&bench->world, name, IDENTITY_SUSPENDED);
	}
	look(bench);
	/* Nobody who is suspended can act; secrets of servers are as they were. */
	for (const struct finding *finding = finding_next(bench->findings, NULL); finding != NULL;
		finding = finding_next(bench->findings, finding))
		if (finding->kind == FINDING_STANDING_ACCESS)
			assert_true(text_ends_with(finding->subject, "/secret"));
}

static void put_one(struct bench *bench, const char *more)
{
	struct text yaml = text_format(bench->world.arena,
		"object: identity\nname: one\nkind: agent\nclass: retrieve\nrisk: low\nowner: ana\n"
		"backup-owner: bo\nunit: support\npurpose: p\nenvironments: [staging]\n"
		"keys:\n  - {environment: staging, jwk: %.*s%s}\n",
		TEXT_ARGS(bench->jwk), more);

	assert_true(decide_bench_put(&bench->world, yaml.data));
}

static void an_end_counts_up_to_its_bound_and_not_past_it(void **state)
{
	struct bench *bench = *state;
	char end[64];
	struct tm utc;

	for (int more = -1; more <= 1; more++) {
		time_t at = NOW_S + STANDING_END_S_MAX + more;

		assert_non_null(gmtime_r(&at, &utc));
		assert_true(strftime(end, sizeof end, ", expires: '%Y-%m-%dT%H:%M:%SZ'", &utc) > 0);
		put_one(bench, end);
		look(bench);
		assert_int_equal(count_found(bench), more == 1);
	}
}

/* A server with a secret for all and so many for one identity each. */
static size_t count_secrets(struct bench *bench, int count)
{
	struct standing found[STANDING_PER_OBJECT_MAX + 1] = {{0}};
	struct error err = {0};
	struct buffer yaml;
	size_t all;

	buffer_init(&yaml, YAML_BYTES_MAX);
	buffer_append_string(&yaml,
		"object: server\nname: many\nenvironment: staging\nunit: support\nspeaks: openai\n"
		"transport: {url: https://many, credential: all}\ncredentials:\n");
	for (int i = 0; i < count; i++)
		buffer_append_format(
			&yaml, "  - {identity: i%d, credential: 'env:SECRET_%d'}\n", i, i);
	buffer_append_byte(&yaml, '\0');
	assert_true(decide_bench_put(&bench->world, yaml.data));
	buffer_deinit(&yaml);
	assert_true(standing_of(registry_find(bench->world.registry, OBJECT_SERVER, TEXT("many")),
		NOW_S, bench->world.arena, found, &all, &err));
	assert_int_equal(found[STANDING_PER_OBJECT_MAX].kind, STANDING_NONE);
	return all;
}

static void all_that_stands_of_the_largest_object_has_room(void **state)
{
	assert_int_equal(
		count_secrets(*state, SERVER_CREDENTIALS_MAX - 1), STANDING_PER_OBJECT_MAX - 1);
	assert_int_equal(count_secrets(*state, SERVER_CREDENTIALS_MAX), STANDING_PER_OBJECT_MAX);
}

static void time_alone_brings_an_end_near(void **state)
{
	struct bench *bench = *state;

	put_one(bench, ", expires: '2028-02-19T08:00:01Z'");
	look(bench);
	bench->log.now_utc_ms += (int64_t)(FINDING_STANDING_AGAIN_S - 1) * 1000;
	assert_false(finding_look_standing(bench->findings));
	assert_int_equal(count_found(bench), 1);
	bench->log.now_utc_ms += 1000;
	look(bench);
	assert_int_equal(count_found(bench), 0);
}

static void findings_leave_room_and_the_list_has_all(void **state)
{
	struct bench *bench = *state;
	struct buffer yaml;
	struct error err = {0};
	struct json items;

	buffer_init(&yaml, YAML_BYTES_MAX);
	buffer_append_string(&yaml, "object: unit\nname: other\npurpose: p\n");
	for (unsigned i = 0; i <= FINDING_STANDING_MAX; i++)
		buffer_append_format(&yaml,
			"---\nobject: identity\nname: i%u\nkind: agent\nclass: retrieve\nrisk: "
			"low\n"
			"owner: ana\nbackup-owner: bo\nunit: support\npurpose: p\n"
			"environments: [dev]\nkeys: [{environment: dev, certificate: "
			"'sha256:%064u'}]\n",
			i, i);
	buffer_append(&yaml, "", 1);
	assert_true(decide_bench_put(&bench->world, buffer_text(&yaml).data));
	buffer_deinit(&yaml);
	look(bench);
	assert_int_equal(count_found(bench), FINDING_STANDING_MAX);
	assert_true(finding_list_standing(
		bench->findings, TEXT(""), 5000, bench->world.arena, &items, &err));
	assert_int_equal(items.count, FINDING_STANDING_MAX + 1);
}

static void no_person_closes_it(void **state)
{
	struct bench *bench = *state;
	struct finding_close request = {.person = TEXT("ana"), .reason = TEXT("seen")};
	struct error err = {0};

	put_one(bench, "");
	look(bench);
	request.id = finding_next(bench->findings, NULL)->id;
	assert_false(finding_close(bench->findings, &request, &err));
	assert_non_null(strstr(err.text, "once the access stands no more"));
	assert_int_equal(count_found(bench), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_stands_of_an_estate_is_found_and_nothing_else),
		TEST(what_was_mended_is_closed_by_remit_itself),
		TEST(an_end_counts_up_to_its_bound_and_not_past_it),
		TEST(all_that_stands_of_the_largest_object_has_room),
		TEST(time_alone_brings_an_end_near),
		TEST(findings_leave_room_and_the_list_has_all),
		TEST(no_person_closes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
