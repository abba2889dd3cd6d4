/* What people are shown: controls, by family and by the ids of a framework; what violates one;
 * the figures of days. */
#include "services/posture/posture_private.h"

#include "base/time.h"

/* ---- units ---- */

static bool see_unit(void *context, const struct graph_edge *edge)
{
	*(graph_id *)context = edge->to;
	return false;
}

static struct text unit_of_node(
	const struct graph *graph, enum graph_node_kind kind, struct text name)
{
	struct graph_node node;
	graph_id unit = 0;

	if (!graph_find(graph, kind, name, &node))
		return TEXT("");
	graph_each_out(graph, node.id, GRAPH_EDGE_BELONGS, see_unit, &unit);
	return unit != 0 && graph_node(graph, unit, &node) ? node.name : TEXT("");
}

struct text posture_unit_of(const struct posture *posture, struct text subject)
{
	enum object_kind kind = object_kind_of(subject_kind(subject));
	const struct registry_entry *entry =
		kind == OBJECT_NONE
			? NULL
			: registry_find(posture->parts.registry, kind, subject_name(subject));

	if (entry != NULL && entry->in_force != NULL)
		return registry_unit_of(posture->parts.registry, entry->in_force);
	if (posture->parts.graph == NULL)
		return TEXT("");
	return unit_of_node(posture->parts.graph, graph_node_kind_of(subject_kind(subject)),
		subject_name(subject));
}

/* ---- one control ---- */

static bool put_status(struct json_builder *object, const struct control *control,
	const struct control_status *status)
{
	json_put_text(object, "id", control->id);
	json_put_text(object, "title", control->title);
	json_put_text(object, "family", control->family);
	json_put_cstring(object, "state", control_state_word(status->state));
	json_put_cstring(object, "severity", risk_tier_word(control->severity));
	json_put_integer(object, "violations", (int64_t)status->violations);
	json_put_integer(object, "waived", (int64_t)status->waived);
	if (status->waiting > 0)
		json_put_integer(object, "waiting", (int64_t)status->waiting);
	if (control->checks != 0)
		json_put_integer(object, "subjects", (int64_t)status->subjects);
	if (status->evaluated_utc_ms != 0)
		json_put_integer(object, "evaluated", status->evaluated_utc_ms);
	if (status->finding.length > 0) {
		json_put_text(object, "finding", status->finding);
		json_put_integer(object, "failing_since", status->failing_utc_ms);
	}
	json_put_text_unless_empty(object, "why", status->why);
	json_put_text_unless_empty(object, "metric", control->metric);
	json_put_integer(object, "cadence_s", control->cadence_s);
	return true;
}

static bool add_control(struct json_builder *list, const struct control *control,
	const struct control_status *status, struct error *err)
{
	struct json_builder object;
	struct json item;

	json_object_start(&object, list->arena);
	put_status(&object, control, status);
	if (!json_object_seal(&object, &item, err))
		return false;
	json_add(list, item);
	return true;
}

/* ---- frameworks ---- */

static bool is_mapped(const struct control *control, const struct framework *framework)
{
	for (uint32_t i = 0; framework != NULL && i < control->maps_count; i++)
		if (control->maps[i].framework == framework)
			return true;
	return framework == NULL;
}

/* The controls that answer an id, by their states. */
struct answering {
	uint32_t of[CONTROL_PASSING + 1];
	struct json_builder names;
};

/* The worst of those with a check; without one, unproven.  What passes but for what is unproven
 * is never said to pass. */
static const char *id_state_word(const struct answering *answering)
{
	if (answering->of[CONTROL_FAILING] > 0)
		return control_state_word(CONTROL_FAILING);
	if (answering->of[CONTROL_STALE] > 0)
		return control_state_word(CONTROL_STALE);
	if (answering->of[CONTROL_PASSING] == 0)
		return control_state_word(CONTROL_UNPROVEN);
	return answering->of[CONTROL_UNPROVEN] > 0 ? POSTURE_ID_PARTLY
						   : control_state_word(CONTROL_PASSING);
}

/* The one about all risks is no answer to any of them. */
static void count_answering(const struct posture *posture, const struct control_status *all,
	const struct framework_id *id, struct answering *answering)
{
	for (uint32_t i = 0; i < catalogue_count(posture->catalogue); i++) {
		const struct control *control = catalogue_control(posture->catalogue, i);

		if (!control_maps_to(control, id) ||
			(control->checks & check_bit(CHECK_COVERAGE)) != 0)
			continue;
		answering->of[all[i].state]++;
		json_add(&answering->names, json_string(control->id));
	}
}

