/* How records become break-glass.
 *
 *   break-glass-asked      one person wants it; another must agree
 *   break-glass-opened     it is open, by two, or by one who is reviewed
 *   break-glass-closed     it is over; forgotten, unless a review is due
 *   break-glass-reviewed   forgotten
 *
 * Rows of the store: break-glass / ID/TYPE is the record of each type, until it is
 * forgotten. */

#include <stdlib.h>

#include "services/approve/approve_private.h"

enum { GLASS_ARENA_BYTES_MAX = 64 * 1024 };

const char *break_glass_event_word(enum break_glass_event event)
{
	static const char *const words[] = {
		[BREAK_GLASS_EVENT_ASKED] = "asked",
		[BREAK_GLASS_EVENT_OPENED] = "opened",
		[BREAK_GLASS_EVENT_CLOSED] = "closed",
		[BREAK_GLASS_EVENT_REVIEWED] = "reviewed",
		[BREAK_GLASS_EVENT_OVERDUE] = "overdue",
	};

	return (size_t)event < sizeof words / sizeof *words ? words[event] : NULL;
}

struct glass_node *glass_node_find(const struct approve *approve, struct text id)
{
	struct glass_node *node = approve->glasses;

	while (node != NULL && !text_equal(node->glass.id, id))
		node = node->next;
	return node;
}

static void node_destroy(struct glass_node **node)
{
	if (*node == NULL)
		return;
	arena_destroy(&(*node)->arena);
	free(*node);
	*node = NULL;
}

static void forget(struct approve *approve, struct glass_node *node)
{
	struct glass_node **link = &approve->glasses;

	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	approve->glasses_count--;
	node_destroy(&node);
}

void break_glass_forget_all(struct approve *approve)
{
	while (approve->glasses != NULL)
		forget(approve, approve->glasses);
}

static void tell(
	struct approve *approve, enum break_glass_event event, const struct break_glass *glass)
{
	if (approve->listener.on_break_glass != NULL && !fold_is_loading(approve->fold))
		approve->listener.on_break_glass(approve->listener.context, event, glass);
}

static bool take_text(
	struct glass_node *node, const struct json *record, const char *name, struct text *out)
{
	*out = text_copy(node->arena, json_text_or(record, name, ""));
	return out->data != NULL;
}

static bool node_read(struct glass_node *node, const struct json *record, struct error *err)
{
	struct break_glass *glass = &node->glass;

	if (!take_text(node, record, "break-glass", &glass->id) ||
		!take_text(node, record, "identity", &glass->identity) ||
		!take_text(node, record, "unit", &glass->unit) ||
		!take_text(node, record, "tool", &glass->tool) ||
		!take_text(node, record, "task", &glass->task) ||
		!take_text(node, record, "reason", &glass->reason) ||
		!take_text(node, record, "ticket", &glass->ticket) ||
		!take_text(node, record, "opener", &glass->opener))
		return error_set(err, ERROR_LIMIT, "a break-glass does not fit in memory");
	if (glass->id.length == 0 || glass->identity.length == 0 || glass->opener.length == 0)
		return error_set(err, ERROR_CORRUPT, "a break-glass record is malformed");
	glass->minutes = json_integer_or(record, "minutes", 0);
	glass->epoch = (uint64_t)json_integer_or(record, "identity-epoch", 0);
	glass->asked_at_utc_ms = json_integer_or(record, "at", 0);
	return true;
}

/* The one the record is about, made if it is not there yet. */
static struct glass_node *node_of(
	struct approve *approve, const struct json *record, struct error *err)
{
	struct glass_node *node = glass_node_find(approve, json_text_or(record, "break-glass", ""));
	struct glass_node **link = &approve->glasses;

	if (node != NULL)
		return node;
	node = calloc(1, sizeof *node);
	if (node != NULL)
		node->arena = arena_create(GLASS_ARENA_BYTES_MAX);
	if (node == NULL || node->arena == NULL) {
		node_destroy(&node);
		error_set(err, ERROR_LIMIT, "no memory for a break-glass");
		return NULL;
	}
	if (!node_read(node, record, err)) {
		node_destroy(&node);
		return NULL;
	}
	while (*link != NULL)
		link = &(*link)->next;
	*link = node;
	approve->glasses_count++;
	return node;
}

