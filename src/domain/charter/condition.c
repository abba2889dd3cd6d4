#include "domain/charter/condition.h"

#include "cedar/from_json.h"
#include "cedar/words.h"

struct text condition_words(struct arena *arena, struct text condition)
{
	struct arena *scratch =
		condition.length == 0 ? NULL : arena_create_small(CONDITION_WORDS_BYTES_MAX, 4096);
	struct text words = TEXT("");
	struct cedar_error err;
	struct cedar_text said;

	if (scratch != NULL && cedar_words(&said, scratch, cedar_text_from(condition), &err))
		words = text_copy(arena, cedar_text_to(said));
	arena_destroy(&scratch);
	return words.data == NULL ? TEXT("") : words;
}

void condition_put(struct json_builder *object, struct text condition)
{
	json_put_text_unless_empty(object, "when", condition);
	json_put_text_unless_empty(object, "words", condition_words(object->arena, condition));
}
