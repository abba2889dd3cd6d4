/* The agent card of a peer: read from the peer, less the skills that the caller could never use
 * and those that are not as they were pinned, with remit's address and ways of authentication,
 * signed by remit.  What remit signs is what it shows; what the peer signed is not passed on,
 * for its signature would not fit.
 *
 * Secrets are taken out of it before it is signed, as out of every answer of a peer.
 *
 * A request outlives its HTTP exchange until the peer was looked at: nothing cancels that. */
#include <stdlib.h>

#include "base/json.h"
#include "domain/call/peer_card.h"
#include "domain/token/access_token.h"
#include "edges/a2a/a2a_private.h"

enum {
	CARD_ARENA_BYTES = 16 * 1024 * 1024,
	STATUS_NOT_FOUND = 404,
	STATUS_BAD_GATEWAY = 502,
	STATUS_UNAVAILABLE = 503,
};

struct a2a_card_request {
	struct a2a_door *door;
	struct a2a_card_request *next, **link;
	struct http_exchange *http; /* NULL: it is gone */
	struct arena *arena;
	struct call_look look;
	struct token_signing signing;
	struct text peer;
	struct text identity;
	struct text task;
	struct json shown;
	bool is_looking;
};

static void request_free(struct a2a_card_request *request)
{
	*request->link = request->next;
	if (request->next != NULL)
		request->next->link = request->link;
	request->door->card_count--;
	arena_destroy(&request->arena);
	free(request);
}

static void on_closed(void *context, enum http_closed how)
{
	struct a2a_card_request *request = context;

	(void)how;
	request->http = NULL;
	if (!request->is_looking)
		request_free(request);
}