static void put_counts(struct json_builder *object, const struct answering *answering)
{
	for (int state = CONTROL_UNPROVEN; state <= CONTROL_PASSING; state++)
		json_put_integer(object, control_state_word(state), answering->of[state]);
}

static void put_framework_names(struct json_builder *object, const struct framework *framework)
{
	json_put_text(object, "framework", framework->name);
	json_put_text(object, "version", framework->version);
	json_put_cstring(object, "status", framework_state_word(framework->state));
	json_put_text_unless_empty(object, "superseded_by", framework->by);
	json_put_text_unless_empty(object, "superseded_on", framework->since);
}

static bool add_id(const struct posture *posture, const struct control_status *all,
	const struct framework_id *id, struct json_builder *list, struct error *err)
{
	struct answering answering = {0};
	struct json_builder object;
	struct json item, sealed;

	json_array_start(&answering.names, list->arena);
	count_answering(posture, all, id, &answering);
	json_object_start(&object, list->arena);
	json_put_text(&object, "id", framework_id_text(id));
	json_put_text_unless_empty(&object, "title", framework_id_title(id));
	put_framework_names(&object, id->framework);
	json_put_cstring(&object, "state", id_state_word(&answering));
	put_counts(&object, &answering);
	if (!json_array_seal(&answering.names, &sealed, err))
		return false;
	json_put(&object, "controls", sealed);
	if (!json_object_seal(&object, &item, err))
		return false;
	json_add(list, item);
	return true;
}

static bool put_framework(const struct posture *posture, const struct control_status *all,
	const struct framework *framework, struct json_builder *view, struct error *err)
{
	struct json_builder object, ids;
	struct json sealed;

	json_object_start(&object, view->arena);
	put_framework_names(&object, framework);
	json_array_start(&ids, view->arena);
	for (uint32_t i = 0; i < framework->ids_count; i++)
		if (!add_id(posture, all, &(struct framework_id){framework, i}, &ids, err))
			return false;
	if (!json_array_seal(&ids, &sealed, err))
		return false;
	json_put(&object, "ids", sealed);
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_put(view, "framework", sealed);
	return true;
}

/* ---- scores ---- */

struct family {
	struct text name;
	uint32_t controls;
	uint32_t proven;
	uint32_t passing;
};

static struct family *family_of(struct family *families, uint32_t *count, struct text name)
{
	for (uint32_t i = 0; i < *count; i++)
		if (text_equal(families[i].name, name))
			return &families[i];
	families[*count] = (struct family){.name = name};
	return &families[(*count)++];
}

static bool put_score(const struct posture *posture, const struct control_status *all,
	struct json_builder *view, struct error *err)
{
	struct family families[CATALOGUE_CONTROLS_MAX];
	uint32_t count = 0;
	struct json_builder list;
	struct json sealed;

	for (uint32_t i = 0; i < catalogue_count(posture->catalogue); i++) {
		struct family *family = family_of(
			families, &count, catalogue_control(posture->catalogue, i)->family);

		family->controls++;
		family->proven += all[i].state != CONTROL_UNPROVEN;
		family->passing += all[i].state == CONTROL_PASSING;
	}
	json_array_start(&list, view->arena);
	for (uint32_t i = 0; i < count; i++) {
		struct json_builder one;

		json_object_start(&one, view->arena);
		json_put_text(&one, "family", families[i].name);
		json_put_integer(&one, "controls", families[i].controls);
		json_put_integer(&one, "proven", families[i].proven);
		json_put_integer(&one, "passing", families[i].passing);
		if (!json_object_seal(&one, &sealed, err))
			return false;
		json_add(&list, sealed);
	}
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(view, "score", sealed);
	return true;
}

bool posture_view_json(const struct posture *posture, const struct framework *framework,
	struct arena *arena, struct json *out, struct error *err)
{
	struct control_status all[CATALOGUE_CONTROLS_MAX];
	struct json_builder view, list;
	struct json sealed;

	posture_survey(posture, all);
	json_object_start(&view, arena);
	json_array_start(&list, arena);
	for (uint32_t i = 0; i < catalogue_count(posture->catalogue); i++) {
		const struct control *control = catalogue_control(posture->catalogue, i);

		if (is_mapped(control, framework) && !add_control(&list, control, &all[i], err))
			return false;
	}
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(&view, "items", sealed);
	if (!put_score(posture, all, &view, err) ||
		(framework != NULL && !put_framework(posture, all, framework, &view, err)))
		return false;
	return json_object_seal(&view, out, err);
}

