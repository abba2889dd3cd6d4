#include "domain/charter/record_form.h"

#include "domain/charter/form_table.h"
#include "domain/charter/living.h"

static unsigned tier_value(struct text word)
{
	return risk_tier_of(word);
}

static const char *const tier_list[] = {"low", "medium", "high", "critical", NULL};
static const struct form_words tier_words = {"a risk tier", tier_value, tier_list};

static const struct form tier_form = {.read = form_read_word, .words = &tier_words};
static const struct form person_form = {.read = form_read_person};
static const struct form time_form = {.read = form_read_time};
static const struct form notes_form = {
	.read = form_read_paragraphs, .bytes_max = CHARTER_TEXT_BYTES_MAX};
static const struct form line_form = {.read = form_read_line, .bytes_max = RECORD_LINE_BYTES_MAX};
static const struct form accepters_form = TEXTS_OF(person_form, 1, RISK_ACCEPTERS_MAX);

static const struct form_field risk_fields[] = {
	REQUIRED(charter, "residual", &tier_form, risk_record.residual,
		"write the risk that is left: low, medium, high or critical"),
	LIST(charter, "accepted-by", &accepters_form, risk_record.accepted_by),
	REQUIRED(charter, "accepted-until", &time_form, risk_record.accepted_until_utc_s,
		"write the day on which it has to be accepted again"),
	OPTIONAL(charter, "notes", &notes_form, risk_record.notes),
};
static const struct form_shape risk_shape = {SHAPE(risk_fields), 0, NULL};
const struct form risk_record_form = {.read = form_read_part, .shape = &risk_shape};

const struct form affects_form = TEXTS_OF(line_form, 1, AFFECTS_MAX);
const struct form vendor_form = {.read = form_read_line, .bytes_max = RECORD_LINE_BYTES_MAX};

static const struct form_field version_fields[] = {
	REQUIRED(charter_version, "of", &line_form, of, "name the model, product or component"),
	REQUIRED(charter_version, "version", &line_form, version, "write its version"),
};
static const struct form_shape version_shape = {
	SHAPE(version_fields), sizeof(struct charter_version), NULL};
const struct form versions_form = LIST_OF(version_shape, charter_version, VERSIONS_MAX);

/* ---- what no field alone can tell ---- */

static void check_accepters(struct form_reader *reader, const struct json *record,
	const struct form_path *at_record, const struct charter *charter)
{
	const struct charter_risk *risk = &charter->risk_record;
	uint32_t needed = risk_accepters_needed(charter->risk);
	struct form_path here = {.up = at_record, .name = TEXT("accepted-by")};

	for (uint32_t i = 1; i < risk->accepted_by_count; i++)
		for (uint32_t j = 0; j < i; j++)
			if (text_equal(risk->accepted_by[i], risk->accepted_by[j]))
				form_problem(reader, record, &here, "name each person once",
					"names a person twice");
	if (json_find(record, "accepted-by") != NULL && risk->accepted_by == NULL)
		return; /* the list was refused already */
	if (charter->risk != RISK_NONE && risk->accepted_by_count < needed)
		form_problem(reader, record, &here,
			"name who accepts what is left of the risk; of critical risk two people",
			"names %u of %u people", risk->accepted_by_count, needed);
}

void record_check(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct charter *charter)
{
	const struct json *record = json_find(value, "risk-record");
	struct form_path at_record = {.up = path, .name = TEXT("risk-record")};
	struct form_path at_residual = {.up = &at_record, .name = TEXT("residual")};

	if (record == NULL)
		return;
	check_accepters(reader, record, &at_record, charter);
	if (charter->risk != RISK_NONE &&
		risk_tier_level(charter->risk_record.residual) > risk_tier_level(charter->risk))
		form_problem(reader, record, &at_residual, "raise risk, or lower residual",
			"is more than the risk there was");
}
