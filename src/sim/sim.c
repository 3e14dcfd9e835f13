/* Making and freeing a simulator. */
#include "sim/internal.h"
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int copy_text(mb_sim *sim, const char **text, const char *otherwise, mb_error *error) {
  const char *given = *text ? *text : otherwise;
  *text = given ? mb_arena_strdup(sim->arena, given) : NULL;
  return *text || !given ? 0 : mb_error_memory(error);
}

static int copy_options(mb_sim *sim, const mb_sim_options *options, mb_error *error) {
  if (options && options->version != MB_SIM_OPTIONS_VERSION)
    return mb_error_set(error, MB_ERROR_USAGE, "BadVersion",
                        "the simulator's options are of version %u; this library knows %u",
                        options->version, MB_SIM_OPTIONS_VERSION);
  if (options)
    sim->options = *options;
  mb_sim_options *own = &sim->options;
  own->seed = own->seed ? own->seed : 1;
  sim->region_given = own->region != NULL;
  return copy_text(sim, &own->scenario, NULL, error) || copy_text(sim, &own->state, NULL, error) ||
                 copy_text(sim, &own->region, "eu-west-1", error) ||
                 copy_text(sim, &own->account, "123456789012", error) ||
                 copy_text(sim, &own->secret_access_key, NULL, error)
             ? -1
             : 0;
}

static void list_services(mb_sim *sim) {
  const char *names[MB_SIM_SERVICES];
  size_t count = mb_model_names(names, MB_SIM_SERVICES);
  for (size_t i = 0; i < count && i < MB_SIM_SERVICES; i++) {
    sim_service *service = &sim->services[sim->service_count];
    service->model = mb_model_find(names[i]);
    if (!service->model)
      continue;
    mb_model_service(service->model, &service->about);
    sim->service_count++;
  }
}

static int build(mb_sim *sim, const mb_sim_options *options, mb_error *error) {
  sim->arena = mb_arena_new(0);
  if (!sim->arena)
    return mb_error_memory(error);
  sim->wake_file = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (sim->wake_file < 0)
    return mb_error_set(error, MB_ERROR_IO, "NoDescriptor", "no descriptor for the simulator: %s",
                        strerror(errno));
  if (copy_options(sim, options, error))
    return -1;
  sim->random_state = sim->options.seed;
  mb_system_complete(&sim->real, NULL);
  list_services(sim);
  mb_sim_system_init(sim);
  mb_sim_transport_init(sim);
  return mb_sim_open_world(sim, error);
}

int mb_sim_new(mb_sim **out, const mb_sim_options *options, mb_error *error) {
  *out = NULL;
  mb_sim *sim = mb_alloc_zero(1, sizeof *sim);
  if (!sim)
    return mb_error_memory(error);
  sim->wake_file = -1;
  if (build(sim, options, error)) {
    mb_sim_free(sim);
    return -1;
  }
  *out = sim;
  return 0;
}

void mb_sim_free(mb_sim *sim) {
  if (!sim)
    return;
  mb_sim_transport_dispose(sim);
  mb_library_free(sim->library);
  if (sim->wake_file >= 0)
    close(sim->wake_file);
  mb_arena_free(sim->arena);
  mb_free(sim);
}
