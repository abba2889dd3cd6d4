/* Units and people.  Units have long tails, as everything here: a few are large. */
#include "domain/estate/model.h"

static const char *const unit_words[] = {"payments", "claims", "support", "logistics", "treasury",
	"marketing", "research", "sales", "procurement", "legal", "platform", "security", "data",
	"people", "risk", "compliance", "pricing", "fulfilment", "partners", "facilities",
	"identity", "mobile", "web", "returns", "lending", "cards", "insurance", "field",
	"training", "quality"};
static const char *const first_names[] = {"ana", "bo", "chen", "dina", "emeka", "farah", "goran",
	"hana", "ines", "jonas", "kofi", "lena", "mateo", "nadia", "olu", "petra", "quentin",
	"rosa", "samir", "tove", "uma", "viktor", "wei", "ximena", "yusuf", "zoe", "aino", "bram",
	"carla", "dmitri", "elif", "finn", "greta", "hugo", "ilse", "jana", "karim", "lucia",
	"milan", "noor"};
static const char *const last_names[] = {"abebe", "becker", "costa", "diaz", "eriksen", "fischer",
	"garcia", "haddad", "ivanova", "jensen", "kaya", "lindgren", "mensah", "novak", "okafor",
	"park", "quist", "rossi", "silva", "tanaka", "ueda", "vargas", "weber", "xu", "yilmaz",
	"zhang", "adler", "brandt", "cohen", "dubois", "ek", "farkas", "gomez", "hoang", "ito",
	"jansen", "kim", "lopez", "moreau", "nilsen"};

#define COUNT_OF(items) (sizeof(items) / sizeof *(items))

static void add_unit(struct model *model, uint32_t index)
{
	struct model_unit *unit = ADD(model, units);
	uint32_t words = COUNT_OF(unit_words);

	if (unit == NULL)
		return;
	unit->name = index < words ? text_of(unit_words[index])
				   : say(model, "%s-%u", unit_words[index % words],
					     (unsigned)(index / words + 1));
	unit->has_mandatory = true;
	unit->has_default = dice_share(&model->random, 300);
}

/* The index makes it unique: the same two names stand for several people. */
static struct text person_name(struct model *model, uint32_t index)
{
	const char *first = first_names[dice_below(&model->random, COUNT_OF(first_names))];
	const char *last = last_names[dice_below(&model->random, COUNT_OF(last_names))];

	if (index < COUNT_OF(last_names))
		return say(model, "%s.%s@example.com", first, last_names[index]);
	return say(model, "%s.%s%u@example.com", first, last, (unsigned)(index % 7919));
}

/* Half of the people are in the first eighth of the units, and one each in the last two. */
static uint32_t some_unit(struct model *model)
{
	uint32_t eighth = model->units_count / 8 + 1;

	return dice_below(
		&model->random, dice_share(&model->random, 500) ? eighth : model->units_count - 2);
}

static void add_person(struct model *model, uint32_t index)
{
	struct model_person *person = ADD(model, people);

	if (person == NULL)
		return;
	person->name = person_name(model, index);
	person->unit = index < model->units_count ? index : some_unit(model);
	person->was_in = NOTHING;
	person->clearance =
		dice_share(&model->random, 200) ? SENSITIVITY_CONFIDENTIAL : SENSITIVITY_INTERNAL;
	person->roles = "owner, backup-owner";
	if (index < model->units_count)
		person->roles = "owner, backup-owner, approver";
	else if (dice_share(&model->random, 60))
		person->roles = "owner, reviewer";
	else if (dice_share(&model->random, 400))
		person->roles = "";
}

void model_organisation(struct model *model)
{
	uint32_t units = model->order->people / 40 + 4;

	if (units > 400)
		units = 400;
	for (uint32_t i = 0; i < units && !model->has_failed; i++)
		add_unit(model, i);
	for (uint32_t i = 0; i < model->order->people && !model->has_failed; i++)
		add_person(model, i);
}