void a2a_cards_drop(struct a2a_door *door)
{
	while (door->cards != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
		request_free(door->cards);
}

/* ---- what is shown ---- */

static bool put_signature(
	struct json_builder *card, const struct token_signing *signing, struct error *err)
{
	struct text whole = signing->token;
	ptrdiff_t dots = text_find_byte(whole, '.');
	struct json_builder signature, list;
	struct json sealed;

	if (dots < 0)
		return error_set(err, ERROR_INVALID, "the signer gave no signature");
	json_object_start(&signature, card->arena);
	json_put_text(&signature, "protected", (struct text){whole.data, (size_t)dots});
	json_put_text(&signature, "signature", text_after(whole, (size_t)dots + 2));
	if (!json_object_seal(&signature, &sealed, err))
		return false;
	json_array_start(&list, card->arena);
	json_add(&list, sealed);
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(card, "signatures", sealed);
	return true;
}

/* The card with its signature; .data is NULL without memory. */
static struct text signed_text(
	struct a2a_card_request *request, const struct token_signing *signing)
{
	struct json_builder card;
	struct json sealed;
	struct error err;

	json_object_start(&card, request->arena);
	for (uint32_t i = 0; i < request->shown.count; i++)
		json_put_named(
			&card, request->shown.members[i].name, request->shown.members[i].value);
	if (!put_signature(&card, signing, &err) || !json_object_seal(&card, &sealed, &err))
		return (struct text){0};
	return json_canonical_text(request->arena, &sealed);
}

static void on_signed(struct token_signing *signing)
{
	struct a2a_card_request *request = signing->context;
	const struct http_header no_store = {"Cache-Control", "no-store"};
	struct text body = {0};

	request->is_looking = false;
	if (request->http == NULL) {
		request_free(request);
		return;
	}
	if (signing->is_signed)
		body = signed_text(request, signing);
	if (body.data == NULL)
		http_respond_problem(request->http, STATUS_UNAVAILABLE, "not signed",
			"the card could not be signed; try again");
	else
		http_respond(request->http, &(struct http_response){.status = 200,
						    .content_type = "application/json",
						    .body = body,
						    .headers = &no_store,
						    .header_count = 1});
}

/* What the caller could ever use, of what is as it was pinned. */
static bool find_skills(struct a2a_card_request *request, const struct json *card, struct json *out,
	struct error *err)
{
	const struct a2a_door_settings *settings = &request->door->settings;
	const struct decide_viewer viewer = {.identity = request->identity,
		.server = request->peer,
		.now_utc_ms = settings->now_utc_ms(settings->clock_context)};
	struct json_builder list;
	struct json definitions, offered;

	if (!peer_card_definitions(&definitions, request->arena, card, err))
		return false;
	json_object_start(&list, request->arena);
	json_put(&list, "tools", definitions);
	return json_object_seal(&list, &offered, err) &&
	       decide_tools_visible(settings->decide, &viewer, &offered, request->arena, out, err);
}

static bool make_card(struct a2a_card_request *request, struct error *err)
{
	const struct a2a_door_settings *settings = &request->door->settings;
	struct text issuer = issue_issuer(settings->issue);
	const struct call_card_scene scene = {request->identity, request->task, request->peer};
	struct json card, skills, shown;
	struct peer_showing showing = {
		.url = issue_peer_audience(settings->issue, request->arena, request->peer),
		.token_url = text_format(request->arena, "%.*s/oauth/token", TEXT_ARGS(issuer)),
		.metadata_url = text_format(request->arena,
			"%.*s/.well-known/oauth-authorization-server", TEXT_ARGS(issuer)),
		.scope = TEXT(ACCESS_TOKEN_SCOPE),
		.skills = &skills};

	if (showing.url.data == NULL || showing.token_url.data == NULL ||
		showing.metadata_url.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a card");
	return call_card(settings->calls, request->peer, request->arena, &card, err) &&
	       find_skills(request, &card, &skills, err) &&
	       peer_card_show(&shown, request->arena, &card, &showing, err) &&
	       (call_pass_card(settings->calls, &scene, request->arena, &shown, &request->shown) ||
		       error_set(err, ERROR_INVALID, "it holds a secret"));
}

/* ---- reading it ---- */

/* The peer's own words are not passed on: who may see its card learns what remit says of it. */
static void fail(struct a2a_card_request *request)
{
	request->is_looking = false;
	if (request->http == NULL)
		request_free(request);
	else
		http_respond_problem(request->http, STATUS_BAD_GATEWAY, "no card",
			"the peer gave no card that can be shown; the log has why");
}

static void on_looked(void *context, const struct error *failure)
{
	struct a2a_card_request *request = context;
	const struct card_signer *signer = &request->door->settings.signer;
	struct error err;

	if (failure != NULL || !make_card(request, &err)) {
		fail(request);
		return;
	}
	request->signing = (struct token_signing){.done = on_signed, .context = request};
	signer->sign(signer->context, &request->shown, &request->signing);
}

static bool has_room(const struct a2a_door *door, struct text identity)
{
	size_t held = 0;

	for (const struct a2a_card_request *each = door->cards; each != NULL; each = each->next)
		held += text_equal(each->identity, identity);
	return door->card_count < A2A_CARDS_MAX && held < A2A_CARDS_PER_IDENTITY_MAX;
}

static struct a2a_card_request *request_create(
	struct a2a_door *door, struct http_exchange *exchange, const struct issue_caller *caller)
{
	struct a2a_card_request *request =
		has_room(door, caller->identity) ? calloc(1, sizeof *request) : NULL;

	if (request == NULL)
		return NULL;
	request->door = door;
	request->next = door->cards;
	request->link = &door->cards;
	if (request->next != NULL)
		request->next->link = &request->next;
	door->cards = request;
	door->card_count++;
	request->arena = arena_create(CARD_ARENA_BYTES);
	if (request->arena != NULL) {
		request->peer = text_copy(request->arena, http_path_value(exchange, "peer"));
		request->identity = text_copy(request->arena, caller->identity);
		request->task = text_copy(request->arena, caller->task);
	}
	if (request->peer.data != NULL && request->identity.data != NULL &&
		request->task.data != NULL)
		return request;
	request_free(request);
	return NULL;
}

void a2a_card_begin(
	struct a2a_door *door, struct http_exchange *exchange, const struct issue_caller *caller)
{
	struct a2a_card_request *request = request_create(door, exchange, caller);
	struct error err;

	if (request == NULL) {
		http_respond_problem(exchange, STATUS_UNAVAILABLE, "busy", "try again later");
		return;
	}
	request->http = exchange;
	request->is_looking = true;
	request->look =
		(struct call_look){.server = request->peer, .context = request, .done = on_looked};
	http_exchange_watch(exchange,
		&(struct http_exchange_events){.context = request, .on_closed = on_closed});
	if (!call_look_start(door->settings.calls, &request->look, &err))
		fail(request);
}
