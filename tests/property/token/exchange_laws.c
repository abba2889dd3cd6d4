/* Random exchanges through the token service, over a log, against a small model of who may.
 * Actor tokens are left out, brought, and other people's; tokens are those of tasks that are
 * over, of identities that rest, and some that say of their task what is not so, though our own
 * key signed them.  Whatever is granted says who acts for whom, and ends no later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "domain/token/access_token.h"
#include "support/delegating.h"
#include "support/seeded.h"

enum { WORLDS = 6, STEPS = 400, NODES = STEPS + 1, AGENTS = 8 };

struct node {
	int parent;
	unsigned identity;
	unsigned epoch;
	int named; /* in may_act; -1: nobody */
	bool is_killed;
	struct text token;
	struct text task;
	int64_t expires_utc_s;
};

struct law {
	struct delegating delegating;
	bool hands_to[AGENTS][AGENTS];
	bool is_active[AGENTS];
	unsigned epochs[AGENTS];
	struct node nodes[NODES];
	unsigned count;
};

static unsigned granted, refused, forged, longest;

static void put_peers(struct law *law, unsigned from)
{
	struct text lines = TEXT("");

	for (unsigned to = 0; to < AGENTS; to++) {
		law->hands_to[from][to] = to != from && pick(100) < 55;
		if (law->hands_to[from][to])
			lines = text_format(law->delegating.issuing.governed.arena,
				"%.*s{identity: %s, effects: [read], up-to: internal, depth: 6}, ",
				TEXT_ARGS(lines), delegating_name(to));
	}
	delegating_peers(&law->delegating, from, lines.data);
}

static int64_t now_s(const struct law *law)
{
	return issuing_now_s(&law->delegating.issuing);
}

static unsigned links_of(const struct law *law, int node, unsigned out[TASK_DEPTH_MAX])
{
	unsigned count = 0;

	for (; node >= 0; node = law->nodes[node].parent)
		if (count == 0 || out[count - 1] != law->nodes[node].identity)
			out[count++] = law->nodes[node].identity;
	return count;
}

static bool is_live(const struct law *law, int node)
{
	for (; node >= 0; node = law->nodes[node].parent) {
		const struct node *one = &law->nodes[node];

		if (one->is_killed || one->epoch != law->epochs[one->identity] ||
			!law->is_active[one->identity] || now_s(law) >= one->expires_utc_s)
			return false;
	}
	return true;
}

static bool may_exchange(const struct law *law, int node, unsigned client)
{
	unsigned links[TASK_DEPTH_MAX] = {0}, count = links_of(law, node, links), depth = 1;

	for (int above = node; above >= 0; above = law->nodes[above].parent)
		depth++;
	if (!law->is_active[client] || !is_live(law, node) || depth > TASK_DEPTH_MAX ||
		(law->nodes[node].named >= 0 && law->nodes[node].named != (int)client))
		return false;
	if (links[0] == client)
		return true;
	for (unsigned i = 0; i < count; i++)
		if (links[i] == client)
			return false;
	for (unsigned i = 1; i < count; i++)
		if (!law->hands_to[links[i]][links[i - 1]])
			return false;
	return count < 8 && law->hands_to[links[0]][client];
}

static void add(struct law *law, int parent, unsigned identity, int named)
{
	const struct issuing *issuing = &law->delegating.issuing;

	law->nodes[law->count++] = (struct node){.parent = parent,
		.identity = identity,
		.epoch = law->epochs[identity],
		.named = named,
		.token = issuing->token,
		.task = issuing->task,
		.expires_utc_s = now_s(law) + issuing->lifetime_s};
}

/* ---- what a granted token says ---- */

static void check_claims(struct law *law, int node)
{
	unsigned links[TASK_DEPTH_MAX] = {0}, count = links_of(law, node, links);
	struct json claims = delegating_claims(&law->delegating, law->nodes[node].token);
	const struct json *act = &claims;

	assert_true(text_is(json_text_or(&claims, "sub", ""), delegating_name(links[count - 1])));
	assert_true(text_is(json_text_or(&claims, "client_id", ""), delegating_name(links[0])));
	for (unsigned i = 0; i + 1 < count; i++) {
		act = json_find(act, "act");
		assert_non_null(act);
		assert_true(text_is(json_text_or(act, "sub", ""), delegating_name(links[i])));
	}
	assert_null(json_find(act, "act"));
	for (int above = law->nodes[node].parent; above >= 0; above = law->nodes[above].parent)
		assert_true(law->nodes[node].expires_utc_s <= law->nodes[above].expires_utc_s);
	longest = count > longest ? count : longest;
}

/* ---- steps ---- */

struct wish {
	struct text actor;
	const char *may_act;
};

static void fill(struct issue_request *request, const void *context)
{
	const struct wish *wish = context;

	request->exchange.actor_token = wish->actor;
	if (wish->actor.length > 0)
		request->exchange.actor_token_type = TEXT(TOKEN_TYPE_ACCESS);
	request->may_act = text_of(wish->may_act);
}

