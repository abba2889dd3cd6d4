/* What to do with the folder, in the folder. */
#include "domain/estate/model.h"

enum { GUIDE_BYTES_MAX = 16 * 1024 };

static const char guide[] =
	"A sample organisation, made by `remit estate`. docs/estate.md says what is in it.\n"
	"\n"
	"Into a fresh daemon, in this order:\n"
	"\n"
	"    remit apply -f charters/1-units\n"
	"    remit person import people/1-start.csv --directory hr\n"
	"    for folder in charters/[234]-*; do remit apply -f $folder; done\n"
	"    for file in inventory/*.jsonl; do\n"
	"      remit inventory import $(basename $file .jsonl) $file --provider items\n"
	"    done\n"
	"    remit person import people/2-today.csv --directory hr\n"
	"\n"
	"Charters wait for people who approve them (exit status 6). states.csv says which\n"
	"identities were suspended or retired since; past/ holds those whose documents no\n"
	"daemon takes today; looks.csv says when people looked at which, usage.csv what was\n"
	"used. answers.json is the answer key.\n";

bool write_guide(struct model *model, const struct estate_sink *sink, struct error *err)
{
	struct buffer out;
	bool ok;

	(void)model;
	buffer_init(&out, GUIDE_BYTES_MAX);
	buffer_append_string(&out, guide);
	ok = hand_over(sink, "README.md", &out, err);
	buffer_deinit(&out);
	return ok;
}
