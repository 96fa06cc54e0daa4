//! Sorted sets in Redis: members are ids as text, which sorts as their bytes do and can be read in `redis-cli`.

use std::time::Duration;

use async_trait::async_trait;
use redis::{FromRedisValue, RedisError, Script, ScriptInvocation};
use uuid::Uuid;

use super::CacheError;
use super::redis::{RedisCache, millis};
use super::sorted::{Change, Lease, Near, Seen, SortedSets, View, Written};

/// Lua's numbers are doubles, exact for these scores; `%.0f` writes them in full.
const VIEW: &str = r"
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local first = redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1, 'WITHSCORES')
local near, before = {}, {}
local rank = redis.call('ZRANK', KEYS[1], ARGV[2])
if rank then
  near = redis.call('ZRANGE', KEYS[1], math.max(rank - ARGV[3], 0), rank + ARGV[3], 'WITHSCORES')
  local last, count
  for i = 2, #near, 2 do
    local score = tonumber(near[i])
    local group = score - score % tonumber(ARGV[4])
    if group ~= last then
      last, count = group, redis.call('ZCOUNT', KEYS[1], '-inf', string.format('(%.0f', group))
    end
    before[i / 2] = count
  end
end
return {first, near, before}";

/// In slices: a call has room for some thousand arguments.
const WRITE: &str = r"
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return -1 end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
if ARGV[3] == '0' and redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local puts = 4 + 2 * tonumber(ARGV[4])
for i = 5, puts, 2000 do
  redis.call('ZADD', KEYS[1], unpack(ARGV, i, math.min(i + 1999, puts)))
end
for i = puts + 1, #ARGV, 2000 do
  redis.call('ZREM', KEYS[1], unpack(ARGV, i, math.min(i + 1999, #ARGV)))
end
if ARGV[3] == '1' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1";

/// UNLINK, because to free a set of a million members takes longer than anybody may wait.
const PUBLISH: &str = r"
local len = redis.call('ZCARD', KEYS[1])
if redis.call('GET', KEYS[4]) ~= ARGV[1] or len ~= tonumber(ARGV[2]) or len == 0 then
  redis.call('UNLINK', KEYS[1])
  return 0
end
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('RENAME', KEYS[2], KEYS[3])
  redis.call('UNLINK', KEYS[3])
end
redis.call('RENAME', KEYS[1], KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1";

/// The scripts of sorted sets.
pub(super) struct Scripts {
    view: Script,
    write: Script,
    publish: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        Self { view: Script::new(VIEW), write: Script::new(WRITE), publish: Script::new(PUBLISH) }
    }
}

fn unexpected(what: &str) -> CacheError {
    RedisError::from((redis::ErrorKind::UnexpectedReturnType, "a sorted set", what.to_owned())).into()
}

fn member(bytes: &[u8]) -> Result<Uuid, CacheError> {
    Uuid::try_parse_ascii(bytes).map_err(|error| unexpected(&error.to_string()))
}

/// A score as Redis writes it: `4503599627370496` or, since version 7.2, also `4.503599627370496e+15`.
pub(super) fn whole(text: &[u8]) -> Result<u64, CacheError> {
    let text = String::from_utf8_lossy(text);
    let exact = || format!("{:.0}", text.parse::<f64>().ok()?).parse().ok();
    text.parse().ok().or_else(exact).ok_or_else(|| unexpected(&text))
}

/// `member, score, member, score, …`
fn pairs(flat: &[Vec<u8>]) -> Result<Vec<(Uuid, u64)>, CacheError> {
    flat.chunks_exact(2)
        .map(|pair| match pair {
            [id, score] => Ok((member(id)?, whole(score)?)),
            _ => Err(unexpected("half a pair")),
        })
        .collect()
}

impl RedisCache {
    async fn call<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, CacheError> {
        Ok(script.invoke_async(&mut self.connection()).await?)
    }
}

#[async_trait]
impl SortedSets for RedisCache {
    async fn sorted_view(&self, key: &str, view: View) -> Result<Option<Seen>, CacheError> {
        type Flat = Vec<Vec<u8>>;
        let mut script = self.sorted.view.key(self.key(key));
        script.arg(view.first).arg(view.member.to_string()).arg(view.around).arg(view.group);
        let Some((first, near, before)) = self.call::<Option<(Flat, Flat, Vec<u64>)>>(&script).await? else {
            return Ok(None);
        };
        let near = pairs(&near)?.into_iter().zip(before);
        Ok(Some(Seen {
            first: pairs(&first)?,
            near: near.map(|((member, score), before)| Near { member, score, before }).collect(),
        }))
    }

    async fn sorted_len(&self, key: &str) -> Result<Option<u64>, CacheError> {
        // Redis keeps no set without members.
        let len: u64 = redis::cmd("ZCARD").arg(self.key(key)).query_async(&mut self.connection()).await?;
        Ok((len > 0).then_some(len))
    }

    async fn sorted_scores(&self, key: &str, members: &[Uuid]) -> Result<Option<Vec<Option<u64>>>, CacheError> {
        let key = self.key(key);
        let mut ask = redis::pipe();
        ask.atomic().exists(&key);
        if !members.is_empty() {
            let command = ask.cmd("ZMSCORE").arg(&key);
            for member in members {
                command.arg(member.to_string());
            }
        }
        let answers: Vec<redis::Value> = ask.query_async(&mut self.connection()).await?;
        let mut answers = answers.into_iter();
        let exists = answers.next().map(redis::from_redis_value::<bool>).transpose().map_err(RedisError::from)?;
        if exists != Some(true) {
            return Ok(None);
        }
        let Some(scores) = answers.next() else { return Ok(Some(Vec::new())) };
        let scores: Vec<Option<Vec<u8>>> = redis::from_redis_value(scores).map_err(RedisError::from)?;
        scores.into_iter().map(|score| score.map(|score| whole(&score)).transpose()).collect::<Result<_, _>>().map(Some)
    }

    async fn sorted_write(&self, key: &str, change: &Change, lease: Lease<'_>) -> Result<Written, CacheError> {
        let mut script = self.sorted.write.key(self.key(key));
        script.key(self.key(lease.key)).arg(lease.token).arg(millis(lease.ttl));
        script.arg(u8::from(change.create)).arg(change.put.len());
        for (member, score) in &change.put {
            script.arg(*score).arg(member.to_string());
        }
        for member in &change.remove {
            script.arg(member.to_string());
        }
        Ok(match self.call::<i64>(&script).await? {
            1 => Written::Done,
            0 => Written::Absent,
            _ => Written::NotHolder,
        })
    }

    async fn sorted_publish(
        &self,
        from: &str,
        to: &str,
        len: u64,
        ttl: Duration,
        lease: Lease<'_>,
    ) -> Result<bool, CacheError> {
        let from = self.key(from);
        let mut script = self.sorted.publish.key(&from);
        script.key(self.key(to)).key(format!("{from}:old")).key(self.key(lease.key));
        script.arg(lease.token).arg(len).arg(millis(ttl));
        self.call(&script).await
    }

    fn is_shared(&self) -> bool {
        true
    }
}
