/* When tasks have to be looked at.
 *
 * Each node lies in one of two binary heaps: one that is open on record in WAIT_END, by when
 * it is over at the earliest, all others in WAIT_FORGET, by their deadline.  A use moves
 * nothing: a node that comes up too early is put back by what holds then. */
#include <assert.h>
#include <stdlib.h>

#include "domain/task/task_private.h"

enum { HEAP_ROOM_MIN = 64 };

static struct slot_due *slot_at(const struct task_table *table, enum wait wait, size_t place)
{
	return &table->due.slots[wait == WAIT_END ? place : table->due.room - 1 - place];
}

static void put(const struct task_table *table, enum wait wait, size_t place, struct slot_due slot)
{
	*slot_at(table, wait, place) = slot;
	slot.node->place = (uint32_t)place;
}

/* Of two that are due at once the younger first, so that children go before parents. */
static bool is_before(const struct slot_due *left, const struct slot_due *right)
{
	if (left->due_utc_ms != right->due_utc_ms)
		return left->due_utc_ms < right->due_utc_ms;
	return left->node->task.record_index > right->node->task.record_index;
}

static void sift_up(const struct task_table *table, enum wait wait, size_t place)
{
	struct slot_due moving = *slot_at(table, wait, place);

	while (place > 0) {
		size_t above = (place - 1) / 2;

		if (!is_before(&moving, slot_at(table, wait, above)))
			break;
		put(table, wait, place, *slot_at(table, wait, above));
		place = above;
	}
	put(table, wait, place, moving);
}

static void sift_down(const struct task_table *table, enum wait wait, size_t place)
{
	size_t count = table->due.counts[wait];
	struct slot_due moving = *slot_at(table, wait, place);

	for (;;) {
		size_t below = 2 * place + 1;

		if (below + 1 < count &&
			is_before(slot_at(table, wait, below + 1), slot_at(table, wait, below)))
			below++;
		if (below >= count || !is_before(slot_at(table, wait, below), &moving))
			break;
		put(table, wait, place, *slot_at(table, wait, below));
		place = below;
	}
	put(table, wait, place, moving);
}

