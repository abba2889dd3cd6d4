#include "support/issuing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "domain/token/access_token.h"
#include "domain/token/client_assertion.h"
#include "domain/token/jwk.h"

enum { TEXT_BYTES_MAX = 16384 };

static void must(bool is_ok, const struct error *err)
{
	if (is_ok)
		return;
	fprintf(stderr, "issuing: %s\n", err->text);
	abort();
}

static int64_t clock_of(void *context)
{
	const struct issuing *issuing = context;

	return issuing->governed.log.now_utc_ms;
}

static void turn_to_next(struct issuing *issuing)
{
	if (issuing->next_from_utc_ms == 0 ||
		issuing->governed.log.now_utc_ms < issuing->next_from_utc_ms)
		return;
	private_key_destroy(&issuing->token_key);
	issuing->token_key = issuing->next_key;
	issuing->next_key = NULL;
	issuing->next_from_utc_ms = 0;
}

static void make_key(void *context, struct token_signing *making)
{
	struct issuing *issuing = context;
	struct json jwk;

	private_key_destroy(&issuing->next_key);
	if (issuing->refuses_keys) {
		error_set(&making->err, ERROR_IO, "the signer is gone");
	} else {
		must(private_key_generate(&issuing->next_key, SIGNATURE_ES256, &making->err) &&
				jwk_format(&jwk, issuing->governed.arena,
					private_key_public(issuing->next_key), &making->err),
			&making->err);
		making->token = json_canonical_text(issuing->governed.arena, &jwk);
		making->is_signed = true;
	}
	making->done(making);
}

static void use_key(
	void *context, struct text kid, int64_t from_utc_ms, struct token_signing *using)
{
	struct issuing *issuing = context;
	char id[JWK_THUMBPRINT_BYTES] = "";

	issuing->uses_told++;
	if (issuing->next_key != NULL)
		must(jwk_thumbprint(id, private_key_public(issuing->next_key), &using->err),
			&using->err);
	using->is_signed = !issuing->refuses_keys && text_is(kid, id);
	if (using->is_signed)
		issuing->next_from_utc_ms = from_utc_ms;
	else
		error_set(&using->err, ERROR_IO, "the signer is gone");
	using->done(using);
}

/* A signer that signs anything, or nothing. */
static void sign(void *context, const struct access_token *token, struct token_signing *signing)
{
	struct issuing *issuing = context;
	char kid[JWK_THUMBPRINT_BYTES];
	struct buffer out;
	struct json claims;

	turn_to_next(issuing);
	must(jwk_thumbprint(kid, private_key_public(issuing->token_key), &signing->err),
		&signing->err);
	buffer_init(&out, TOKEN_BYTES_MAX);
	if (issuing->refuses_to_sign)
		error_set(&signing->err, ERROR_IO, "the signer is gone");
	else
		signing->is_signed = access_token_claims(&claims, issuing->governed.arena, token,
					     &signing->err) &&
				     jws_sign(&out, issuing->token_key, ACCESS_TOKEN_TYPE,
					     text_of(kid), &claims, &signing->err);
	signing->token = buffer_text(&out);
	signing->done(signing);
	buffer_deinit(&out);
}

static void on_token(void *context, struct text token, int64_t expires_utc_s)
{
	struct issuing *issuing = context;

	issuing->told++;
	issuing->told_bytes = token.length;
	issuing->told_until_s = expires_utc_s;
}

static bool fold_task(void *state, const struct json *record, uint64_t index, struct error *err)
{
	return task_table_fold(state, record, index, err);
}

void issuing_attach(struct issuing *issuing)
{
	static const char *const types[] = {"task-opened", "task-ended", "kill"};
	const struct issue_parts parts = {
		.fold = issuing->governed.fold,
		.registry = issuing->governed.registry,
		.signer = {.context = issuing,
			.key = private_key_public(issuing->token_key),
			.sign = sign,
			.make_key = make_key,
			.use_key = use_key},
		.installation = TEXT(ISSUING_INSTALLATION),
		.nonces = issuing->nonces,
		.wall_utc_ms = clock_of,
		.clock_context = issuing,
		.on_token = on_token,
		.token_context = issuing,
	};
	const struct trust_parts trust = {.registry = issuing->governed.registry,
		.fetcher = fake_keys_port(&issuing->keys),
		.monotonic_ms = clock_of,
		.wall_utc_ms = clock_of,
		.clock_context = issuing};
	struct issue_parts filled = parts;
	struct error err = {0};

	must(task_table_create(&issuing->tasks, 1000, &err), &err);
	for (size_t i = 0; i < 3; i++) {
		const struct fold_handler handler = {
			.type = types[i], .apply = fold_task, .state = issuing->tasks};

		must(fold_add(issuing->governed.fold, &handler, &err), &err);
	}
	filled.tasks = issuing->tasks;
	must(trust_create(&issuing->trust, &trust, &err), &err);
	filled.trust = issuing->trust;
	must(issue_create(&issuing->issue, &filled, &err), &err);
	must(issue_set_issuer(issuing->issue, TEXT(ISSUING_ISSUER), &err), &err);
}

