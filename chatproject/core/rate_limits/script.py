"""The generic cell rate algorithm (GCRA) as atomic scripts in Redis.

Redis keeps one number for each bucket: the time when the next use would be due if all uses came evenly. What another
release has stored in another form counts as nothing; a new form needs new keys.
"""

from collections.abc import Sequence
from typing import Any

from chatproject.core.rate_limits.limit import Consumption

# Consumes from all buckets or, if one of them has no room, from none: a refusal costs nothing. A cost of 0 asks whether
# one use would fit, a negative cost gives uses back. It returns a `Reply`. `memory.decide` does the same in Python.
GCRA = """
local now = redis.call('TIME')
now = now[1] * 1000 + now[2] / 1000
local tightest, left, wait, reset, allowed = 1, math.huge, 0, 0, 1
local due = {}
for i, key in ipairs(KEYS) do
    local interval, burst, cost = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
    due[i] = math.max(tonumber(redis.call('GET', key) or '') or now, now)
    local room = burst * interval - (due[i] - now)
    local lacking = cost < 0 and 0 or math.max(cost, 1) * interval - room
    local rest = math.floor(room / interval + 0.001) - cost
    if lacking > 0.5 then
        allowed = 0
        if lacking > wait then tightest, wait, left, reset = i, lacking, 0, due[i] - now end
    elseif allowed == 1 and rest < left then
        tightest, left, reset = i, rest, due[i] - now + cost * interval
    end
end
if allowed == 1 then
    for i, key in ipairs(KEYS) do
        local cost = tonumber(ARGV[3 * i])
        local next = due[i] + cost * tonumber(ARGV[3 * i - 2])
        if cost ~= 0 and next > now then
            redis.call('SET', key, string.format('%.3f', next), 'PX', math.ceil(next - now))
        elseif cost ~= 0 then
            redis.call('DEL', key)
        end
    end
end
return {allowed, tightest, math.max(left, 0), math.ceil(wait), math.ceil(reset)}
"""

# Consumes even where there is no room, for what has happened already: the next uses wait for it.
CONSUME_UNCHECKED = """
local now = redis.call('TIME')
now = now[1] * 1000 + now[2] / 1000
for i, key in ipairs(KEYS) do
    local due = math.max(tonumber(redis.call('GET', key) or '') or now, now)
    local next = due + tonumber(ARGV[1]) * tonumber(ARGV[i + 1])
    redis.call('SET', key, string.format('%.3f', next), 'PX', math.ceil(next - now))
end
"""


def call_of(consumptions: Sequence[Consumption]) -> list[Any]:
    """Return the arguments of EVAL: the script, the number of keys, the keys, the script's arguments."""
    keys = [each.key for each in consumptions]
    arguments = [value for each in consumptions for value in each[1:]]
    return [GCRA, len(keys), *keys, *arguments]