bool due_reserve(struct task_table *table, struct error *err)
{
	struct due_heaps *due = &table->due;
	size_t room = due->room == 0 ? HEAP_ROOM_MIN : due->room * 2;
	size_t back = due->counts[WAIT_FORGET];
	struct slot_due *slots = NULL;

	if (due->counts[WAIT_END] + back < due->room)
		return true;
	slots = realloc(due->slots, room * sizeof *slots);
	if (slots == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the table of tasks");
	if (back > 0)
		memmove(slots + room - back, slots + due->room - back, back * sizeof *slots);
	due->slots = slots;
	due->room = room;
	return true;
}

void due_deinit(struct task_table *table)
{
	free(table->due.slots);
	table->due = (struct due_heaps){0};
}

/* ---- when ---- */

static int64_t later(int64_t left, int64_t right)
{
	return left > right ? left : right;
}

static int64_t sooner(int64_t left, int64_t right)
{
	return left < right ? left : right;
}

static int64_t since(const struct task_table *table, const struct node *node)
{
	return later(node->task.opened_at_utc_ms, table->started_utc_ms);
}

/* INT64_MAX: never. */
static int64_t idle_end(const struct task_table *table, const struct node *node)
{
	if (node->idle_s == 0)
		return INT64_MAX;
	return later(since(table, node), (int64_t)node->last_use_s * 1000) +
	       (int64_t)node->idle_s * 1000;
}

static int64_t session_end(const struct task_table *table, const struct node *node)
{
	if (node->session == TASK_SESSION_NONE || node->attached > 0)
		return INT64_MAX;
	return node->is_let_go ? 0 : since(table, node) + TASK_SESSION_ATTACH_MS;
}

static int64_t due_of(const struct task_table *table, const struct node *node)
{
	if (node->wait == WAIT_FORGET)
		return node->task.deadline_utc_ms;
	if (node->is_forfeit)
		return 0;
	return sooner(node->task.deadline_utc_ms,
		sooner(idle_end(table, node), session_end(table, node)));
}

static enum task_over node_over(
	const struct task_table *table, const struct node *node, int64_t now_utc_ms)
{
	if (node->is_forfeit)
		return TASK_OVER_FORFEIT;
	if (now_utc_ms >= session_end(table, node))
		return TASK_OVER_SESSION;
	return now_utc_ms >= idle_end(table, node) ? TASK_OVER_IDLE : TASK_NOT_OVER;
}

enum task_over task_over_now(
	const struct task_table *table, const struct task *task, int64_t now_utc_ms)
{
	enum task_over over = TASK_NOT_OVER;

	for (; task != NULL && over == TASK_NOT_OVER; task = task->parent)
		over = node_over(table, node_of(task), now_utc_ms);
	return over;
}

bool task_may_act(const struct task_table *table, const struct task *task, int64_t now_utc_ms)
{
	return task_is_live(task, now_utc_ms) &&
	       task_over_now(table, task, now_utc_ms) == TASK_NOT_OVER;
}

/* ---- moving ---- */

static void set_due(struct task_table *table, struct node *node, int64_t due_utc_ms)
{
	enum wait wait = node->wait;

	slot_at(table, wait, node->place)->due_utc_ms = due_utc_ms;
	sift_up(table, wait, node->place);
	sift_down(table, wait, node->place);
}

void due_insert(struct task_table *table, struct node *node)
{
	enum wait wait = node->task.recorded_state == TASK_OPEN ? WAIT_END : WAIT_FORGET;
	size_t place = table->due.counts[wait]++;

	assert(table->due.counts[WAIT_END] + table->due.counts[WAIT_FORGET] <= table->due.room);
	node->wait = (uint8_t)wait;
	put(table, wait, place, (struct slot_due){due_of(table, node), node});
	sift_up(table, wait, place);
}

void due_remove(struct task_table *table, struct node *node)
{
	enum wait wait = node->wait;
	size_t last = --table->due.counts[wait];
	struct slot_due moved = *slot_at(table, wait, last);

	if (moved.node == node)
		return;
	put(table, wait, node->place, moved);
	sift_up(table, wait, moved.node->place);
	sift_down(table, wait, moved.node->place);
}

/* Open on record, and yet over for good: nobody has to write that. */
static void give_up(struct task_table *table, struct node *node)
{
	size_t place = 0;

	due_remove(table, node);
	node->wait = WAIT_FORGET;
	place = table->due.counts[WAIT_FORGET]++;
	put(table, WAIT_FORGET, place, (struct slot_due){node->task.deadline_utc_ms, node});
	sift_up(table, WAIT_FORGET, place);
}

void due_update(struct task_table *table, struct node *node)
{
	if (node->wait == WAIT_END && node->task.recorded_state != TASK_OPEN)
		give_up(table, node);
	else
		set_due(table, node, due_of(table, node));
}

void task_put_off(struct task_table *table, const struct task *task, int64_t until_utc_ms)
{
	struct node *node = node_of(task);

	if (node->wait == WAIT_END)
		set_due(table, node, until_utc_ms);
}

/* ---- what is due ---- */

const struct task *task_table_due(struct task_table *table, int64_t now_utc_ms, enum task_over *out)
{
	*out = TASK_NOT_OVER;
	while (table->due.counts[WAIT_END] > 0) {
		const struct slot_due top = *slot_at(table, WAIT_END, 0);
		enum task_state state = TASK_NONE;

		if (top.due_utc_ms > now_utc_ms)
			return NULL;
		state = task_state_now(&top.node->task, now_utc_ms);
		if (due_of(table, top.node) > now_utc_ms) {
			set_due(table, top.node, due_of(table, top.node));
		} else if (state != TASK_OPEN && state != TASK_EXPIRED) {
			give_up(table, top.node);
		} else {
			*out = state == TASK_EXPIRED ? TASK_OVER_DEADLINE
						     : node_over(table, top.node, now_utc_ms);
			return &top.node->task;
		}
	}
	return NULL;
}

/* Those whose end nobody recorded in all that time. */
static void give_up_late(struct task_table *table, int64_t before_utc_ms)
{
	while (table->due.counts[WAIT_END] > 0) {
		const struct slot_due top = *slot_at(table, WAIT_END, 0);

		if (top.due_utc_ms > before_utc_ms)
			return;
		if (top.node->task.deadline_utc_ms > before_utc_ms)
			set_due(table, top.node, top.node->task.deadline_utc_ms);
		else
			give_up(table, top.node);
	}
}

size_t task_table_sweep(
	struct task_table *table, int64_t now_utc_ms, int64_t keep_ms, size_t nodes_max)
{
	int64_t before_utc_ms = now_utc_ms - keep_ms;
	size_t swept = 0;

	if (table->walks > 0)
		return 0;
	give_up_late(table, before_utc_ms);
	while (table->due.counts[WAIT_FORGET] > 0 && swept < nodes_max) {
		const struct slot_due top = *slot_at(table, WAIT_FORGET, 0);

		/* One whose child is due later, which no opening of ours allows, waits for it. */
		if (top.due_utc_ms > before_utc_ms || top.node->first_child != NULL)
			break;
		node_forget(table, top.node);
		swept++;
	}
	return swept;
}

/* ---- use ---- */

void task_table_start(struct task_table *table, int64_t now_utc_ms)
{
	table->started_utc_ms = now_utc_ms;
}

void task_use(const struct task *task, int64_t now_utc_ms)
{
	for (; task != NULL; task = task->parent)
		node_of(task)->last_use_s = (uint32_t)(now_utc_ms / 1000);
}

uint32_t task_attach(struct task_table *table, const struct task *task)
{
	struct node *node = node_of(task);

	assert(node->attached < UINT16_MAX);
	node->attached++;
	due_update(table, node);
	return node->attached;
}

uint32_t task_detach(struct task_table *table, const struct task *task)
{
	struct node *node = node_of(task);

	assert(node->attached > 0);
	node->attached--;
	node->is_let_go = node->attached == 0;
	due_update(table, node);
	return node->attached;
}

void task_forfeit(struct task_table *table, const struct task *task)
{
	struct node *node = node_of(task);

	node->is_forfeit = true;
	due_update(table, node);
}

enum task_session task_session(const struct task *task)
{
	return (enum task_session)node_of(task)->session;
}
