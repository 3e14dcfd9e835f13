--- The application that runs in a world, as it is when nothing is said of it. It is ours, so nothing
-- here has another source than that a small web service behaves so.

return {
  durations = {
    start = 0.5,      -- from process start to listening; I
    answer = 0.012,   -- one request; I
    never = 86400,    -- longer than anybody waits
  },

  health_pages = {
    ["/health"] = true, ["/healthz"] = true, ["/api/health"] = true, ["/api/healthz"] = true,
    ["/api/readyz"] = true, ["/readyz"] = true, ["/livez"] = true,
  },

  texts = {
    healthy = '{"status":"ok"}',
    page = '{"message":"hello"}',
    failed = '{"status":"error","code":%d}',
  },
}