static void exchange(struct law *law)
{
	int node = (int)pick(law->count), actor = pick(4) == 0 ? (int)pick(law->count) : -1;
	unsigned client = pick(AGENTS), before = law->count;
	int named = pick(6) == 0 ? (int)pick(AGENTS) : -1;
	struct wish wish = {.may_act = named < 0 ? "" : delegating_name((unsigned)named)};
	bool is_due =
		may_exchange(law, node, client) && (named < 0 || law->hands_to[client][named]);
	struct text token;

	if (actor >= 0) {
		wish.actor = law->nodes[actor].token;
		is_due = is_due && law->nodes[actor].identity == client && is_live(law, actor);
	}
	token = delegating_exchange_as(
		&law->delegating, client, law->nodes[node].token, fill, &wish);
	if ((token.length > 0) != is_due)
		fail_msg("%s: %s for %s: %s", is_due ? "a right lost" : "escalation",
			delegating_name(client), delegating_name(law->nodes[node].identity),
			law->delegating.issuing.detail);
	granted += is_due;
	refused += !is_due;
	if (!is_due)
		return;
	add(law, node, client, named);
	check_claims(law, (int)before);
}

/* Our own key, and claims that are not so: an actor left out, written twice, or another one. */
static void forge(struct law *law)
{
	int node = (int)pick(law->count);
	const struct node *of = &law->nodes[node];
	struct arena *arena = law->delegating.issuing.governed.arena;
	unsigned links[TASK_DEPTH_MAX] = {0}, count = links_of(law, node, links);
	struct access_token token = {.issuer = TEXT(ISSUING_ISSUER),
		.identity = text_of(delegating_name(of->identity)),
		.principal = text_of(delegating_name(links[count - 1])),
		.audience = TEXT(ISSUING_FILES),
		.id = TEXT("forged"),
		.task = of->task,
		.scope = TEXT(ACCESS_TOKEN_SCOPE),
		.environment = ENVIRONMENT_STAGING,
		.issued_utc_s = now_s(law),
		.expires_utc_s = now_s(law) + 60,
		.actors_count = count - 1};
	struct error err = {0};
	struct buffer out;
	struct json claims;

	for (unsigned i = 0; i + 1 < count; i++)
		token.actors[i] = text_of(delegating_name(links[i]));
	switch (pick(3)) {
	case 0: /* left out: the principal acts itself, or seems to */
		token.actors_count = 0;
		if (count > 1)
			token.identity = token.principal;
		else
			token.identity = token.principal = TEXT("d9");
		break;
	case 1: /* written twice */
		if (token.actors_count == ACCESS_TOKEN_ACTORS_MAX)
			return;
		token.actors[token.actors_count++] = token.identity;
		token.actors[0] = token.identity;
		break;
	default: token.principal = TEXT("d8"); break;
	}
	buffer_init(&out, 16384);
	assert_true(access_token_claims(&claims, arena, &token, &err) &&
		    jws_sign(&out, law->delegating.issuing.token_key, ACCESS_TOKEN_TYPE, TEXT("k"),
			    &claims, &err));
	assert_int_equal(delegating_exchange(&law->delegating, pick(AGENTS),
				 text_copy(arena, buffer_text(&out)))
				 .length,
		0);
	assert_int_not_equal(delegating_ask(&law->delegating, buffer_text(&out)), TOKEN_ACCEPTED);
	buffer_deinit(&out);
	forged++;
}

static void disturb(struct law *law)
{
	unsigned identity = pick(AGENTS), node = pick(law->count);
	struct delegating *delegating = &law->delegating;

	switch (pick(8)) {
	case 0:
		issuing_kill(&delegating->issuing, "", law->nodes[node].task);
		law->nodes[node].is_killed = true;
		break;
	case 1: put_peers(law, identity); break;
	case 2: issuing_pass(&delegating->issuing, pick(300)); break;
	default:
		assert_true(governed_step(&delegating->issuing.governed, "bo",
			law->is_active[identity] ? REGISTRAR_SUSPEND : REGISTRAR_REACTIVATE,
			delegating_name(identity)));
		law->is_active[identity] = !law->is_active[identity];
		break;
	}
}

static void step(struct law *law)
{
	unsigned what = pick(100), identity = pick(AGENTS);

	if (law->count == 0 || what < 12) {
		if (delegating_open(&law->delegating, identity, "").length > 0)
			add(law, -1, identity, -1);
		else
			assert_false(law->is_active[identity]);
		return;
	}
	if (what < 86)
		exchange(law);
	else if (what < 94)
		forge(law);
	else
		disturb(law);
}

static void nobody_exchanges_what_was_not_handed_on(void **state)
{
	uint64_t seed = seed_of_run(), worlds = worlds_given(WORLDS);
	static struct law law;

	(void)state;
	for (uint64_t world = 0; world < worlds; world++) {
		seed_with(seed + world);
		memset(&law, 0, sizeof law);
		delegating_init(&law.delegating);
		for (unsigned i = 0; i < AGENTS; i++) {
			law.is_active[i] = true;
			put_peers(&law, i);
		}
		for (unsigned i = 0; i < STEPS; i++)
			step(&law);
		delegating_deinit(&law.delegating);
	}
	printf("exchanges: %u granted, %u refused, %u forged, longest chain %u; 0 escalations\n",
		granted, refused, forged, longest);
	if (worlds >= WORLDS)
		assert_true(granted > 50 && refused > 50 && forged > 50 && longest >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_exchanges_what_was_not_handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
