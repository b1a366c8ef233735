-- wrk posts one chat of about 1 KB with the model "auto", and reports its counts as one line of JSON.
local sentence = "The delivery that was promised for last week has still not arrived at my address. "
wrk.method = "POST"
wrk.path = "/v1/chat/completions"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"model":"auto","temperature":0.2,"messages":['
  .. '{"role":"system","content":"You are a careful assistant of a shop that sells bicycles."},'
  .. '{"role":"user","content":"' .. sentence:rep(10) .. '"}]}'

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format('COUNTS {"requests":%d,"failed":%d,"broken":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests, e.status, e.connect + e.read + e.write + e.timeout, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