static struct text key_yaml(struct issuing *issuing, const struct private_key *key)
{
	struct arena *arena = issuing->governed.arena;
	struct error err = {0};
	struct json jwk;

	must(jwk_format(&jwk, arena, private_key_public(key), &err), &err);
	return text_format(arena,
		"{environment: staging, jwk: {kty: EC, crv: P-256, x: \"%.*s\", y: \"%.*s\"}}",
		TEXT_ARGS(json_text_or(&jwk, "x", "")), TEXT_ARGS(json_text_or(&jwk, "y", "")));
}

const char *issuing_key_yaml(struct issuing *issuing, const struct private_key *key)
{
	return text_format(issuing->governed.arena, "keys: [%s]\n", key_yaml(issuing, key).data)
		.data;
}

const char *issuing_ending_key(struct issuing *issuing, int64_t seconds)
{
	struct text own = key_yaml(issuing, issuing->a1_key);
	char written[TIME_TEXT_BYTES];

	own.length -= strlen("}");
	time_format_utc_ms(written, (issuing_now_s(issuing) + seconds) * 1000);
	return text_format(
		issuing->governed.arena, "%.*s, expires: '%.19sZ'}", TEXT_ARGS(own), written)
		.data;
}

void issuing_enrol(struct issuing *issuing, const char *person, const struct private_key *key)
{
	struct governed *governed = &issuing->governed;
	struct registrar_request request = {
		.verb = REGISTRAR_ENROL, .actor = TEXT("remit"), .name = text_of(person)};
	char code[CODE_TEXT_BYTES];
	struct error err = {0};

	must(governed_step(governed, "adi", REGISTRAR_ISSUE_CODE, person), &governed->last.err);
	memcpy(code, governed->code, sizeof code);
	request.code = text_of(code);
	must(jwk_format(&request.jwk, governed->arena, private_key_public(key), &err), &err);
	must(governed_run(governed, request), &governed->last.err);
}

/* a1 is the last object of the world, so what is more goes at the end. */
void issuing_recharter(struct issuing *issuing, const char *keys, const char *more)
{
	struct governed *governed = &issuing->governed;
	struct text own = key_yaml(issuing, issuing->a1_key);
	struct text yaml = text_format(governed->arena, "%skeys: [%s]\n%s", governed_world_yaml,
		keys == NULL ? own.data : keys, more);

	must(governed_apply(governed, "adi", yaml.data), &governed->last.err);
	must(governed_step(governed, "bo", REGISTRAR_APPROVE, "a1"), &governed->last.err);
}

void issuing_init(struct issuing *issuing)
{
	issuing_init_with(issuing, ISSUE_NONCES_ALWAYS);
}

void issuing_init_with(struct issuing *issuing, enum issue_nonces nonces)
{
	struct governed *governed = &issuing->governed;
	struct error err = {0};

	memset(issuing, 0, sizeof *issuing);
	issuing->nonces = nonces;
	must(private_key_generate(&issuing->token_key, SIGNATURE_ES256, &err), &err);
	must(private_key_generate(&issuing->a1_key, SIGNATURE_ES256, &err), &err);
	must(private_key_generate(&issuing->ana_key, SIGNATURE_ES256, &err), &err);
	governed_init_with_administrator(governed);
	issuing_attach(issuing);
	issuing_recharter(issuing, NULL, "");
	issuing_enrol(issuing, "ana", issuing->ana_key);
	issuing_pass(issuing, 1); /* what is signed in the second of the start does not hold */
}

void issuing_deinit(struct issuing *issuing)
{
	issue_destroy(&issuing->issue);
	trust_destroy(&issuing->trust);
	task_table_destroy(&issuing->tasks);
	private_key_destroy(&issuing->token_key);
	private_key_destroy(&issuing->next_key);
	private_key_destroy(&issuing->a1_key);
	private_key_destroy(&issuing->ana_key);
	governed_deinit(&issuing->governed);
}

int64_t issuing_now_s(const struct issuing *issuing)
{
	return issuing->governed.log.now_utc_ms / 1000;
}

void issuing_pass(struct issuing *issuing, int64_t seconds)
{
	issuing->governed.log.now_utc_ms += seconds * 1000;
}

struct text issuing_assertion(struct issuing *issuing, const struct private_key *key)
{
	return issuing_assertion_of(issuing, "a1", key == NULL ? issuing->a1_key : key);
}

struct text issuing_assertion_of(
	struct issuing *issuing, const char *name, const struct private_key *key)
{
	struct error err = {0};
	struct buffer out;
	struct text made;

