//! The scripts. Keys and arguments are named in their first lines.

use redis::Script;

pub(super) struct Scripts {
    pub(super) set: Script,
    pub(super) delete: Script,
    pub(super) take: Script,
    pub(super) swap: Script,
    pub(super) names: Script,
    pub(super) release: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            set: Script::new(&[CHANGE, "keep()"].concat()),
            delete: Script::new(&[CHANGE, "remove()"].concat()),
            take: Script::new(&[CHANGE, TAKE].concat()),
            swap: Script::new(&[CHANGE, SWAP].concat()),
            names: Script::new(NAMES),
            release: Script::new(RELEASE),
        }
    }
}

/// What all changes begin with. The number of swept names is [`SWEPT_ENTRIES`](crate::limits::SWEPT_ENTRIES).
const CHANGE: &str = r"
local entry, names, ends = KEYS[1], KEYS[2], KEYS[3]
local name, value, lifetime = ARGV[1], ARGV[2], tonumber(ARGV[3])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, over in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 8)) do
    redis.call('ZREM', names, over)
    redis.call('ZREM', ends, over)
end

local function remove()
    redis.call('DEL', entry)
    redis.call('ZREM', names, name)
    redis.call('ZREM', ends, name)
end

local function keep()
    if lifetime == 0 then
        return remove()
    end
    if lifetime > 0 then
        redis.call('SET', entry, value, 'PX', lifetime)
        redis.call('ZADD', ends, now + lifetime, name)
    else
        redis.call('SET', entry, value)
        redis.call('ZREM', ends, name)
    end
    redis.call('ZADD', names, 0, name)
end
";

const TAKE: &str = r"
local taken = redis.call('GET', entry)
remove()
return taken
";

/// Redis gives `false` for what is absent.
const SWAP: &str = r"
local present, expected = ARGV[4] == 'present', ARGV[5]
local found = redis.call('GET', entry)
if (found ~= false) ~= present or (present and found ~= expected) then
    return 0
end
keep()
return 1
";

/// How many names were read, the last of them, and those that have a value.
const NAMES: &str = r"
local names, entries = KEYS[1], KEYS[2]
local read = redis.call('ZRANGEBYLEX', names, ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])
local live = {}
for _, name in ipairs(read) do
    if redis.call('EXISTS', entries .. name) == 1 then
        live[#live + 1] = name
    end
end
return { #read, read[#read] or '', live }
";

const RELEASE: &str = r"
if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('DEL', KEYS[1])
end
return 0
";

#[cfg(test)]
mod tests {
    use super::CHANGE;
    use crate::limits::SWEPT_ENTRIES;

    #[test]
    fn the_number_of_swept_names_is_the_limit() {
        assert!(CHANGE.contains(&format!("'LIMIT', 0, {SWEPT_ENTRIES})")));
    }
}
