--- How long things take in the simulated world, in seconds.
--
-- Each entry is { usual, shortest, longest, mark }. The mark says where the number comes from: S the
-- service's model, D its documentation, O observed, O1 observed once, M measured, K widely known,
-- I inferred. `take` draws from around the usual value and never leaves the range.

local durations = {
  -- ECS: the service scheduler
  update_to_first_pass = { 5, 1, 18, "O" }, -- a change is asked for -> the scheduler acts on it
  scheduler_pass = { 10, 9, 11, "O" }, -- between two passes while something is unsettled
  scheduler_reaction = { 2, 1, 3, "O" }, -- a task is judged healthy -> the pass that notices
  lost_task_reaction = { 6, 2, 10, "O" }, -- a container ended -> its replacement starts
  unhealthy_reaction = { 3, 2, 10, "O" }, -- a target turned unhealthy -> its replacement starts
  stop_to_start = { 0.9, 0.5, 1, "O1" }, -- stop first: the old one is told to stop -> the new one starts
  running_to_healthy = { 40, 40, 40, "D" }, -- RUNNING -> counts as healthy without a container check
  replacement_to_stop = { 7, 4, 10, "O" }, -- replacement RUNNING and healthy -> the unhealthy task is stopped
  drain_to_complete = { 51, 50, 59, "O" }, -- draining begins -> the deployment may complete
  steady_repeat = { 21600, 21600, 21600, "D" }, -- a steady service says so again
  service_deployment_start = { 1, 0.1, 2, "O" }, -- a service deployment is created -> started
  breaker_trip = { 45, 37, 90, "O" }, -- the last failure -> the deployment is FAILED
  rollback_to_first_pass = { 18, 10, 25, "O1" }, -- a deployment failed -> the scheduler acts on the one restored
  rollback_request = { 2, 1, 5, "I" }, -- a rollback is asked for -> it is in progress
  stage_settles = { 5, 2, 10, "I" }, -- a lifecycle stage that has nothing to wait for
  traffic_shift = { 15, 5, 30, "I" }, -- the rules of a load balancer are changed, and the change has taken hold
  hook_run = { 2, 1, 5, "I" }, -- a lifecycle hook's function answers
  hook_callback = { 30, 30, 30, "D" }, -- a hook that is in progress is asked again
  bake_time_floor = { 180, 180, 180, "I" }, -- alarms are watched for at least so long after the start
  service_gone = { 5, 2, 10, "I" }, -- the last task of a deleted service stopped -> INACTIVE

  -- ECS: waiting after tasks that never ran; the ceiling is documented
  backoff_first = { 0, 0, 0, "O1" },
  backoff_second = { 240, 230, 250, "O1" },
  backoff_third = { 480, 460, 500, "I" },
  backoff_fourth = { 960, 930, 990, "I" },
  backoff_longest = { 1620, 1620, 1620, "D" },

  -- ECS: a task comes up (Fargate)
  task_attach = { 5, 4, 15, "O" }, -- created -> the network interface is attached, PENDING
  task_pull_begins = { 8, 4, 12, "O" }, -- attached -> image pull begins
  task_pull_base = { 5, 2, 8, "O" }, -- image pull without its size
  task_container_up = { 2, 1, 5, "O" }, -- pull ended -> the containers run
  task_up_to_registered = { 20, 4, 24, "O" }, -- the containers run -> target registered
  task_registered_to_running = { 8, 5, 10, "O" }, -- target registered -> RUNNING

  -- ECS: a task fails to come up
  task_pull_missing = { 104, 90, 120, "O1" }, -- all attempts to pull an image that does not exist
  task_pull_platform = { 104, 90, 120, "I" },
  task_secret_denied = { 20, 10, 30, "I" },
  task_unreachable = { 277, 270, 290, "O1" }, -- a sealed network keeps a task in PENDING
  task_log_group_missing = { 10, 5, 20, "I" },

  -- ECS: a task goes down
  task_stop_to_deactivating = { 10, 9, 11, "O" }, -- told to stop -> deregistered, draining
  task_stop_noticed = { 1, 0.5, 2, "I" }, -- without a load balancer: told to stop -> DEACTIVATING
  task_deactivating = { 9, 8, 10, "O1" }, -- without a load balancer: DEACTIVATING -> STOPPING
  task_drained_to_stopping = { 25, 10, 60, "I" }, -- after the deregistration delay; fits the failed cycles
  task_sigterm_overhead = { 3, 1, 4, "O1" }, -- what stopping takes besides the application's own time
  task_exit_settles = { 1, 0.5, 2, "I" }, -- an essential container ended -> the others are stopped
  task_deprovision = { 20, 15, 25, "O" }, -- interface detached, STOPPED
  task_command = { 10, 1, 600, "I" }, -- a command given to RunTask instead of the image's own takes so long
  task_kept = { 3600, 3600, 3600, "S" }, -- how long a stopped task can still be described
}

local usual, shortest, longest = 1, 2, 3

-- How much of the way from the usual value to an end of the range chance may use.
local part = 0.3

local facts = { entries = durations }

--- The usual value of a duration.
function facts.usual(name)
  return durations[name][usual]
end

--- A duration as it may turn out this time.
function facts.take(world, name)
  local entry = durations[name]
  if not entry then
    error("no duration called " .. name)
  end
  local chance = world:random() * 2 - 1
  local span = chance < 0 and entry[usual] - entry[shortest] or entry[longest] - entry[usual]
  return entry[usual] + chance * span * part
end

return facts