	buffer_init(&out, TEXT_BYTES_MAX);
	must(client_assertion_build(
		     &out, key, text_of(name), TEXT(ISSUING_ISSUER), issuing_now_s(issuing), &err),
		&err);
	made = text_copy(issuing->governed.arena, buffer_text(&out));
	buffer_deinit(&out);
	return made;
}

static void answered(struct issue_request *request)
{
	struct issuing *issuing = request->context;
	struct arena *arena = issuing->governed.arena;

	issuing->is_answered = true;
	issuing->refusal = request->refusal;
	issuing->reason = request->reason;
	issuing->lifetime_s = request->lifetime_s;
	issuing->bound = request->bound;
	memcpy(issuing->detail, request->detail, sizeof issuing->detail);
	issuing->token = issuing->task = issuing->details_granted = (struct text){0};
	if (request->refusal == ISSUE_GRANTED) {
		issuing->token = text_copy(arena, request->token);
		issuing->task = text_copy(arena, request->task);
		issuing->details_granted = text_copy(arena, request->details_granted);
	}
}

bool issuing_request(struct issuing *issuing, struct issue_request *request)
{
	request->done = answered;
	request->context = issuing;
	issuing->is_answered = false;
	issuing->refusal = ISSUE_REFUSED;
	issue_open_task(issuing->issue, request);
	return issuing->refusal == ISSUE_GRANTED;
}

bool issuing_open(struct issuing *issuing, struct text assertion, const char *resource)
{
	/* In the arena: an answer may come after this returned. */
	struct issue_request *request = arena_new(issuing->governed.arena, struct issue_request);

	request->assertion = assertion;
	request->resource = text_of(resource);
	request->parent = issuing->parent;
	request->instance = issuing->instance;
	request->session = issuing->session;
	request->client = issuing->client;
	request->assertion_form = issuing->form;
	request->certificate = issuing->certificate;
	issuing->request = request;
	request->details = issuing->details;
	request->path = TEXT("/oauth/token");
	request->proof = issuing->proof;
	request->certificate = issuing->certificate;
	request->client = issuing->client;
	return issuing_request(issuing, request);
}

bool issuing_open_good(struct issuing *issuing)
{
	return issuing_open(issuing, issuing_assertion(issuing, NULL), ISSUING_FILES);
}

enum token_reason issuing_ask(struct issuing *issuing, struct text token)
{
	struct issue_caller caller;
	enum token_reason reason =
		issue_authenticate(issuing->issue, token, TEXT(ISSUING_FILES), &caller);

	if (reason == TOKEN_ACCEPTED &&
		(!text_is(caller.identity, "a1") || caller.environment != ENVIRONMENT_STAGING))
		abort();
	return reason;
}

static void killed(struct fold_change *change)
{
	must(change->is_durable, &change->err);
}

void issuing_kill(struct issuing *issuing, const char *identity, struct text task)
{
	issuing_kill_node(issuing,
		(struct task_kill){
			.target = task.length > 0 ? TASK_TARGET_TASK : TASK_TARGET_IDENTITY,
			.identity = text_of(identity),
			.task = task});
}

void issuing_kill_node(struct issuing *issuing, struct task_kill kill)
{
	struct arena *arena = issuing->governed.arena;
	struct fold_change *change = arena_new(arena, struct fold_change);
	struct error err = {0};
	struct json record;

	kill.reason = TEXT("test");
	kill.actor = TEXT("person:ana");
	kill.at_utc_ms = fold_stamp_utc_ms(issuing->governed.fold);
	must(task_kill_record(&record, arena, issuing->tasks, &kill, &err), &err);
	change->entry = json_canonical_text(arena, &record);
	change->done = killed;
	must(fold_submit(issuing->governed.fold, change, &err), &err);
}

void issuing_limit(struct issuing *issuing, const char *limits)
{
	struct governed *governed = &issuing->governed;
	const char *a1 = strstr(governed_world_yaml, "object: identity");
	struct text yaml = text_format(governed->arena, "%s%slimits: %s\n", a1,
		issuing_key_yaml(issuing, issuing->a1_key), limits);

	must(governed_apply(governed, "adi", yaml.data), &governed->last.err);
	must(governed_step(governed, "bo", REGISTRAR_APPROVE, "a1"), &governed->last.err);
}

void issuing_live_again(const struct issuing *first, struct issuing *second)
{
	const struct fake_log *log = &first->governed.log;
	struct error err = {0};

	memset(second, 0, sizeof *second);
	must(private_key_generate(&second->a1_key, SIGNATURE_ES256, &err), &err);
	second->token_key = first->token_key;
	governed_init_loading(&second->governed);
	second->governed.log.now_utc_ms = log->now_utc_ms;
	issuing_attach(second);
	for (size_t i = 0; i < log->count; i++)
		must(fold_apply_entry(second->governed.fold, log->entries[i].entry,
			     log->entries[i].content, i, &err),
			&err);
	must(fold_finish_loading(second->governed.fold, &err), &err);
}
