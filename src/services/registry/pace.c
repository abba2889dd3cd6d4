/* Too far behind, it carries what is above the bound and no more: so the work is spread
 * as the records come. */
#include "services/registry/pace.h"

uint64_t pace_target(const struct pace_view *view)
{
	if (view->durable_next <= view->next)
		return view->next;
	if (view->is_asked || view->came < PACE_BUSY_MIN)
		return view->durable_next;
	if (view->durable_next - view->next <= PACE_LAG_MAX)
		return view->next;
	return view->durable_next - PACE_LAG_MAX;
}
