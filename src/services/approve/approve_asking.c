/* Questions on their way to the log.  What is asked is decided from what is folded; between the two
 * each call would find the same room, so a question has its place from when its record is made. */
#include "services/approve/approve_private.h"

bool approve_asking_begin(
	struct approve *approve, const struct json *record, bool takes_place, struct error *err)
{
	struct approval_node *node = approval_node_create(record, 0, err);

	if (node == NULL)
		return false;
	node->takes_place = takes_place;
	node->replaces = text_copy(node->arena, json_text_or(record, "replaces", ""));
	if (node->replaces.data == NULL) {
		approval_node_destroy(&node);
		return error_set(err, ERROR_LIMIT, "no memory for a question");
	}
	node->older = approve->asking;
	approve->asking = node;
	return true;
}

static void forget(struct approval_node **link)
{
	struct approval_node *node = *link;

	*link = node->older;
	approval_node_destroy(&node);
}

void approve_asking_end(struct approve *approve, struct text id)
{
	struct approval_node **link = &approve->asking;

	while (*link != NULL && !text_equal((*link)->approval.id, id))
		link = &(*link)->older;
	if (*link != NULL)
		forget(link);
}

void approve_asking_forget_old(struct approve *approve, int64_t now_utc_ms)
{
	struct approval_node **link = &approve->asking;

	while (*link != NULL)
		if (now_utc_ms - (*link)->approval.asked_at_utc_ms >= APPROVAL_ASKING_MS_MAX)
			forget(link);
		else
			link = &(*link)->older;
}

void approve_asking_forget_all(struct approve *approve)
{
	while (approve->asking != NULL)
		forget(&approve->asking);
}

bool approve_asking_replaces(const struct approve *approve, struct text id)
{
	const struct approval_node *node = approve->asking;

	while (node != NULL && !text_equal(node->replaces, id))
		node = node->older;
	return node != NULL;
}
