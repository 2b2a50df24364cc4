// es-tail killed at random points, again and again: each event is given to the program at least once, in order, none is
// passed over, and the checkpoint file can always be used.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventStoreFor } from './eventstore.mjs';
import { checkpoints, numbersIn, places, runOn, startOn, upTo } from './eventstore_run.mjs';
import { file, folder } from './support.mjs';

const KILLS = process.env.SLOW_TESTS === '1' ? 50 : 3; // of each variant
const KEYS = 5;
const EVENTS_A_KILL = 400;

const VARIANTS = [
  { sync: '0', most_ms: 150 }, { sync: '1ms', most_ms: 80 }, { sync: '20ms', most_ms: 150, instances: 3, key: 'key' },
  { sync: '500ms', most_ms: 1200, instances: 2, key: 'key' },
];

// One program for all events that appends each number to the notes before it says ok. One left behind by a kill may go on
// with the lines that it has; what it notes then has its order, too.
const noting = (t, notes) => ['sh', file(t, 'note.sh', `exec 3>>${notes}
while IFS= read -r event; do n=\${event##*'"n":'}; echo "\${n%%[!0-9]*}" >&3; echo ok; done
`)];

// Steps back come with a restart; a step forward never leaves one out. Of several keys that holds for each.
function checkOrder(numbers, keys) {
  const next = upTo(keys);
  for (const [i, n] of numbers.entries()) {
    assert.ok(n <= next[n % keys], `note ${i} is event ${n}, though ${next[n % keys]} was not yet done`);
    if (n === next[n % keys]) next[n % keys] += keys;
  }
  return new Set(numbers);
}

async function checkPlaces(db, notes, keys) {
  const list = await checkpoints(db);
  if (list.code === 66) return; // killed before there was one
  assert.equal(list.code, 0, list.stderr);
  const { 'p s': p, 'total s': total } = await places(db);
  if (total) assert.deepEqual(JSON.parse(total.state), { total: `${total.revision + 1}`, count: total.revision + 1 });
  const seen = checkOrder(numbersIn(notes), keys);
  for (let n = 0; n <= (p?.revision ?? -1); n += 1) assert.ok(seen.has(n), `the place is ${p.revision}, but ${n} was not done`);
}

describe(`${VARIANTS.length * KILLS} kills`, { concurrency: 2 }, () => {
  for (const { sync, most_ms, ...spec } of VARIANTS) {
    for (const drops of [false, true]) {
      test(`--sync-interval ${sync}, ${spec.instances ?? 1} instances${drops ? ', the connection drops too' : ''}`, { timeout: 420_000 }, async (t) => {
        const store = await eventStoreFor(t, { keepRequests: false });
        const [db, notes] = [join(folder(t), 'a.db'), join(folder(t), 'notes')];
        const processors = [{ name: 'p', pipe: noting(t, notes), ...spec }, { name: 'total', count: true }];
        const keys = spec.key ? KEYS : 1;
        let written = 0;
        const append = (count) => {
          store.append('s', upTo(count, written).map((n) => ({ type: 'order', data: { key: `k${n % KEYS}`, n } })));
          written += count;
        };
        for (let kill = 0; kill < Math.ceil(KILLS / 2); kill += 1) {
          append(EVENTS_A_KILL);
          const tail = startOn(t, store, 's', processors, ['--checkpoints', db, '--sync-interval', sync], { stdio: ['ignore', 'ignore', 'pipe'] });
          await delay(randomInt(most_ms / 2));
          if (drops) store.drop({ kind: ['reset', 'rst', 'close', 'not-ready'][kill % 4] });
          append(EVENTS_A_KILL);
          await delay(randomInt(most_ms / 2));
          const { signal } = await tail.stop('SIGKILL');
          assert.equal(signal, 'SIGKILL', tail.out.stderr);
          await checkPlaces(db, notes, keys);
        }
        const last = await runOn(t, store, 's', processors, ['-e', '--checkpoints', db, '--sync-interval', sync], { timeout_ms: 180_000 });
        assert.equal(last.code, 0, last.stderr);
        assert.deepEqual([...checkOrder(numbersIn(notes), keys)].sort((a, b) => a - b), upTo(written));
        assert.equal((await places(db))['p s'].revision, written - 1);
        await checkPlaces(db, notes, keys);
      });
    }
  }
});
