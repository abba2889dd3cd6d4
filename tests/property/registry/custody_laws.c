/* The law of who has a unit's word, under random histories of who writes data, names custodians
 * and agrees to them: it is exactly as the model below says, and
 *   - whoever comes to have the word of a unit has it by an act of one who had it, or of two
 *     administrators where nobody did;
 *   - a registry made from the log alone says the same.
 * The model knows names of people, data and units, and no versions.  The seed is printed;
 * REMIT_SEED repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/registry/registrar_private.h"
#include "support/governed.h"
#include "support/seeded.h"

enum { WORLDS = 40, STEPS = 150, SOURCES = 6 };
enum someone { ADI, EVA, CY, DAN, SOCK, PEOPLE, NOBODY = PEOPLE };
enum home { SALES, STAFF, LEGAL, ORG, UNITS };

static const char *const people[] = {"adi", "eva", "cy", "dan", "sock"};
static const char *const units[] = {"sales", "staff", "legal", "org"};

static const char estate[] =
	"object: unit\nname: staff\n---\nobject: unit\nname: legal\n---\n"
	"object: person\nname: cy\nunit: sales\nroles: [owner]\n---\n"
	"object: person\nname: dan\nunit: support\n---\nobject: person\nname: sock\nunit: support\n"
	"---\nobject: data-source\nname: d0\nunit: staff\ncustodian: dan\nenvironment: dev\n";

struct data {
	bool is_there;
	enum home unit;
	enum someone custodian;
	enum someone named_by; /* NOBODY: the custodian has a say */
};

struct law {
	struct governed governed;
	struct data sources[SOURCES];
};

static struct {
	unsigned long named, agreed, refused, moved, gained, halves;
} seen;

/* ---- the model ---- */

static bool is_administrator(enum someone person)
{
	return person == ADI || person == EVA;
}

static bool has_word(const struct law *law, enum someone person, enum home unit)
{
	if (person == CY && unit == SALES)
		return true;
	for (unsigned i = 0; i < SOURCES; i++)
		if (law->sources[i].is_there && law->sources[i].unit == unit &&
			law->sources[i].custodian == person && law->sources[i].named_by == NOBODY &&
			person != NOBODY)
			return true;
	return false;
}

static bool is_vacant(const struct law *law, enum home unit)
{
	for (unsigned person = 0; person < PEOPLE; person++)
		if (has_word(law, (enum someone)person, unit))
			return false;
	return true;
}

/* Data that have a custodian with a say, or none at all, are their unit's to let go. */
static bool may_write(const struct law *law, enum someone actor, unsigned at, enum home unit)
{
	const struct data *source = &law->sources[at];
	enum home of = source->is_there ? source->unit : unit;

	if (actor == CY && of == SALES)
		return true;
	if (!source->is_there)
		return is_administrator(actor);
	if (source->named_by != NOBODY && source->named_by != actor)
		return false;
	return source->custodian == actor || (is_administrator(actor) && source->named_by == actor);
}

static bool may_agree(const struct law *law, enum someone actor, const struct data *source)
{
	if (!source->is_there || source->named_by == NOBODY || source->named_by == actor)
		return false;
	return is_vacant(law, source->unit) ? is_administrator(actor)
					    : has_word(law, actor, source->unit);
}

static bool is_asked(
	const struct law *law, enum someone actor, const struct data *before, struct data next)
{
	if (before->is_there && before->unit == next.unit && before->custodian == next.custodian)
		return before->named_by != NOBODY;
	return next.custodian != NOBODY && !has_word(law, next.custodian, next.unit) &&
	       !has_word(law, actor, next.unit);
}

/* ---- steps ---- */

static bool is_same(const struct data *before, enum home unit, enum someone custodian)
{
	return before->is_there && before->unit == unit && before->custodian == custodian;
}

static void write_source(struct law *law)
{
	enum someone actor = (enum someone)pick(PEOPLE);
	unsigned at = pick(SOURCES);
	struct data *before = &law->sources[at];
	struct data next = {.is_there = true,
		.unit = (enum home)pick(UNITS),
		.custodian = (enum someone)pick(PEOPLE + 1u)};
	bool may =
		may_write(law, actor, at, next.unit) || is_same(before, next.unit, next.custodian);
	char yaml[512];

	(void)snprintf(yaml, sizeof yaml,
		"object: data-source\nname: d%u\nunit: %s\n%s%s\nenvironment: dev\n", at,
		units[next.unit], next.custodian == NOBODY ? "" : "custodian: ",
		next.custodian == NOBODY ? "" : people[next.custodian]);
	assert_int_equal(governed_apply(&law->governed, people[actor], yaml), may);
	seen.refused += !may;
	if (!may || is_same(before, next.unit, next.custodian))
		return;
	next.named_by = is_asked(law, actor, before, next) ? actor : NOBODY;
	seen.named += next.named_by != NOBODY;
	seen.moved += before->is_there && before->unit != next.unit;
	*before = next;
}

