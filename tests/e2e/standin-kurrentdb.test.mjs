// Shows the stand-in EventStoreDB right by KurrentDB's client, @kurrent/kurrentdb-client: what it knows beyond the older
// one of standin-eventstore.test.mjs. Its reads go through the official client for Rust.

import {
  KurrentDBClient, StreamDeletedError, StreamNotFoundError, eventTypeFilter, jsonEvent,
  persistentSubscriptionToAllSettingsFromDefaults as settingsWith,
} from '@kurrent/kurrentdb-client';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startEventStore } from '../standin/eventstore.mjs';

const LIMIT = { timeout: 30_000 };
const events = (count, type = 'order') => Array.from({ length: count }, (_, n) => ({ type, data: { n } }));

async function start(t, options) {
  const store = await startEventStore(options);
  t.after(() => store.close());
  const client = KurrentDBClient.connectionString(store.url.replace('esdb', 'kurrentdb'));
  t.after(() => client.dispose());
  return { store, client };
}

async function all(stream) {
  const list = [];
  for await (const event of stream) list.push(event);
  return list;
}

test('the client for Rust reads what was written, and its errors', LIMIT, async (t) => {
  const { store, client } = await start(t);
  await client.appendToStream('orders', jsonEvent({ type: 'order', data: { n: 0 } }));
  store.append('orders', events(2, 'late'));
  const list = await all(client.readStream('orders', { direction: 'backwards', fromRevision: 'end' }));
  assert.deepEqual(list.map(({ event }) => [event.revision, event.type, event.data.n]), [[2n, 'late', 1], [1n, 'late', 0], [0n, 'order', 0]]);
  const filtered = await all(client.readAll({ filter: eventTypeFilter({ prefixes: ['la'] }) }));
  assert.deepEqual(filtered.map(({ event }) => event.revision), [1n, 2n]);
  await assert.rejects(all(client.readStream('absent')), StreamNotFoundError);
  store.tombstone('orders');
  await assert.rejects(all(client.readStream('orders')), StreamDeletedError);
});

test('caught_up says where and when, from 25.1 on', LIMIT, async (t) => {
  for (const version of ['24.2', '25.1']) {
    const { store, client } = await start(t, { version });
    const { commit, prepare } = store.append('orders', events(3)).at(-1);
    const said = {};
    for (const [name, subscription] of [['stream', client.subscribeToStream('orders')], ['all', client.subscribeToAll()]]) {
      subscription.on('caughtUp', (info) => { said[name] = info; }).on('data', () => {});
      t.after(() => subscription.unsubscribe());
    }
    await store.until(() => 'stream' in said && 'all' in said);
    if (version === '24.2') {
      assert.deepEqual(said, { stream: {}, all: {} });
      continue;
    }
    assert.equal(said.stream.revision, 2n);
    assert.deepEqual(said.all.position, { commit, prepare });
    assert.ok(Math.abs(said.all.date - Date.now()) < 10_000);
  }
});

test('a group on $all with a filter', LIMIT, async (t) => {
  const { store, client } = await start(t);
  for (const type of ['a', 'b', 'a']) store.append(`s-${type}`, events(1, type));
  await client.createPersistentSubscriptionToAll('group', settingsWith({ startFrom: 'start' }), { filter: eventTypeFilter({ prefixes: ['a'] }) });
  const worker = client.subscribeToPersistentSubscriptionToAll('group');
  t.after(() => worker.unsubscribe());
  const seen = [];
  worker.on('data', (event) => seen.push(event));
  await store.until(() => seen.length === 2);
  await worker.ack(...seen);
  await store.until(() => store.acks.length === 1);
  assert.deepEqual(store.acks[0].ids, seen.map(({ event }) => event.id));
  assert.deepEqual(seen.map(({ event }) => [event.type, event.revision]), [['a', 0n], ['a', 1n]]);
});
