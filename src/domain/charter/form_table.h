#ifndef DOMAIN_CHARTER_FORM_TABLE_H
#define DOMAIN_CHARTER_FORM_TABLE_H

#include <stddef.h>

#include "domain/charter/form.h"

/* How tables of fields (form.h) are written, for the files that hold them. */

#define COUNT(items) (sizeof(items) / sizeof *(items))

#define FIELD(body, written, need, form, member)                                                   \
	{                                                                                          \
		written, need, form, offsetof(struct body, member), 0, NULL                        \
	}
#define REQUIRED(body, written, form, member, hint)                                                \
	{                                                                                          \
		written, FORM_REQUIRED, form, offsetof(struct body, member), 0, hint               \
	}
#define OPTIONAL(body, written, form, member)                                                      \
	{                                                                                          \
		written, FORM_OPTIONAL, form, offsetof(struct body, member), 0, NULL               \
	}
#define LIST(body, written, form, member)                                                          \
	{                                                                                          \
		written, FORM_OPTIONAL, form, offsetof(struct body, member),                       \
			offsetof(struct body, member##_count), NULL                                \
	}
#define LIST_OF(shape_name, type, most_items)                                                      \
	{                                                                                          \
		.read = form_read_list, .most = most_items, .shape = &shape_name,                  \
		.item_size = sizeof(struct type)                                                   \
	}
#define TEXTS_OF(form_name, least_items, most_items)                                               \
	{                                                                                          \
		.read = form_read_list, .least = least_items, .most = most_items,                  \
		.item = &form_name, .item_size = sizeof(struct text)                               \
	}
#define SHAPE(list) .fields = list, .fields_count = COUNT(list)

#endif
