/* Finding the service that a request is for. */
#ifndef MB_SIM_ROUTE_H
#define MB_SIM_ROUTE_H

#include "sim/internal.h"

/* NULL when it is no AWS call, or one of a service without a model. */
const sim_service *mb_sim_find_service(const mb_sim *sim, const mb_http_request *request,
                                       const sim_signature *signature);
/* What the request speaks: the model's protocol, or query where the service has both. */
mb_protocol mb_sim_protocol(const sim_service *service, const mb_http_request *request);
bool mb_sim_is_form(const mb_http_request *request);

#endif