/* ---- one control whole ---- */

static bool put_record_checks(
	const struct control *control, struct json_builder *view, struct error *err)
{
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, view->arena);
	for (int check = RECORD_CHECK_NONE + 1; check < RECORD_CHECK_COUNT; check++) {
		struct json_builder one;

		if ((control->records & (UINT32_C(1) << check)) == 0)
			continue;
		json_object_start(&one, view->arena);
		json_put_cstring(&one, "check", record_check_word(check));
		json_put_cstring(&one, "meaning", record_check_meaning(check));
		if (!json_object_seal(&one, &sealed, err))
			return false;
		json_add(&list, sealed);
	}
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(view, "record_checks", sealed);
	return true;
}

/* How long tokens live, by risk, of those on record that were read. */
static bool put_lives(const struct posture *posture, const struct control *control,
	struct json_builder *view, struct error *err)
{
	struct json_builder list;
	struct json sealed;

	if ((control->records & (UINT32_C(1) << RECORD_CHECK_TOKEN)) == 0 || posture->watch == NULL)
		return true;
	json_array_start(&list, view->arena);
	for (int risk = RISK_NONE; risk <= RISK_CRITICAL; risk++) {
		struct json_builder one;
		uint32_t median_minutes;
		uint64_t count = record_watch_tokens(posture->watch, risk, &median_minutes);

		if (count == 0)
			continue;
		json_object_start(&one, view->arena);
		json_put_cstring(&one, "risk", risk == RISK_NONE ? "none" : risk_tier_word(risk));
		json_put_integer(&one, "tokens", (int64_t)count);
		json_put_integer(&one, "median_minutes", median_minutes);
		json_put_integer(&one, "most_minutes", risk_token_s_max(risk) / 60);
		if (!json_object_seal(&one, &sealed, err))
			return false;
		json_add(&list, sealed);
	}
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(view, "token_lives", sealed);
	return true;
}

/* What is measured for it, and how that stands. */
static bool put_measures(const struct posture *posture, const struct control *control,
	struct json_builder *view, struct error *err)
{
	struct json_builder list;
	struct json sealed;

	if (control->measures == 0 || posture->parts.measures == NULL)
		return true;
	json_array_start(&list, view->arena);
	for (int i = MEASURE_NONE + 1; i < MEASURE_COUNT; i++) {
		struct measure_stand stand = measure_stand(posture->parts.measures, i);
		struct json_builder one;

		if ((control->measures & measure_bit(i)) == 0)
			continue;
		json_object_start(&one, view->arena);
		json_put_cstring(&one, "measure", measure_word(i));
		json_put_cstring(&one, "meaning", measure_meaning(i));
		json_put_cstring(&one, "unit", measure_unit(i));
		json_put_integer(&one, "most", measure_most(i));
		json_put_integer(&one, "kept", stand.kept);
		if (stand.kept > 0) {
			json_put_integer(&one, "value", stand.value);
			json_put_integer(&one, "samples", (int64_t)stand.samples);
			json_put_integer(&one, "taken", stand.taken_utc_ms);
		}
		if (!json_object_seal(&one, &sealed, err))
			return false;
		json_add(&list, sealed);
	}
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(view, "measures", sealed);
	return true;
}

static bool put_checks(const struct posture *posture, const struct control *control,
	struct json_builder *view, struct error *err)
{
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, view->arena);
	for (check_set checks = control->checks; checks != 0; checks &= checks - 1) {
		int check = __builtin_ctzll(checks);
		struct json_builder one;

		json_object_start(&one, view->arena);
		json_put_cstring(&one, "check", check_word(check));
		json_put_cstring(&one, "severity", risk_tier_word(check_severity(check)));
		json_put_cstring(&one, "meaning", check_meaning(check));
		json_put_integer(&one, "violations", (int64_t)posture->counts[check]);
		if (!json_object_seal(&one, &sealed, err))
			return false;
		json_add(&list, sealed);
	}
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(view, "checks", sealed);
	return put_record_checks(control, view, err) && put_lives(posture, control, view, err) &&
	       put_measures(posture, control, view, err);
}

static bool add_map(struct json_builder *list, const struct framework_id *id, struct text cited,
	struct error *err)
{
	struct json_builder one;
	struct json sealed;

