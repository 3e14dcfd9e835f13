/* The control interface of the server. */
#ifndef MB_SIM_CONTROL_H
#define MB_SIM_CONTROL_H

#include "sim/internal.h"

bool mb_sim_is_control(const mb_http_request *request);
int mb_sim_handle_control(mb_sim *sim, mb_arena *arena, const mb_http_request *request,
                          sim_answer *out, mb_error *error);

#endif
