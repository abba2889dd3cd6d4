#ifndef DOMAIN_CHARTER_RECORD_FORM_H
#define DOMAIN_CHARTER_RECORD_FORM_H

#include "domain/charter/charter.h"
#include "domain/charter/form.h"

/* What of a charter people keep true rather than calls are held to: who accepted its risk and
 * until when, whom it affects, whose it is and in which versions. */

/* [struct charter] the part `risk-record`. */
extern const struct form risk_record_form;
/* [struct charter] `affects`, `vendor`, `versions`. */
extern const struct form affects_form;
extern const struct form vendor_form;
extern const struct form versions_form;

/* What no field alone can tell of them. */
void record_check(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct charter *charter);

#endif