/* Of a unit that nobody answers for, whom no administrator named waits for another one still. */
static void settle(const struct law *law, enum someone actor, struct data *source)
{
	bool is_enough = is_administrator(source->named_by) || has_word(law, actor, source->unit);

	seen.halves += !is_enough;
	source->named_by = is_enough ? NOBODY : actor;
}

static void agree(struct law *law)
{
	enum someone actor = (enum someone)pick(PEOPLE);
	unsigned at = pick(SOURCES);
	bool may = may_agree(law, actor, &law->sources[at]);
	char name[8];

	(void)snprintf(name, sizeof name, "d%u", at);
	assert_int_equal(governed_step_of(&law->governed, people[actor], REGISTRAR_CONSENT,
				 OBJECT_DATA_SOURCE, name),
		may);
	seen.agreed += may;
	if (may)
		settle(law, actor, &law->sources[at]);
}

/* ---- what holds ---- */

static bool answers(struct governed *governed, enum someone person, enum home unit)
{
	char actor[32];
	struct error err;
	struct custody custody = registrar_custody(governed->registrar, &err);

	(void)snprintf(actor, sizeof actor, "person:%s", people[person]);
	custody.actor = text_of(actor);
	return custody_answers(&custody, text_of(units[unit]));
}

static void check(struct law *law, struct governed *governed)
{
	for (unsigned unit = 0; unit < UNITS; unit++)
		for (unsigned person = 0; person < PEOPLE; person++)
			assert_int_equal(answers(governed, (enum someone)person, (enum home)unit),
				has_word(law, (enum someone)person, (enum home)unit));
}

static void restart(struct law *law)
{
	struct governed *second = calloc(1, sizeof *second);
	struct error err;

	governed_restart(&law->governed, second);
	assert_true(fold_finish_loading(second->fold, &err));
	check(law, second);
	governed_deinit(second);
	free(second);
}

/* Nobody but who had the word, or a second administrator, gives it. */
static void step(struct law *law)
{
	bool had[PEOPLE][UNITS], was_vacant[UNITS];
	bool is_agreement = pick(3) == 0;

	for (unsigned unit = 0; unit < UNITS; unit++) {
		was_vacant[unit] = is_vacant(law, (enum home)unit);
		for (unsigned person = 0; person < PEOPLE; person++)
			had[person][unit] = has_word(law, (enum someone)person, (enum home)unit);
	}
	(is_agreement ? agree : write_source)(law);
	check(law, &law->governed);
	for (unsigned unit = 0; unit < UNITS; unit++)
		for (unsigned person = 0; person < PEOPLE; person++) {
			bool gained = !had[person][unit] &&
				      has_word(law, (enum someone)person, (enum home)unit);

			seen.gained += gained;
			assert_true(!gained || is_agreement || !was_vacant[unit]);
		}
}

static void play(struct law *law)
{
	memset(law, 0, sizeof *law);
	governed_init_with_administrator(&law->governed);
	assert_true(governed_apply(&law->governed, "adi", governed_world_yaml));
	assert_true(governed_apply(&law->governed, "adi", estate));
	assert_true(governed_enrol(&law->governed, "adi", "eva"));
	law->sources[0] = (struct data){true, STAFF, DAN, NOBODY};
	check(law, &law->governed);
	for (unsigned i = 0; i < STEPS; i++) {
		step(law);
		if (pick(50) == 0)
			restart(law);
	}
	restart(law);
	governed_deinit(&law->governed);
}

static void nobody_gives_a_word_that_is_not_theirs(void **state)
{
	struct law *law = calloc(1, sizeof *law);
	uint64_t worlds = worlds_given(WORLDS), seed = seed_of_run();

	(void)state;
	assert_non_null(law);
	for (uint64_t world = 0; world < worlds; world++) {
		seed_with(seed + world);
		play(law);
	}
	printf("%lu named, %lu agreed to, %lu refused, %lu moved, %lu words gained, %lu halves\n",
		seen.named, seen.agreed, seen.refused, seen.moved, seen.gained, seen.halves);
	assert_true(
		worlds < WORLDS || (seen.named > 100 && seen.agreed > 20 && seen.refused > 100 &&
					   seen.moved > 20 && seen.halves > 5));
	free(law);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_gives_a_word_that_is_not_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
