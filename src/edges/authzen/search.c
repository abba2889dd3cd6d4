/* Searches (section 8 of the API), a page at a time.  Nothing is kept here between pages. */
#include "edges/authzen/authzen_private.h"

/* What must not change between pages. */
static bool digest_request(
	const struct authzen_request *request, struct sha256 *out, struct error *err)
{
	struct json_builder object;
	struct json body;
	struct text canonical;

	json_object_start(&object, request->arena);
	for (uint32_t i = 0; i < request->body.count; i++)
		if (!text_is(request->body.members[i].name, "page"))
			json_put_named(&object, request->body.members[i].name,
				request->body.members[i].value);
	if (!json_object_seal(&object, &body, err))
		return false;
	canonical = json_canonical_text(request->arena, &body);
	if (canonical.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the search");
	*out = sha256_of_parts((const struct text[]){request->asker.identity, TEXT("\n"),
				       request->asker.application, TEXT("\n"),
				       text_of(request->endpoint->name), TEXT("\n"), canonical},
		7);
	return true;
}

/* What a token of this request holds for now, at the start of the search. */
static struct authzen_place place_of(
	const struct authzen_request *request, const struct sha256 *digest)
{
	return (struct authzen_place){.state = evaluate_state(request->authzen->parts.evaluate,
					      request->asker.application),
		.request = *digest};
}

/* out->from borrows from place. */
static bool read_page(const struct authzen_request *request, struct authzen_place *place,
	struct evaluate_search *out, struct error *err)
{
	if (!authzen_page_read(json_find(&request->body, "page"), &request->authzen->page_key,
		    &out->limit, place, err))
		return false;
	out->from = (struct evaluate_place){.index = place->index,
		.after = {place->after, strnlen(place->after, sizeof place->after)}};
	return true;
}

/* Empty at the end of the search. */
static bool make_token(const struct authzen_request *request, const struct evaluate_place *next,
	const struct sha256 *digest, struct text *out, struct error *err)
{
	struct authzen_place place = place_of(request, digest);

	*out = TEXT("");
	if (next->index == 0 && next->after.length == 0)
		return true;
	if (next->after.length > sizeof place.after)
		return error_set(err, ERROR_INTERNAL, "a tool's name is too long for a token");
	place.index = next->index;
	if (next->after.length > 0)
		memcpy(place.after, next->after.data, next->after.length);
	return authzen_page_token(out, request->arena, &request->authzen->page_key, &place, err);
}

static bool read_searched(
	struct application_question *out, const struct authzen_request *request, struct error *err)
{
	const struct authzen_reader *reader = &request->reader;
	const struct json *body = &request->body;
	enum evaluate_part part = request->endpoint->part;
	enum authzen_id subject =
		part == EVALUATE_SUBJECTS ? AUTHZEN_ID_IGNORED : AUTHZEN_ID_NEEDED;
	enum authzen_id resource =
		part == EVALUATE_RESOURCES ? AUTHZEN_ID_IGNORED : AUTHZEN_ID_NEEDED;

	*out = (struct application_question){0};
	return authzen_read_entity(&out->subject, reader, json_find(body, "subject"), "subject",
		       subject, err) &&
	       (part == EVALUATE_ACTIONS ||
		       authzen_read_action(out, reader, json_find(body, "action"), err)) &&
	       authzen_read_entity(&out->resource, reader, json_find(body, "resource"), "resource",
		       resource, err) &&
	       authzen_read_context(out, json_find(body, "context"), err);
}

static bool put_results(struct json_builder *out, const struct evaluate_page *page,
	enum evaluate_part part, struct error *err)
{
	struct json_builder list, object;
	struct json value;

	json_array_start(&list, out->arena);
	for (size_t i = 0; i < page->count; i++) {
		json_object_start(&object, out->arena);
		if (part == EVALUATE_ACTIONS) {
			json_put_text(&object, "name", page->items[i].id);
		} else {
			json_put_text(&object, "type", page->items[i].type);
			json_put_text(&object, "id", page->items[i].id);
		}
		if (!json_object_seal(&object, &value, err))
			return false;
		json_add(&list, value);
	}
	if (!json_array_seal(&list, &value, err))
		return false;
	json_put(out, "results", value);
	return true;
}

static bool page_json(struct json *out, const struct authzen_request *request,
	const struct evaluate_page *page, struct text token, struct error *err)
{
	struct json_builder object, paging;
	struct json value;

	json_object_start(&paging, request->arena);
	json_put_integer(&paging, "count", (int64_t)page->count);
	json_put_text(&paging, "next_token", token);
	if (!json_object_seal(&paging, &value, err))
		return false;
	json_object_start(&object, request->arena);
	json_put(&object, "page", value);
	return put_results(&object, page, request->endpoint->part, err) &&
	       json_object_seal(&object, out, err);
}

void authzen_search(struct authzen_request *request)
{
	struct application_question question;
	struct evaluate_search search = {.question = &question, .part = request->endpoint->part};
	struct evaluate_summary summary = {.is_search = true};
	struct authzen_place place;
	struct evaluate_page page;
	struct error err = {0};
	struct sha256 digest;
	struct text token;
	struct json body;

	if (!read_searched(&question, request, &err) || !digest_request(request, &digest, &err)) {
		authzen_fail_with(request, &err);
		return;
	}
	place = place_of(request, &digest);
	if (!read_page(request, &place, &search, &err) ||
		!evaluate_search(request->authzen->parts.evaluate, &request->asker, &search,
			request->arena, &page, &err) ||
		!make_token(request, &page.next, &digest, &token, &err) ||
		!page_json(&body, request, &page, token, &err)) {
		authzen_fail_with(request, &err);
		return;
	}
	summary.found = page.count;
	authzen_answer(request, &body, &summary);
}
