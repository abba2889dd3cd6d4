#include "edges/api/request.h"

#include <string.h>

#include "domain/token/jwk.h"
#include "domain/token/jws.h"
#include "services/sign_in/sign_in.h"

/* Signing in with what a registered issuer says: who lets people in, and an id_token for a key.
 *
 *   signed by the key of the body ─▶ its thumbprint is the nonce that the token must have
 *      ─▶ sign_in_check (may wait for the issuer's keys) ─▶ REGISTRAR_SIGN_IN ─▶ answer */

/* ---- who lets people in ---- */

struct issuer_list {
	struct api_request *request;
	struct json_builder items;
	struct error err;
	bool has_failed;
};

static bool add_issuer(void *context, const struct registry_entry *entry)
{
	struct issuer_list *list = context;
	const struct issuer *issuer = entry->in_force == NULL ? NULL : entry->in_force->issuer;
	struct json_builder object;
	struct json item;

	if (issuer == NULL || issuer->people.client.length == 0)
		return true;
	json_object_start(&object, list->request->arena);
	json_put_text(&object, "name", entry->name);
	json_put_text(&object, "url", issuer->url);
	json_put_text(&object, "client", issuer->people.client);
	json_put_texts(&object, "scopes", issuer->people.scopes, issuer->people.scopes_count);
	json_put_texts(&object, "acr", issuer->people.acr, issuer->people.acr_count);
	if (issuer->people.max_age_s > 0)
		json_put_integer(&object, "max_age_s", issuer->people.max_age_s);
	json_put_integer(&object, "key_lasts_s", issuer->people.key_lasts_s);
	list->has_failed = !json_object_seal(&object, &item, &list->err);
	if (!list->has_failed)
		json_add(&list->items, item);
	return !list->has_failed;
}

void handle_sign_in_list(struct api_request *request)
{
	struct issuer_list list = {.request = request};
	struct json items;
	bool ok;

	json_array_start(&list.items, request->arena);
	registry_each(registrar_registry(request->api->services.registrar), OBJECT_ISSUER, TEXT(""),
		add_issuer, &list);
	ok = !list.has_failed && json_array_seal(&list.items, &items, &list.err);
	api_answer_page(request, ok, &items, TEXT(""), &list.err);
}

/* ---- signing in ---- */

static void answer_key(struct api_request *request)
{
	const struct registrar_request *work = &request->work.registrar;
	struct json_builder object;
	struct json body;
	struct error err;

	json_object_start(&object, request->arena);
	json_put_integer(&object, "index", (int64_t)work->index);
	json_put_text(&object, "person", work->name);
	json_put_text(&object, "issuer", work->sign_in.issuer);
	json_put_cstring(&object, "kid", work->kid_issued);
	json_put_integer(&object, "expires_utc_ms", work->sign_in.expires_utc_ms);
	api_answer_or_fail(request, json_object_seal(&object, &body, &err), &body, &err);
}

static void on_enrolled(struct registrar_request *work)
{
	struct api_request *request = work->context;

	if (work->err.code != ERROR_NONE)
		api_answer_problem(request, &work->err);
	else
		answer_key(request);
}

static void enrol(struct api_request *request, const struct sign_in_check *check)
{
	struct registrar_request *work = &request->work.registrar;
	struct error err;

	work->verb = request->route->verb;
	work->name = check->person;
	work->actor = text_format(request->arena, "person:%.*s", TEXT_ARGS(check->person));
	work->jwk = *json_find(&request->body, "jwk");
	work->kid = check->nonce;
	work->sign_in = (struct sign_in_word){.issuer = check->issuer_name,
		.issuer_digest = check->issuer_digest,
		.person_digest = check->person_digest,
		.expires_utc_ms = check->key_until_utc_ms,
		.useless_utc_ms = check->useless_utc_ms};
	work->done = on_enrolled;
	work->context = request;
	if (work->actor.data == NULL)
		api_answer_status(request, 503, "no memory for the request");
	else if (!registrar_submit(request->api->services.registrar, work, &err))
		api_answer_problem(request, &err);
}

static void answer_refusal(struct api_request *request, enum token_reason reason)
{
	struct text detail = text_format(request->arena, "the id_token does not hold (%s): %s",
		token_reason_word(reason), token_reason_meaning(reason));

	if (detail.data == NULL)
		api_answer_status(request, 503, "no memory for the request");
	else
		api_answer_status(request, 401, detail.data);
}

static void on_checked(struct sign_in_check *check)
{
	struct api_request *request = check->context;

	switch (check->outcome) {
	case SIGN_IN_DONE: enrol(request, check); return;
	case SIGN_IN_REFUSED: answer_refusal(request, check->reason); return;
	case SIGN_IN_NO_KEYS:
		api_answer_status(request, 503, "the issuer's keys are not at hand: try again");
		return;
	case SIGN_IN_BUSY: break;
	}
	api_answer_status(request, 503, "too many are signing in: try again");
}

/* The thumbprint of the key in the body, which has signed this request. */
static bool take_nonce(struct api_request *request, struct text *out)
{
	char thumbprint[JWK_THUMBPRINT_BYTES];
	struct public_key *key = NULL;
	struct error err;

	if (jwk_parse(&key, json_find(&request->body, "jwk"), &err) &&
		jwk_thumbprint(thumbprint, key, &err))
		*out = text_copy(request->arena, text_of(thumbprint));
	else
		api_answer_problem(request, &err);
	public_key_destroy(&key);
	return out->data != NULL;
}

void handle_sign_in(struct api_request *request)
{
	struct sign_in_check *check = arena_new(request->arena, struct sign_in_check);

	if (check == NULL) {
		api_answer_status(request, 503, "no memory for the request");
		return;
	}
	if (!api_need_text(request, "id_token", &check->id_token) ||
		!take_nonce(request, &check->nonce))
		return;
	check->issuer = json_text_or(&request->body, "issuer", "");
	check->done = on_checked;
	check->context = request;
	request->check = check;
	sign_in_check_start(request->api->services.sign_in, check);
}

/* ---- the key that asks ---- */

struct json api_key_json(struct api_request *request, struct error *err)
{
	const struct registry *registry = registrar_registry(request->api->services.registrar);
	const struct person_key *key = NULL;
	struct json_builder object;
	struct json sealed;
	struct text kid;

	if (request->signature.length == 0 ||
		jws_find_key_id(&kid, request->arena, request->signature) != TOKEN_ACCEPTED ||
		registry_find_key(registry, kid, &key) == NULL)
		return json_null();
	json_object_start(&object, request->arena);
	json_put_text(&object, "kid", key->kid);
	if (key->expires_utc_ms != 0) {
		json_put_integer(&object, "expires_utc_ms", key->expires_utc_ms);
		json_put_text(&object, "issuer", key->issuer);
	}
	return json_object_seal(&object, &sealed, err) ? sealed : json_null();
}