	json_object_start(&one, list->arena);
	json_put_text(&one, "framework", id->framework->name);
	json_put_text(&one, "version", id->framework->version);
	json_put_text(&one, "id", framework_id_text(id));
	json_put_text_unless_empty(&one, "title", framework_id_title(id));
	json_put_text_unless_empty(&one, "cited_as", cited);
	if (!json_object_seal(&one, &sealed, err))
		return false;
	json_add(list, sealed);
	return true;
}

/* An alias goes out as what it stands for, never as if it could be looked up. */
static bool put_maps(const struct control *control, struct json_builder *view, struct error *err)
{
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, view->arena);
	for (uint32_t i = 0; i < control->maps_count; i++)
		if (!add_map(&list, &control->maps[i], TEXT(""), err))
			return false;
	for (uint32_t i = 0; i < control->cites_count; i++)
		for (uint32_t j = 0; j < control->cites[i]->resolves_count; j++)
			if (!control_maps_to(control, &control->cites[i]->resolves[j]) &&
				!add_map(&list, &control->cites[i]->resolves[j],
					control->cites[i]->cited, err))
				return false;
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(view, "maps", sealed);
	return true;
}

struct unanswered {
	struct json_builder list;
	struct error *err;
};

static bool add_unanswered(void *context, const struct framework_id *id)
{
	struct unanswered *unanswered = context;

	return add_map(&unanswered->list, id, TEXT(""), unanswered->err);
}

/* The violations of the one control that is about all risks: they have no rows. */
static bool put_unanswered(const struct posture *posture, const struct control *control,
	const struct control_status *all, struct json_builder *view, struct error *err)
{
	struct unanswered unanswered = {.err = err};
	struct json sealed;

	if ((control->checks & check_bit(CHECK_COVERAGE)) == 0)
		return true;
	json_array_start(&unanswered.list, view->arena);
	if (!posture_each_uncovered(posture, all, add_unanswered, &unanswered) ||
		!json_array_seal(&unanswered.list, &sealed, err))
		return false;
	json_put(view, "unanswered", sealed);
	return true;
}

bool posture_control_json(const struct posture *posture, const struct posture_page *page,
	struct arena *arena, struct json *out, struct error *err)
{
	const struct control *control = catalogue_control(posture->catalogue, page->control);
	struct control_status all[CATALOGUE_CONTROLS_MAX];
	struct json_builder view;

	posture_survey(posture, all);
	json_object_start(&view, arena);
	put_status(&view, control, &all[page->control]);
	return put_checks(posture, control, &view, err) && put_maps(control, &view, err) &&
	       put_unanswered(posture, control, all, &view, err) &&
	       posture_put_rows(posture, page, &view, err) && json_object_seal(&view, out, err);
}

/* ---- what is cited ---- */

bool posture_reference_json(const struct posture *posture,
	const struct catalogue_resolved *resolved, struct arena *arena, struct json *out,
	struct error *err)
{
	struct control_status all[CATALOGUE_CONTROLS_MAX];
	struct json_builder view, list;
	struct json sealed;

	posture_survey(posture, all);
	json_object_start(&view, arena);
	if (resolved->alias != NULL)
		json_put_text(&view, "cited", resolved->alias->cited);
	json_array_start(&list, arena);
	for (uint32_t i = 0; i < resolved->count; i++)
		if (!add_id(posture, all, &resolved->ids[i], &list, err))
			return false;
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(&view, "ids", sealed);
	return json_object_seal(&view, out, err);
}

/* ---- days ---- */

bool posture_trend_json(const struct posture *posture, uint32_t days, struct arena *arena,
	struct json *out, struct error *err)
{
	size_t count = posture->days_count < days ? posture->days_count : days;
	struct json_builder list;
	struct json item;

	json_array_start(&list, arena);
	for (size_t i = 0; i < count; i++) {
		const struct posture_day *day =
			&posture->days[(posture->days_next + POSTURE_DAYS - count + i) %
				       POSTURE_DAYS];
		struct json_builder one;

		json_object_start(&one, arena);
		json_put_text(&one, "day", text_copy(arena, text_of(day->day)));
		for (int state = CONTROL_UNPROVEN; state <= CONTROL_PASSING; state++)
			json_put_integer(&one, control_state_word(state), day->of[state]);
		json_put_integer(&one, "violations", (int64_t)day->violations);
		if (!json_object_seal(&one, &item, err))
			return false;
		json_add(&list, item);
	}
	return json_array_seal(&list, out, err);
}