static bool fold_asked(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct approve *approve = state;
	struct glass_node *node = node_of(approve, record, err);

	if (node == NULL)
		return false;
	if (node->glass.state != BREAK_GLASS_NONE)
		return true;
	node->glass.state = BREAK_GLASS_ASKED;
	node->glass.expires_utc_ms = json_integer_or(record, "expires", 0);
	node->glass.index = index;
	tell(approve, BREAK_GLASS_EVENT_ASKED, &node->glass);
	return true;
}

static bool fold_opened(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct approve *approve = state;
	struct glass_node *node = node_of(approve, record, err);

	if (node == NULL)
		return false;
	if (node->glass.state != BREAK_GLASS_NONE && node->glass.state != BREAK_GLASS_ASKED)
		return true;
	if (!take_text(node, record, "second", &node->glass.second))
		return error_set(err, ERROR_LIMIT, "a break-glass does not fit in memory");
	node->glass.state = BREAK_GLASS_OPEN;
	node->glass.is_alone = node->glass.second.length == 0;
	node->glass.expires_utc_ms = json_integer_or(record, "expires", 0);
	node->glass.review_due_utc_ms = json_integer_or(record, "review-due", 0);
	node->glass.index = index;
	tell(approve, BREAK_GLASS_EVENT_OPENED, &node->glass);
	return true;
}

static bool fold_closed(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct approve *approve = state;
	struct glass_node *node = glass_node_find(approve, json_text_or(record, "break-glass", ""));

	(void)index;
	(void)err;
	if (node == NULL)
		return true;
	node->glass.state = BREAK_GLASS_CLOSED;
	node->glass.review_due_utc_ms = json_integer_or(record, "review-due", 0);
	tell(approve, BREAK_GLASS_EVENT_CLOSED, &node->glass);
	if (node->glass.review_due_utc_ms == 0)
		forget(approve, node);
	return true;
}

static bool fold_reviewed(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct approve *approve = state;
	struct glass_node *node = glass_node_find(approve, json_text_or(record, "break-glass", ""));

	(void)index;
	(void)err;
	if (node == NULL)
		return true;
	node->glass.state = BREAK_GLASS_REVIEWED;
	tell(approve, BREAK_GLASS_EVENT_REVIEWED, &node->glass);
	forget(approve, node);
	return true;
}

/* ---- rows --------------------------------------------------------------------------------- */

static struct text row_key(struct projection *projection, const struct json *record)
{
	return text_format(projection_arena(projection), "%.*s/%.*s",
		TEXT_ARGS(json_text_or(record, "break-glass", "")),
		TEXT_ARGS(json_text_or(record, "type", "")));
}

static void project_kept(const struct json *record, struct projection *projection)
{
	projection_put(projection, "break-glass", row_key(projection, record), record);
}

static void project_gone(const struct json *record, struct projection *projection)
{
	struct arena *arena = projection_arena(projection);

	projection_delete_prefix(projection, "break-glass",
		text_format(arena, "%.*s/", TEXT_ARGS(json_text_or(record, "break-glass", ""))));
}

static void project_closed(const struct json *record, struct projection *projection)
{
	if (json_find(record, "review-due") != NULL)
		project_kept(record, projection);
	else
		project_gone(record, projection);
}

bool break_glass_register(struct approve *approve, struct error *err)
{
	static const struct {
		const char *type;
		fold_apply *apply;
		fold_project *project;
	} rows[] = {
		{"break-glass-asked", fold_asked, project_kept},
		{"break-glass-opened", fold_opened, project_kept},
		{"break-glass-closed", fold_closed, project_closed},
		{"break-glass-reviewed", fold_reviewed, project_gone},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct fold_handler handler = {
			.type = rows[i].type, .apply = rows[i].apply, .state = approve};
		const struct fold_projector projector = {rows[i].type, rows[i].project};

		if (!fold_add(approve->fold, &handler, err) ||
			!fold_add_projector(approve->fold, &projector, err))
			return false;
	}
	return true;
}
